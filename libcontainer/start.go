package libcontainer

import (
	"time"

	"golang.org/x/sys/unix"

	"rt/internal/config"
	"rt/internal/errs"
	"rt/internal/plan"
)

// startWait is how long an execve may take, for instance from a slow file system.
const startWait = 60 * time.Second

// Start lets the init of a created container become the workload.
func (r Root) Start(id string) error {
	c, err := r.load(id)
	if err != nil {
		return err
	}
	l, err := acquire(c.dir, "start", lockWait)
	if err != nil {
		return err
	}
	w, err := r.startLocked(c)
	l.release()
	if err != nil {
		return err
	}
	defer w.close()
	return w.wait(-1, func() error { return nil })
}

func (r Root) startLocked(c *container) (*readiness, error) {
	status, err := c.status()
	if err != nil {
		return nil, err
	}
	switch status {
	case stopped, creating:
		return nil, must("cannot start a container that has stopped")
	case running:
		return nil, must("cannot start an already running container")
	case paused:
		return nil, must("cannot start a paused container")
	}
	w, err := r.awaits(c)
	if err != nil {
		return nil, err
	}
	start := c.start
	if c.Hooks {
		start = c.startWithHooks
	}
	if err := start(); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// start sends the byte and waits for the end of file that execve makes.
func (c *container) start() error {
	started, err := unix.Open(c.dir+"/"+fileStarted, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return errs.Op("open", fileStarted, err)
	}
	defer unix.Close(started)
	// An end of file now means that somebody else's start was first; poll(2) would not tell it.
	if n, err := unix.Read(started, make([]byte, 1)); n == 0 && err == nil {
		return must("cannot start an already running container")
	}
	fifo, err := unix.Open(c.dir+"/"+fileStart, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == unix.ENXIO { // it died after we looked
		return must("cannot start a container that has stopped")
	}
	if err != nil {
		return errs.Op("open", fileStart, err)
	}
	defer unix.Close(fifo)
	if _, err = unix.Write(fifo, []byte{1}); err != nil {
		return errs.Op("write to", fileStart, err)
	}
	if err := c.heard(started); err != nil {
		return err
	}
	return c.await(fifo, 0) // POLLERR: without a reader of `start` the status is running
}

// heard reads what the init says: 16 bytes are a FAIL, the end of file is none.
func (c *container) heard(started int) error {
	if err := c.await(started, unix.POLLIN); err != nil {
		return err
	}
	var buf [plan.MessageSize]byte
	got, err := unix.Read(started, buf[:])
	if err != nil || got == 0 {
		return errs.Op("read", fileStarted, err)
	}
	m, ok := plan.ParseMessage(buf[:got])
	if !ok || m.Verb != plan.Fail {
		return errs.New(errs.Internal, "the init sent an unknown message")
	}
	return execFailure(c.arg0(), unix.Errno(m.A))
}

// await waits for events of fd, or for its other end to go: the kernel releases the two
// fifos that an execve closes one after the other.
func (c *container) await(fd int, events int16) error {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	n, err := unix.Poll(fds, int(startWait.Milliseconds()))
	for err == unix.EINTR {
		n, err = unix.Poll(fds, int(startWait.Milliseconds()))
	}
	if err == nil && n == 0 {
		err = &errs.Error{Op: "start", Path: c.ID, Kind: errs.Timeout, Err: errs.New(errs.Timeout, "execve has not come back yet")}
	}
	return errs.Op("wait for the init of", c.ID, err)
}

func (c *container) arg0() string {
	doc, err := config.Load(c.dir + "/" + fileConfig)
	if err != nil || doc.Spec.Process == nil || len(doc.Spec.Process.Args) == 0 {
		return ""
	}
	return doc.Spec.Process.Args[0]
}
