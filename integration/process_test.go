package integration

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const deadline = 20 * time.Second

// family tells our own commands from what re-parented to us. Start and note happen under
// the read lock, reaping under the write lock: a command is never reaped from under os/exec.
type family struct {
	lock sync.RWMutex
	note sync.Mutex
	rest sync.Mutex // held by a test that wants its zombies kept
	ours map[int]bool
}

func (f *family) start(cmd *exec.Cmd) error {
	f.lock.RLock()
	defer f.lock.RUnlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	f.set(cmd.Process.Pid, true)
	return nil
}

func (f *family) wait(cmd *exec.Cmd) error {
	defer f.set(cmd.Process.Pid, false)
	return cmd.Wait()
}

func (f *family) set(pid int, on bool) {
	f.note.Lock()
	defer f.note.Unlock()
	if f.ours == nil {
		f.ours = map[int]bool{}
	}
	if on {
		f.ours[pid] = true
		return
	}
	delete(f.ours, pid)
}

func (f *family) isOurs(pid int) bool {
	f.note.Lock()
	defer f.note.Unlock()
	return f.ours[pid]
}

// reapAlways reaps as every manager does: a PID namespace ends only after the processes
// that entered it by exec and re-parented to us are reaped.
func (f *family) reapAlways() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	for range ended {
		f.reap()
	}
}

// reap collects the zombies that re-parented to us.
func (f *family) reap() {
	f.rest.Lock()
	defer f.rest.Unlock()
	f.lock.Lock()
	defer f.lock.Unlock()
	for _, p := range processes() {
		if p.parent == os.Getpid() && p.state == "Z" && !f.isOurs(p.pid) {
			syscall.Wait4(p.pid, nil, syscall.WNOHANG, nil)
		}
	}
}

// process is a line of proc_pid_stat(5).
type process struct {
	pid, parent int
	comm, state string
	born        string // start time, ticks since boot: with the pid it is unique
}

// processes lists the processes of our PID namespace but ourselves; if that is not ours
// alone, those that descend from us.
func processes() []process {
	var list []process
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if p, ok := readProcess(pid); ok && pid != os.Getpid() {
			list = append(list, p)
		}
	}
	if it.shared {
		return descendants(list)
	}
	return list
}

func descendants(list []process) []process {
	ours := map[int]bool{os.Getpid(): true}
	for more := true; more; {
		more = false
		for _, p := range list {
			if ours[p.parent] && !ours[p.pid] {
				ours[p.pid], more = true, true
			}
		}
	}
	return slices.DeleteFunc(list, func(p process) bool { return !ours[p.pid] })
}

func readProcess(pid int) (process, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if err != nil || end < 0 {
		return process{}, false
	}
	f := strings.Fields(string(stat[end+1:]))
	parent, _ := strconv.Atoi(f[1])
	return process{pid, parent, string(stat[open+1 : end]), f[0], f[19]}, true
}

// alive says that pid exists and is no zombie.
func alive(pid int) bool {
	p, ok := readProcess(pid)
	return ok && p.state != "Z" && p.state != "X"
}

// result is what a command did. Code is 128+n for a death by signal n.
type result struct {
	args           []string
	stdout, stderr string
	code           int
}

func (r result) String() string {
	return fmt.Sprintf("%s\nexit %d\nstdout: %q\nstderr: %q", strings.Join(r.args, " "), r.code, r.stdout, r.stderr)
}

func (r result) must(t *testing.T) result {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("%v\nwant exit 0", r)
	}
	return r
}

// command is a program to run: stdin is a null device, stdout and stderr are pipes, or files
// when something may outlive the command and hold them open.
type command struct {
	args  []string
	env   []string
	dir   string
	files bool // stdout and stderr are regular files
	stdin *os.File
	extra []*os.File // fd 3 and up
	adapt func(*exec.Cmd)
	limit time.Duration // 0: deadline
}

// running is a started command.
type running struct {
	cmd  *exec.Cmd
	out  [2]*bytes.Buffer
	file [2]*os.File
	done chan struct{}
	err  error

	limit time.Duration
}

