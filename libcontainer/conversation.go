package libcontainer

import (
	"io"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/plan"
	"rt/internal/signals"
	"rt/nsenter"
)

// conversation is the parent's side of the protocol, for a container or an exec:
// docs/protocol.md draws it.
type conversation struct {
	what    string // "create web", for messages
	plan    *plan.Plan
	child   *nsenter.Child
	filter  filterSource
	console *console                    // nil without a terminal
	signals int                         // readable when a signal has come
	act     func(plan.HostStep) error   // does one host step of a call
	died    func(unix.WaitStatus) error // explains an end before `ready`
	reaped  bool
	free    bool // the init goes its own way: it is not ours to kill any more
}

// serve answers the init's calls until it is ready.
func (t *conversation) serve() error {
	for {
		m, fd, err := t.recv()
		if err == io.EOF {
			return t.explain()
		}
		if err != nil {
			return err
		}
		err = t.answer(m, fd)
		if fd >= 0 {
			unix.Close(fd)
		}
		if err != nil || m.A == plan.CallReady {
			return err
		}
	}
}

// recv waits for the init, and for a signal that ends the command.
func (t *conversation) recv() (plan.Message, int, error) {
	for {
		message, signal, err := either(t.child.Socket(), t.signals)
		if err != nil {
			return plan.Message{}, -1, err
		}
		if signal {
			if err := t.heed(); err != nil {
				return plan.Message{}, -1, err
			}
		}
		if message {
			return t.child.Recv()
		}
	}
}

// heed is an error if a signal wants the command to end.
func (t *conversation) heed() error {
	for s := signals.Next(t.signals); s != 0; s = signals.Next(t.signals) {
		if signals.Ends(s) {
			return &errs.Error{Op: t.what, Kind: errs.Internal, Err: errs.New(errs.Internal, "ended by "+unix.SignalName(s))}
		}
	}
	return nil
}

// explain says why the socket was closed too early.
func (t *conversation) explain() error {
	status, err := t.wait()
	if err != nil {
		return err
	}
	return t.died(status)
}

// kill ends the init, once.
func (t *conversation) kill() error {
	if t.reaped {
		return nil
	}
	t.reaped = true
	return t.child.Kill()
}

func (t *conversation) wait() (unix.WaitStatus, error) {
	t.reaped = true
	return t.child.Wait()
}

// answer does the host steps of a call, and answers it.
func (t *conversation) answer(m plan.Message, fd int) error {
	if m.Verb != plan.CallVerb {
		return failure(t.plan, m, fd)
	}
	for _, s := range t.plan.Host {
		if s.Call == int(m.A) {
			if err := t.act(s); err != nil {
				return err
			}
		}
	}
	text, out, err := t.gather(int(m.A), fd)
	if err != nil {
		return err
	}
	err = t.child.Done(text, out)
	if out >= 0 {
		unix.Close(out)
	}
	return err
}

// gather is what the init asked for: HOME, or the seccomp program. fd is what it sent.
func (t *conversation) gather(call, fd int) (text string, out int, err error) {
	out = -1
	for _, s := range t.plan.Host {
		switch {
		case err != nil || s.Call != call:
		case s.Act == plan.ActHome:
			text = home(fd, uint32(s.A))
		case s.Act == plan.ActFilter:
			out, err = t.filter.memfd()
		case s.Act == plan.ActTerminal:
			err = t.console.take(fd, s)
		}
	}
	return text, out, err
}

// executed waits for the end of file that execve makes of the socket: after `ready` the
// init says nothing but FAIL.
func (t *conversation) executed() error {
	m, fd, err := t.recv()
	if err == io.EOF {
		t.free = true
		return nil
	}
	if err != nil {
		return err
	}
	if fd >= 0 {
		defer unix.Close(fd)
	}
	if int(m.Step) < len(t.plan.Init) && t.plan.Init[m.Step].Kind == plan.KindExec {
		return execFailure(t.plan.Args[0], unix.Errno(m.A))
	}
	return failure(t.plan, m, fd)
}

// supervise stands for the workload: signals go to it, its end is ours. It gives the exit
// code, 128+n for signal n.
func (t *conversation) supervise() (int, error) {
	if t.console.stays() {
		return t.attend()
	}
	for {
		ended, signal, err := either(t.child.Pidfd, t.signals)
		if err != nil {
			return 1, err
		}
		if signal {
			unix.PidfdSendSignal(t.child.Pidfd, signals.Next(t.signals), nil, 0)
		}
		if ended {
			status, err := t.wait()
			return exitCode(status), err
		}
	}
}

// close ends an init that got no further, and lets go of any other.
func (t *conversation) close() {
	t.console.close()
	if t.child == nil {
		return
	}
	if !t.free {
		t.kill()
	}
	t.child.Close()
	unix.Close(t.child.Pidfd)
}

// either waits until one of two fds can be read; it tells which.
func either(a, b int) (first, second bool, err error) {
	fds := []unix.PollFd{{Fd: int32(a), Events: unix.POLLIN}, {Fd: int32(b), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		if err == unix.EINTR {
			continue
		}
		return fds[0].Revents != 0, fds[1].Revents != 0, errs.Op("wait", "", err)
	}
}
