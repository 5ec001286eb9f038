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
	defer l.release()
	status, err := c.status()
	if err != nil {
		return err
	}
	switch status {
	case stopped, creating:
		return must("cannot start a container that has stopped")
	case running:
		return must("cannot start an already running container")
	case paused:
		return must("cannot start a paused container")
	}
	return c.start()
}

// start sends the byte and waits for the end of file that execve makes.
func (c *container) start() error {
	started, err := unix.Open(c.dir+"/"+fileStarted, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return errs.Op("open", fileStarted, err)
	}
	defer unix.Close(started)
	// The kernel releases the files that an execve closes one after another: `start` may
	// still have its reader when `started` has no writer any more, and then never tells an end.
	if n, err := unix.Read(started, make([]byte, 1)); n == 0 && err == nil {
		return must("cannot start an already running container")
	}
	fifo, err := unix.Open(c.dir+"/"+fileStart, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == unix.ENXIO { // it died after we looked
		return must("cannot start a container that has stopped")
	}
	if err == nil {
		_, err = unix.Write(fifo, []byte{1})
		unix.Close(fifo)
	}
	if err != nil {
		return errs.Op("write to", fileStart, err)
	}
	return c.heard(started)
}

// heard reads what the init says: 16 bytes are a FAIL, the end of file is none.
func (c *container) heard(started int) error {
	fds := []unix.PollFd{{Fd: int32(started), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(startWait.Milliseconds()))
	for err == unix.EINTR {
		n, err = unix.Poll(fds, int(startWait.Milliseconds()))
	}
	if err != nil {
		return errs.Op("wait for", fileStarted, err)
	}
	if n == 0 {
		return &errs.Error{Op: "start", Path: c.ID, Kind: errs.Timeout, Err: errs.New(errs.Timeout, "execve has not come back yet")}
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

func (c *container) arg0() string {
	doc, err := config.Load(c.dir + "/" + fileConfig)
	if err != nil || doc.Spec.Process == nil || len(doc.Spec.Process.Args) == 0 {
		return ""
	}
	return doc.Spec.Process.Args[0]
}
