package nsenter

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/plan"
)

// interfaceUp asks for the flags of an interface in the init's network namespace.
func (p *probe) interfaceUp(name string) bool {
	p.t.Helper()
	var flags uint16
	err := onThread(func() error {
		ns, err := unix.Open(p.path("ns/net"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(ns)
		if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
			return err
		}
		sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(sock)
		request, err := unix.NewIfreq(name)
		if err == nil {
			err = unix.IoctlIfreq(sock, unix.SIOCGIFFLAGS, request)
		}
		flags = request.Uint16()
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return flags&unix.IFF_UP != 0
}

// onThread runs f on a thread that ends with it: f may change what it likes of the thread.
// The first thread never ends, and is what /proc/self shows.
func onThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			result <- onThread(f)
			return
		}
		result <- f()
	}()
	return <-result
}

// TestEndOfFile: an init whose parent is gone ends, at whatever call.
func TestEndOfFile(t *testing.T) {
	needRoot(t)
	for _, flags := range []uint16{0, plan.CallText} {
		for _, out := range []plan.Slot{plan.SlotNone, plan.SlotFilter} {
			t.Run(fmt.Sprint(flags, out), func(t *testing.T) {
				w := newWorld(t)
				w.Call(plan.CallFilter, flags, plan.SlotNone, out)
				w.Exec("")
				p := w.run()
				p.called()
				p.Close()
				equal(t, "exit status", p.wait().ExitStatus(), 1)
			})
		}
	}
}

// TestEndOfFileFirst: the parent may be gone before the first call.
func TestEndOfFileFirst(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.stop()
	w.Exec("")
	p := w.run()
	p.Close()
	equal(t, "exit status", p.wait().ExitStatus(), 1)
}

// TestAnswers: text and fds of an answer arrive, and an fd goes along with a call.
func TestAnswers(t *testing.T) {
	needRoot(t)
	for _, r := range []struct{ name, text, want string }{
		{"text", "HOME=/home/x", "A=b\x00HOME=/home/x\x00"},
		{"longest text", "HOME=" + strings.Repeat("x", plan.TextMax-6), "A=b\x00HOME=" + strings.Repeat("x", plan.TextMax-6) + "\x00"},
		{"no text", "", "A=b\x00"},
		{"two variables", "HOME=/x\x00LISTEN_PID=7", "A=b\x00HOME=/x\x00LISTEN_PID=7\x00"},
		{"a third one has no place", "B=1\x00C=2\x00D=3", "A=b\x00B=1\x00C=2\x00"},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.env, w.args = []string{"A=b"}, []string{"cat", "/proc/self/environ"}
			w.Open(w.file("f", "text", 0o644), unix.O_RDONLY, 0, plan.SlotRoot)
			w.Call(plan.CallCgroup, plan.CallText, plan.SlotRoot, plan.SlotFilter)
			w.Filter("", 0)
			w.Find("", "/bin/cat")
			w.Exec("cat")
			in, out, _ := os.Pipe()
			w.stdio[1] = int(out.Fd())
			p := w.run()
			out.Close()
			ready(t, "the init", p.Socket())
			m, fd, err := p.Recv()
			equal(t, "call", m, plan.Message{Verb: plan.CallVerb, Step: 1, A: plan.CallCgroup})
			equal(t, "error", err, nil)
			buf := make([]byte, 8)
			n, _ := unix.Read(fd, buf)
			unix.Close(fd)
			equal(t, "content of the fd", string(buf[:n]), "text")
			equal(t, "error", p.Done(r.text, w.memfd(allow)), nil)
			p.executed()
			p.wait()
			got, _ := io.ReadAll(in)
			equal(t, "environment", string(got), r.want)
		})
	}
	c := &Child{sock: -1}
	equal(t, "a text that is too long", errs.KindOf(c.Done(strings.Repeat("x", plan.TextMax))), errs.Invalid)
}

// TestStrangeAnswers: an init that hears nonsense ends.
func TestStrangeAnswers(t *testing.T) {
	needRoot(t)
	for _, answer := range []string{"short", string(plan.Message{Verb: plan.Fail}.Append(nil)), string(plan.Message{}.Append(nil))} {
		w := newWorld(t)
		w.stop()
		w.Exec("")
		p := w.run()
		p.called()
		unix.Write(p.Socket(), []byte(answer))
		p.executed() // or rather not: the end of file, and no FAIL
		equal(t, "exit status", p.wait().ExitStatus(), 1)
	}
}

