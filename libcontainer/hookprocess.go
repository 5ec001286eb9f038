package libcontainer

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/compile"
	"rt/internal/errs"
	"rt/internal/kernel"
	"rt/internal/signals"
)

// hookProcess is one hook while it runs. rt waits for it in one poll(2): for its end, its
// output, its time-out, a signal, the container's end.
type hookProcess struct {
	what    string
	began   time.Time
	timeout time.Duration // 0: none
	stdin   int           // the state
	write   int           // the output's end for the hook
	output  int           // ours
	tail    []byte        // the end of the output
	pid     int           // also of its process group; 0 before it is started
	pidfd   int
	init    int // pidfd of the container's init, whose death ends the hook; -1: it does not
	signals int
	talk    *conversation // of a hook inside, up to its execve
	joined  bool          // it is a hook inside
	ready   bool          // such a hook was told to go on
}

// tailMax is how much of a hook's output an error shows, in bytes.
const tailMax = 1024

// inThread calls f in a thread that ends with it: the parent-death signal comes when the
// thread that forked dies, and setns(2) counts for one thread.
func inThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked
		done <- f()
	}()
	return <-done
}

// newHookProcess makes what a hook reads from and writes to. The output is a pipe, of which
// only the end is kept; the state is a file, because it may be larger than a pipe holds.
func newHookProcess(what string, state []byte, timeout *int, signals int) (*hookProcess, error) {
	p := &hookProcess{what: what, began: time.Now(), stdin: -1, write: -1, output: -1, pidfd: -1, init: -1, signals: signals}
	if timeout != nil {
		p.timeout = time.Duration(min(int64(*timeout), math.MaxInt64/int64(time.Second))) * time.Second
	}
	var ends [2]int
	err := unix.Pipe2(ends[:], unix.O_CLOEXEC)
	if err != nil {
		return nil, errs.Op("make a pipe", "", err)
	}
	p.output, p.write = ends[0], ends[1]
	if err = unix.SetNonblock(p.output, true); err == nil {
		p.stdin, err = memfd("rt-state", state)
	}
	if err != nil {
		p.close()
		return nil, errs.Op("make the hook's streams", "", err)
	}
	return p, nil
}

// memfd is a file in memory, to be read from its start.
func memfd(name string, body []byte) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return -1, err
	}
	if err = kernel.WriteAll(fd, body); err == nil {
		_, err = unix.Seek(fd, 0, io.SeekStart)
	}
	if err != nil {
		unix.Close(fd)
	}
	return fd, err
}

// fork starts a hook in the namespaces of rt. What the caller of rt left open is not for it.
func (p *hookProcess) fork(dir string, hook specs.Hook) error {
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return errs.Op("mark the open files close-on-exec", "", err)
	}
	pid, err := syscall.ForkExec(hook.Path, compile.Argv(hook), &syscall.ProcAttr{
		Dir: dir, Env: hook.Env, Files: []uintptr{uintptr(p.stdin), uintptr(p.write), uintptr(p.write)},
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL, PidFD: &p.pidfd},
	})
	if err != nil {
		return err
	}
	p.started(pid, p.pidfd)
	return nil
}

func (p *hookProcess) started(pid, pidfd int) {
	p.pid, p.pidfd = pid, pidfd
	unix.Close(p.write)
	p.write = -1
}

// wait is nil if the hook ends by itself with the status 0.
func (p *hookProcess) wait() error {
	for {
		seen, err := p.poll()
		if err != nil {
			return p.end(err)
		}
		if seen.output {
			p.read()
		}
		switch {
		case seen.talk:
			err = p.hear()
		case seen.ended:
			return p.status()
		case seen.init:
			err = errors.New("killed: the container's init has died")
		case seen.signal:
			err = p.heed()
		case p.timeout > 0 && p.left() == 0:
			err = errs.New(errs.Timeout, "killed: it has not ended within its timeout of "+p.timeout.String())
		}
		if err != nil {
			return p.end(err)
		}
	}
}

// seen is what poll found.
type seen struct{ output, talk, ended, init, signal bool }

func (p *hookProcess) poll() (seen, error) {
	talk := -1
	if p.talk != nil {
		if p.talk.early != nil {
			return seen{talk: true}, nil
		}
		talk = p.talk.child.Socket()
	}
	var fds [5]unix.PollFd
	for i, fd := range [...]int{p.output, talk, p.pidfd, p.init, p.signals} { // one below 0 is left out
		fds[i] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	}
	_, err := unix.Poll(fds[:], p.left())
	if err == unix.EINTR {
		return seen{}, nil
	}
	on := func(i int) bool { return fds[i].Revents != 0 }
	return seen{on(0), on(1), on(2), on(3), on(4)}, errs.Op("wait for the hook", "", err)
}

