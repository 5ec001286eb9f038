package libcontainer

import (
	"time"

	"golang.org/x/sys/unix"

	"rt/internal/compile"
	"rt/internal/errs"
	"rt/internal/sdnotify"
)

// dirNotify, in the container's directory, is what the container sees as
// compile.NotifyDir; only root gets to it on the host.
const dirNotify = "notify"

const (
	barrierWait = 30 * time.Second      // for the service manager to read what was sent
	lastWords   = 2 * time.Second       // for what the workload said before it ended
	afterReady  = 50 * time.Millisecond // for the barrier that mostly follows READY=1 at once, sd_notify_barrier(3)
)

// makeNotifyDir makes the directory for the socket; run, which starts at once, makes the
// socket, too.
func (c *creation) makeNotifyDir(run bool) (err error) {
	if c.Notify == "" {
		return nil
	}
	dir := c.dir + "/" + dirNotify
	if err = unix.Mkdir(dir, 0o755); err == nil {
		err = unix.Chmod(dir, 0o755) // the umask is the caller's
	}
	if err == nil && run {
		c.notify, err = sdnotify.Listen(dir, compile.NotifyName)
	}
	return errs.Op("make", dir, err)
}

// removeNotifyDir removes what a container that was made under a service manager has besides.
func removeNotifyDir(dir string) error {
	dir += "/" + dirNotify
	if err := unix.Unlink(dir + "/" + compile.NotifyName); err != nil && err != unix.ENOENT {
		return errs.Op("remove", dir+"/"+compile.NotifyName, err)
	}
	if err := unix.Rmdir(dir); err != unix.ENOENT {
		return errs.Op("remove", dir, err)
	}
	return nil
}

// readiness is a wait for the workload's READY=1.
type readiness struct {
	Root
	socket *sdnotify.Socket // nil: nothing to wait for
	pidfd  int              // of the init
	pid    int
}

// awaits makes the socket of a created container that is about to be started.
func (r Root) awaits(c *container) (*readiness, error) {
	w := &readiness{Root: r, pidfd: -1, pid: c.Pid}
	if r.Notify == "" {
		return w, nil
	}
	if err := sdnotify.Check(r.Notify); err != nil {
		return nil, err
	}
	dir := c.dir + "/" + dirNotify
	if unix.Access(dir, unix.F_OK) != nil {
		r.Warn("NOTIFY_SOCKET was not set when the container was created: nobody will hear when it is ready")
		return w, nil
	}
	var err error
	if w.pidfd, err = c.pidfd(); err == unix.ESRCH {
		return nil, must("cannot start a container that has stopped")
	}
	if err != nil {
		return nil, err
	}
	if w.socket, err = sdnotify.Listen(dir, compile.NotifyName); err != nil {
		unix.Close(w.pidfd)
	}
	return w, err
}

func (w *readiness) close() {
	if w.socket != nil {
		w.socket.Close()
		unix.Close(w.pidfd)
	}
}

// wait returns when the workload has said READY=1 and the service manager has read it, or
// when the workload has ended. heed tells of a signal that ends the command: interrupt can be
// read then; it may be -1.
func (w *readiness) wait(interrupt int, heed func() error) error {
	if w.socket == nil || !w.reached() {
		return nil
	}
	for {
		ended, err := w.poll(interrupt)
		if err == nil {
			err = heed()
		}
		if err != nil {
			return err
		}
		if w.hear(ended) || ended {
			return nil
		}
		time.Sleep(sdnotify.Pause)
	}
}

// hear passes on one message, or all that an ended workload has left. With READY=1 the
// manager must have read it and the new main pid before this process, the old one, ends.
func (w *readiness) hear(ended bool) (ready bool) {
	pass := w.socket.Pass
	if ended {
		w.socket.HangUp()
		pass = w.socket.Rest
	}
	ready, err := pass(w.Notify, w.pid)
	if ready && err == nil {
		err = sdnotify.Barrier(w.Notify, barrierWait)
	}
	if ready && err == nil {
		unix.Poll([]unix.PollFd{{Fd: int32(w.socket.FD), Events: unix.POLLIN}}, int(afterReady.Milliseconds()))
		w.socket.HangUp()
		_, err = w.socket.Rest(w.Notify, 0)
	}
	if err != nil && err != unix.EAGAIN {
		w.Warn("NOTIFY_SOCKET: " + err.Error())
	}
	return ready
}

// reached: a manager that is gone needs no answer, and the container runs without it.
func (w *readiness) reached() bool {
	err := sdnotify.Reach(w.Notify)
	if err != nil {
		w.Warn("NOTIFY_SOCKET: nobody will hear when the container is ready: " + err.Error())
	}
	return err == nil
}

// poll waits for a message, the init's end, or a signal.
func (w *readiness) poll(interrupt int) (ended bool, err error) {
	fds := []unix.PollFd{
		{Fd: int32(w.socket.FD), Events: unix.POLLIN}, {Fd: int32(w.pidfd), Events: unix.POLLIN}, {Fd: int32(interrupt), Events: unix.POLLIN},
	}
	if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
		return false, errs.Op("wait for READY=1", "", err)
	}
	return fds[1].Revents != 0, nil
}

// awaitReady is the wait of `run --detach`. The container is made: others may have its lock.
func (c *creation) awaitReady() error {
	if c.notify == nil {
		return nil
	}
	c.lock.release()
	c.lock.fd = -1
	w := &readiness{Root: c.Root, socket: c.notify, pidfd: c.talk.child.Pidfd, pid: c.talk.child.Pid}
	return w.wait(c.talk.signals, c.talk.heed)
}

// speakFor passes on what the workload says for as long as it runs: this process stays the
// unit's main one. The function that it gives ends that.
func (c *creation) speakFor() func() {
	if c.notify == nil {
		return func() {}
	}
	done := make(chan error, 1)
	go func() { done <- c.notify.Relay(c.Notify) }()
	return func() {
		c.notify.HangUp()
		select {
		case err := <-done:
			if err != nil {
				c.Warn("NOTIFY_SOCKET: " + err.Error())
			}
		case <-time.After(lastWords):
			c.Warn("NOTIFY_SOCKET: the service manager does not read")
		}
	}
}
