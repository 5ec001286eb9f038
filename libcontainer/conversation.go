package libcontainer

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
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
	console *console                                   // nil without a terminal
	signals int                                        // readable when a signal has come
	act     func(plan.HostStep) error                  // does one host step of a call
	died    func(unix.WaitStatus) error                // explains an end before `ready`
	source  func(s plan.Step, mounts int) (int, error) // the tree that a step mounts
	files   func(call int) ([]int, error)              // what the cgroups are joined by
	pass    func([]plan.Slot) []int                    // the fds for slots of the plan
	early   *heard                                     // a call that came before the news of its caller
	reaped  bool
	free    bool // the init goes its own way: it is not ours to kill any more
}

// heard is a message, and the fd that came with it or -1.
type heard struct {
	plan.Message
	fd int
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

// follow stays with the init through its forks; each child is ours as well.
func (t *conversation) follow() error {
	for i := range t.plan.Init {
		if t.plan.Init[i].Kind == plan.KindFork {
			if err := t.forked(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// rest hands over the part of the plan for which the init waits, without the fds that its
// first steps have used up.
func (t *conversation) rest() error {
	p, first := *t.plan, t.plan.Rest()
	p.Pass = slices.DeleteFunc(slices.Clone(p.Pass), func(s plan.Slot) bool {
		return s >= plan.SlotGroup && !slices.ContainsFunc(p.Init[first:], func(step plan.Step) bool { return step.In == s })
	})
	return t.told(t.child.Do(&p, t.pass(p.Pass), first))
}

// told turns the broken pipe of an init that is gone, or the reset of one that had not read
// all, into what it was ended by: its last words, or its status.
func (t *conversation) told(err error) error {
	if !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
		return err
	}
	for {
		m, fd, err := t.next()
		if err == io.EOF {
			return t.explain()
		}
		if err == nil && m.Verb == plan.Fail {
			err = failure(t.plan, m, fd)
		}
		if fd >= 0 {
			unix.Close(fd)
		}
		if err != nil {
			return err
		}
	}
}

// forked hears of the child that goes on after the step fork. It has to be reaped whatever it
// says before: the death of its pid namespace would wait for that.
func (t *conversation) forked(fork int) error {
	m, fd, err := t.recvFork()
	if err == nil && m.Verb != plan.Spawned && int(m.Step) > fork { // the child was quicker than the one that tells of it
		t.early = &heard{m, fd}
		return t.forked(fork)
	}
	if fd >= 0 {
		defer unix.Close(fd)
	}
	if err == io.EOF {
		return t.explain()
	}
	if err != nil {
		return err
	}
	if m.Verb != plan.Spawned || int(m.Step) >= len(t.plan.Init) {
		return failure(t.plan, m, fd)
	}
	former, err := t.child.Became(int(m.A))
	if err != nil {
		return err
	}
	if s := t.plan.Init[m.Step]; s.B != plan.CallNone { // else it does not wait
		err = t.steps(int(s.B))
		if err == nil {
			err = t.told(t.child.Done(""))
		}
	}
	if err == nil {
		err = t.reapFormer(former)
	}
	return err
}

// reapFormer: if a signal has ended the one that forked, the child may be dead without its maps,
// and would have less to say of it.
func (t *conversation) reapFormer(pid int) error {
	status, err := nsenter.Reap(pid)
	if err == nil && status != 0 {
		err = t.died(status)
	}
	return err
}

// recvFork is recv, but for an init that dies between its fork and the message: its child has
// the socket, too, and waits.
func (t *conversation) recvFork() (plan.Message, int, error) {
	for {
		message, ended, err := either(t.child.Socket(), t.child.Pidfd)
		switch {
		case err != nil:
			return plan.Message{}, -1, err
		case message:
			return t.child.Recv()
		case ended:
			return plan.Message{}, -1, io.EOF
		}
	}
}

// recv waits for the init, and for a signal that ends the command.
func (t *conversation) recv() (plan.Message, int, error) {
	if t.early != nil {
		return t.next()
	}
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
			return t.next()
		}
	}
}

// next is the message that is there already, or else what the socket brings.
func (t *conversation) next() (plan.Message, int, error) {
	if e := t.early; e != nil {
		t.early = nil
		return e.Message, e.fd, nil
	}
	return t.child.Recv()
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

// kill ends the init, once. A child that it has forked and not told of yet, maybe in the group
// that is to be removed, waits for an answer until the socket is closed (TestEnded, on v2).
func (t *conversation) kill() (err error) {
	if !t.reaped {
		t.reaped = true
		err = t.child.Kill()
	}
	t.child.Close()
	return err
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
	if err := t.steps(int(m.A)); err != nil {
		return err
	}
	text, out, err := t.gather(m, fd)
	if err == nil {
		err = t.told(t.child.Done(text, out...))
	}
	closeAll(out)
	return err
}

// steps does the host steps of a call.
func (t *conversation) steps(call int) error {
	for _, s := range t.plan.Host {
		if call != plan.CallNone && s.Call == call {
			if err := t.act(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// gather is what the init asked for: HOME, the seccomp program, the source of a mount, or the
// files to join the cgroups by.
func (t *conversation) gather(m plan.Message, fd int) (text string, out []int, err error) {
	one := -1
	if m.A == plan.CallTree && int(m.Step) < len(t.plan.Init) {
		one, err = t.source(t.plan.Init[m.Step], fd)
	}
	for _, s := range t.plan.Host {
		switch {
		case err != nil || s.Call != int(m.A):
		case s.Act == plan.ActHome:
			text = home(fd, uint32(s.A)) + "\x00"
		case s.Act == plan.ActListen:
			var pid int
			pid, err = kernel.InnerPid(t.child.Pid)
			text += "LISTEN_PID=" + strconv.Itoa(pid) + "\x00"
		case s.Act == plan.ActJoin:
			out, err = t.files(s.Call)
		case s.Act == plan.ActTerminal:
			err = t.console.take(fd, s)
		case s.Act == plan.ActFilter:
			one, err = t.filter.memfd()
		}
	}
	if one >= 0 {
		out = []int{one}
	}
	return strings.TrimSuffix(text, "\x00"), out, err
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