// left is the time up to the time-out, in milliseconds, or -1.
func (p *hookProcess) left() int {
	if p.timeout == 0 {
		return -1
	}
	ms := (p.timeout - time.Since(p.began) + time.Millisecond - 1).Milliseconds()
	return int(max(0, min(ms, math.MaxInt32)))
}

// read takes what the pipe holds, and keeps its end. A process that the hook has left behind
// may have the pipe open for ever: its end of file is not waited for.
func (p *hookProcess) read() {
	var buf [4096]byte
	n, err := unix.Read(p.output, buf[:])
	if n <= 0 && err != unix.EAGAIN && err != unix.EINTR {
		unix.Close(p.output)
		p.output = -1
		return
	}
	p.tail = append(p.tail, buf[:max(n, 0)]...)
	p.tail = p.tail[max(0, len(p.tail)-tailMax):]
}

// drain reads what is left when the hook has ended, at most as much as a pipe holds.
func (p *hookProcess) drain() {
	for range 16 {
		if p.output >= 0 {
			p.read()
		}
	}
}

// hear goes on with the talk to the init of a hook inside. Its end of file is the execve.
func (p *hookProcess) hear() error {
	m, fd, err := p.talk.next()
	if err == io.EOF {
		p.talk.child.Close()
		p.talk = nil
		return nil
	}
	if err != nil {
		return err
	}
	if fd >= 0 {
		defer unix.Close(fd)
	}
	p.ready = p.ready || isReady(m)
	err = p.talk.answer(m, fd)
	p.reaped()
	return err
}

// reaped: the talk has waited for an init that was gone when it was told something.
func (p *hookProcess) reaped() {
	if p.talk.reaped {
		p.pid = 0
	}
}

func diedEarly(status unix.WaitStatus) error {
	return errors.New("died before its execve: " + describe(status))
}

// heed is an error if a signal wants the command to end.
func (p *hookProcess) heed() error {
	for s := signals.Next(p.signals); s != 0; s = signals.Next(p.signals) {
		if signals.Ends(s) {
			return fmt.Errorf("killed: %s was ended by %s", p.what, unix.SignalName(s))
		}
	}
	return nil
}

// status reaps the hook.
func (p *hookProcess) status() error {
	p.drain()
	status, err := p.reap()
	switch {
	case err != nil:
		return err
	case p.joined && !p.ready:
		return diedEarly(status)
	case status.Exited() && status.ExitStatus() == 0:
		return nil
	}
	after := strconv.FormatFloat(time.Since(p.began).Seconds(), 'f', 3, 64)
	return p.with(errors.New(describe(status) + " after " + after + " s"))
}

// with adds the end of the output to an error. A hook inside may be the image's: nothing it
// writes reaches a terminal as it is.
func (p *hookProcess) with(err error) error {
	text := strings.TrimSpace(string(p.tail))
	if text == "" {
		return err
	}
	return fmt.Errorf("%w, output %q", err, text)
}

// end kills the hook and all that it has started in its process group.
func (p *hookProcess) end(why error) error {
	if err := p.kill(); err != nil {
		return errors.Join(why, err)
	}
	p.drain()
	return p.with(why)
}

// kill signals the group as long as its leader is not reaped: the number is its own till then.
func (p *hookProcess) kill() error {
	if p.pid == 0 {
		return nil
	}
	unix.Kill(-p.pid, unix.SIGKILL)
	unix.PidfdSendSignal(p.pidfd, unix.SIGKILL, nil, 0)
	if err := awaitEnd(p.pidfd, teardown); err != nil {
		return errs.Op("kill the hook, pid", itoa(p.pid), err)
	}
	_, err := p.reap()
	return err
}

// awaitEnd waits until the process of a pidfd has ended.
func awaitEnd(pidfd int, longest time.Duration) error {
	until := time.Now().Add(longest)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(max(0, time.Until(until).Milliseconds())))
		if err == unix.EINTR {
			continue
		}
		if err == nil && n == 0 {
			err = errs.New(errs.Timeout, "it has not died of SIGKILL after "+longest.String())
		}
		return err
	}
}

func (p *hookProcess) reap() (unix.WaitStatus, error) {
	var status unix.WaitStatus
	_, err := unix.Wait4(p.pid, &status, 0, nil)
	for err == unix.EINTR {
		_, err = unix.Wait4(p.pid, &status, 0, nil)
	}
	p.pid = 0
	return status, errs.Op("wait for the hook", "", err)
}

// close lets go of everything; a hook that could not be waited for does not outlive it.
func (p *hookProcess) close() {
	p.kill()
	if p.talk != nil {
		p.talk.child.Close()
	}
	for _, fd := range []int{p.stdin, p.write, p.output, p.pidfd} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}