// TestWait: one byte on the fifo starts the workload, once the parent has let go; who
// started it hears of a failure by the other fifo.
func TestWait(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	var start, started [2]int
	unix.Pipe2(start[:], unix.O_CLOEXEC)
	unix.Pipe2(started[:], unix.O_CLOEXEC)
	w.handOver(plan.SlotStart, start[0])
	w.handOver(plan.SlotStarted, started[1])
	w.Find("", w.file("x", "#!/nosuch\n", 0o755))
	w.stop()
	w.Close(plan.SlotSock)
	w.Wait()
	w.Exec("x")
	p := w.run()
	unix.Close(start[0])
	unix.Close(started[1])
	p.called()
	p.Done("")
	p.executed() // the end of file, because the init has closed the socket
	if _, err := unix.Poll([]unix.PollFd{{Fd: int32(started[0]), Events: unix.POLLIN}}, 50); err != nil {
		t.Error(err)
	}
	unix.Write(start[1], []byte{0})
	ready(t, "the fifo", started[0])
	buf := make([]byte, 64)
	n, _ := unix.Read(started[0], buf)
	m, ok := plan.ParseMessage(buf[:n])
	equal(t, "message", ok && n == plan.MessageSize, true)
	equal(t, "failure", m, plan.Message{Verb: plan.Fail, Step: 4, A: int32(unix.ENOENT)})
	equal(t, "exit status", p.wait().ExitStatus(), 1)
}

// TestWaitEnds: all writers gone is no start.
func TestWaitEnds(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	var start [2]int
	unix.Pipe2(start[:], unix.O_CLOEXEC)
	w.handOver(plan.SlotStart, start[0])
	w.Wait()
	w.Exec("")
	p := w.run()
	unix.Close(start[0])
	unix.Close(start[1])
	got, _ := p.failed()
	equal(t, "failure", got, failure{plan.KindWait, unix.EPIPE, 0})
}

// TestSignals: before execve the init ends by these, even as PID 1 of its namespace.
func TestSignals(t *testing.T) {
	needRoot(t)
	for _, s := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT} {
		for _, namespaces := range []uint64{0, unix.CLONE_NEWPID} {
			w := newWorld(t)
			w.Plan.Namespaces = namespaces
			w.stop()
			p := w.run()
			p.called()
			unix.PidfdSendSignal(p.Pidfd, s, nil, 0)
			equal(t, fmt.Sprint(s, namespaces), p.wait().ExitStatus(), 128+int(s))
		}
	}
}

// TestDispositions: what the caller ignores or blocks does not reach the workload.
func TestDispositions(t *testing.T) {
	needRoot(t)
	var out bytes.Buffer
	runHelper(t, "dispositions", &out)
	equal(t, "signals", out.String(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n")
}

// TestName: nobody takes it for the host's rt.
func TestName(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.stop()
	p := w.run()
	p.called()
	equal(t, "name", p.status("Name"), "rt-init")
	equal(t, "command line", strings.Fields(p.proc("cmdline"))[0][:7], "rt-init")
	equal(t, "environment", p.proc("environ"), "")
}

// TestStrayDescriptors: fds that the caller leaked are closed, those to be preserved are not.
func TestStrayDescriptors(t *testing.T) {
	needRoot(t)
	var out bytes.Buffer
	runHelper(t, "stray", &out)
	equal(t, "fds of the init and of the workload", out.String(), "init: 0 1 2 3 4\nworkload: 0 1 2 3 4\n")
}

// helpStray runs with a stray fd 90, and one to be preserved at 3. The init's own is the
// socket, 4; the shell's 4 is the directory that it lists.
func helpStray() error {
	if err := unix.Dup3(1, 90, 0); err != nil {
		return err
	}
	c, err := spawn(strayPlan())
	if err != nil {
		return err
	}
	if _, _, err := c.Recv(); err != nil {
		return err
	}
	entries, err := os.ReadDir("/proc/" + strconv.Itoa(c.Pid) + "/fd")
	if err != nil {
		return err
	}
	var fds []string
	for _, e := range entries {
		fds = append(fds, e.Name())
	}
	fmt.Println("init:", strings.Join(fds, " "))
	c.Done("")
	_, err = c.Wait()
	return err
}

func strayPlan() *plan.Plan {
	b := &plan.Builder{Plan: plan.Plan{Preserve: 1, Args: []string{"sh", "-c", "cd /proc/$$/fd; echo workload: *"}}}
	b.Find("", "/bin/sh")
	b.Call(plan.CallReady, 0, plan.SlotNone, plan.SlotNone)
	b.Exec("sh")
	return &b.Plan
}