func (c command) start(t *testing.T) *running {
	t.Helper()
	r := &running{cmd: exec.Command(c.args[0], c.args[1:]...), done: make(chan struct{}), limit: patient(cmp.Or(c.limit, deadline))}
	r.cmd.Env, r.cmd.Dir, r.cmd.ExtraFiles = c.env, c.dir, c.extra
	r.cmd.WaitDelay = patient(deadline)
	if in := cmp.Or(c.stdin, it.null); in != nil { // a nil file would be a non-nil reader
		r.cmd.Stdin = in
	}
	r.connect(t, c.files)
	if c.adapt != nil {
		c.adapt(r.cmd)
	}
	if err := it.procs.start(r.cmd); err != nil {
		t.Fatal(err)
	}
	go func() {
		r.err = it.procs.wait(r.cmd)
		close(r.done)
	}()
	t.Cleanup(func() { // after a failed test
		r.cmd.Process.Kill()
		<-r.done
	})
	return r
}

func (r *running) connect(t *testing.T, files bool) {
	var w [2]io.Writer
	for i := range w {
		r.out[i] = &bytes.Buffer{}
		w[i] = r.out[i]
		if files {
			r.file[i] = scratch(t)
			w[i] = r.file[i]
		}
	}
	r.cmd.Stdout, r.cmd.Stderr = w[0], w[1]
}

// scratch is a file without a name.
func scratch(t *testing.T) *os.File {
	t.Helper()
	f, err := os.CreateTemp(it.base, "output")
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(f.Name())
	t.Cleanup(func() { f.Close() })
	return f
}

// wait gives the result, or kills the command after the deadline and fails with a diagnosis.
func (r *running) wait(t *testing.T) result {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(r.limit):
		t.Errorf("%v hangs after %v\n%s", r.cmd.Args, r.limit, diagnosis())
		r.cmd.Process.Kill()
		<-r.done
	}
	return r.result(t)
}

func (r *running) result(t *testing.T) result {
	t.Helper()
	if r.cmd.ProcessState == nil {
		t.Fatalf("%v: %v", r.cmd.Args, r.err)
	}
	res := result{args: r.cmd.Args, stdout: r.out[0].String(), stderr: r.out[1].String(), code: r.cmd.ProcessState.ExitCode()}
	if ws := r.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		res.code = 128 + int(ws.Signal())
	}
	if r.file[0] != nil {
		res.stdout, res.stderr = slurp(r.file[0]), slurp(r.file[1])
	}
	return res
}

// printed is what a command with files has written to stdout so far.
func (r *running) printed() string {
	b, _ := io.ReadAll(io.NewSectionReader(r.file[0], 0, math.MaxInt64))
	return string(b)
}

func slurp(f *os.File) string {
	defer f.Close()
	f.Seek(0, io.SeekStart)
	b, _ := io.ReadAll(f)
	return string(b)
}

func (c command) run(t *testing.T) result {
	t.Helper()
	return c.start(t).wait(t)
}

// diagnosis says what every process of our PID namespace waits for.
func diagnosis() string {
	var s strings.Builder
	for _, p := range processes() {
		read := func(name string) string {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.pid, name))
			return strings.TrimSpace(string(bytes.ReplaceAll(b, []byte{0}, []byte{' '})))
		}
		fmt.Fprintf(&s, "pid %d parent %d (%s) %s in %s: %s\n%s\n", p.pid, p.parent, p.comm, p.state, read("wchan"), read("cmdline"), read("stack"))
	}
	return s.String()
}

// until polls for what the kernel has no event for.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := patient(deadline)
	for end := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v\n%s", what, limit, diagnosis())
		}
	}
}

// until is until for what only a command that still runs can bring about.
func (r *running) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	until(t, what, func() bool {
		select {
		case <-r.done:
			if !ok() {
				t.Fatalf("%v\nended before %s", r.result(t), what)
			}
		default:
		}
		return ok()
	})
}

func killPid(pid int) { unix.Kill(pid, unix.SIGKILL) }
