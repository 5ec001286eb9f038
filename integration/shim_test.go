package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A shim is what stands between a manager and the runtime, as conmon and containerd's shim do:
// a subreaper of its own, which dies with nobody and takes the runtime with it by a parent-death
// signal of KILL. It gives the runtime a null device, two pipes that containers may keep, a
// socket that nobody asked for as fd 3, and no variables but the listed ones.
//
// The test binary is that program, too: it reads orders from its stdin and prints outcomes.
type shim struct {
	t   *testing.T
	cmd *exec.Cmd
	in  *json.Encoder
	out *json.Decoder

	strays map[string]bool // the sockets it gave as fd 3, as /proc/PID/fd shows them
}

// order is a command line that a shim carries out.
type order struct {
	Args  []string
	Env   []string
	In    string // stdin; empty: a null device
	Group bool   // in a process group of its own
	Leave bool   // do not wait: await does
}

// outcome is what has become of it. The output is what was there at the end of the command.
type outcome struct {
	Pid            int
	Code           int
	Stdout, Stderr string
	Stray          string
	Err            string
}

const shimVariable = "RTIT_SHIM"

// newShim starts a shim for p, whose root of a user namespace it is if p says so.
func newShim(t *testing.T, p plain) *shim {
	t.Helper()
	program := "/proc/self/exe"
	if p.uid != 0 {
		program = filepath.Join(it.base, "bin", "shim")
		if _, err := os.Stat(program); err != nil {
			if err := copyExecutable("/proc/self/exe", program); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := p.command(command{args: []string{program}})
	s := &shim{t: t, strays: map[string]bool{}, cmd: exec.Command(c.args[0], c.args[1:]...)}
	s.cmd.Env, s.cmd.Dir, s.cmd.Stderr = []string{shimVariable + "=1", "PATH=/usr/bin:/bin"}, "/", os.Stderr
	if c.adapt != nil {
		c.adapt(s.cmd)
	}
	in, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.in, s.out = json.NewEncoder(in), json.NewDecoder(out)
	if err := it.procs.start(s.cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); s.end() })
	return s
}

// end kills the shim, and with it what it runs.
func (s *shim) end() {
	s.cmd.Process.Kill()
	it.procs.wait(s.cmd)
}

func (s *shim) pid() int { return s.cmd.Process.Pid }

func (s *shim) ask(o order) outcome {
	s.t.Helper()
	if err := s.in.Encode(o); err != nil {
		s.t.Fatal(err)
	}
	var got outcome
	if err := s.out.Decode(&got); err != nil {
		s.t.Fatalf("%v: %v", o.Args, err)
	}
	if got.Err != "" {
		s.t.Fatalf("%v: %s", o.Args, got.Err)
	}
	if o.Args != nil && got.Stray == "" {
		s.t.Fatalf("%v: no stray socket", o.Args)
	}
	s.strays[got.Stray] = true
	return got
}

// run carries a command line out by a shim.
func (s *shim) run(o order) result {
	s.t.Helper()
	got := s.ask(o)
	return result{args: o.Args, stdout: got.Stdout, stderr: got.Stderr, code: got.Code}
}

// await gives the end of the command that was left.
func (s *shim) await() outcome { return s.ask(order{}) }

// shimMain is the program. It keeps to one thread: a parent-death signal is the thread's.
func shimMain() int {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, "shim:", err)
		return 1
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	var last *ward
	reaper := newReaper()
	for {
		var o order
		if in.Decode(&o) != nil {
			return 0
		}
		var got outcome
		if o.Args != nil {
			w, err := o.start()
			if err != nil {
				out.Encode(outcome{Err: err.Error()})
				continue
			}
			last, got = w, outcome{Pid: w.pid, Stray: w.stray}
		}
		if !o.Leave {
			got = last.end(reaper)
		}
		out.Encode(got)
	}
}

// ward is a command that a shim has started.
type ward struct {
	pid    int
	output [2]int // the ends to read from, not blocking
	stray  string
}

func (o order) start() (*ward, error) {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(null)
	w, stdin := &ward{}, null
	if o.In != "" {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return nil, err
		}
		unix.Write(p[1], []byte(o.In)) // less than the pipe holds
		unix.Close(p[1])
		defer unix.Close(p[0])
		stdin = p[0]
	}
	files := []uintptr{uintptr(stdin)}
	for i := range w.output {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return nil, err
		}
		defer unix.Close(p[1])
		if err := unix.SetNonblock(p[0], true); err != nil {
			return nil, err
		}
		w.output[i], files = p[0], append(files, uintptr(p[1]))
	}
	stray, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(stray[0])
	defer unix.Close(stray[1])
	files = append(files, uintptr(stray[1]))
	if w.stray, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", stray[1])); err != nil {
		return nil, err
	}
	w.pid, err = syscall.ForkExec(o.Args[0], o.Args, &syscall.ProcAttr{Dir: "/", Env: o.Env, Files: files,
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: o.Group}})
	return w, err
}

// reaper knows how the children have ended, its own and those that have re-parented to it. A
// shim reaps at once: the end of a PID namespace waits for what has entered it.
type reaper struct {
	lock  sync.Mutex
	news  *sync.Cond
	ended map[int]syscall.WaitStatus
}

func newReaper() *reaper {
	r := &reaper{ended: map[int]syscall.WaitStatus{}}
	r.news = sync.NewCond(&r.lock)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGCHLD)
	go func() {
		for range signals {
			r.reap()
		}
	}()
	return r
}

func (r *reaper) reap() {
	r.lock.Lock()
	defer r.lock.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if pid <= 0 && err != syscall.EINTR {
			break
		}
		r.ended[pid] = status
	}
	r.news.Broadcast()
}

func (r *reaper) wait(pid int) syscall.WaitStatus {
	r.lock.Lock()
	defer r.lock.Unlock()
	for {
		if status, ok := r.ended[pid]; ok {
			return status
		}
		r.news.Wait()
	}
}

// end waits for the command.
func (w *ward) end(r *reaper) outcome {
	status := r.wait(w.pid)
	got := outcome{Pid: w.pid, Stray: w.stray, Code: status.ExitStatus()}
	if status.Signaled() {
		got.Code = 128 + int(status.Signal())
	}
	got.Stdout, got.Stderr = drain(w.output[0]), drain(w.output[1])
	return got
}

// drain reads what is there; a container may keep the other end.
func drain(fd int) string {
	defer unix.Close(fd)
	var s strings.Builder
	b := make([]byte, 64<<10)
	for {
		n, err := unix.Read(fd, b)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return s.String()
		}
		io.WriteString(&s, string(b[:n]))
	}
}
