package libcontainer

import (
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

// status is derived each time, never stored.
//
//	creating → created → running ⇄ paused
//	     \         \         \
//	      `---------`---------`──▶ stopped
type status string

const (
	creating status = "creating"
	created  status = "created"
	running  status = "running"
	paused   status = "paused"
	stopped  status = "stopped"
)

// status: the init is dead → stopped; it still waits for the byte → created; its cgroup is
// frozen by itself, not by a parent → paused; else running.
func (c *container) status() (status, error) {
	if !c.alive() {
		if _, alive := c.creator(); alive && !c.created {
			return creating, nil
		}
		return stopped, nil
	}
	if !c.created {
		return creating, nil
	}
	frozen, err := c.group().Frozen()
	switch {
	case err != nil:
		return "", err
	case frozen:
		return paused, nil
	case c.waits():
		return created, nil
	}
	return running, nil
}

// alive tells whether the init is the process that was recorded, and lives.
func (c *container) alive() bool {
	if c.Pid == 0 || !c.booted {
		return false
	}
	p, err := kernel.ReadProcess(c.Pid)
	return err == nil && p.Start == c.PidStart && !p.Dead
}

// creator is the process that makes the container, if it lives. It is older than the init:
// one that is younger has got its pid since.
func (c *container) creator() (kernel.Process, bool) {
	if c.Creator == 0 || !c.booted {
		return kernel.Process{}, false
	}
	p, err := kernel.ReadProcess(c.Creator)
	return p, err == nil && !p.Dead && p.Start <= c.PidStart
}

// waits tells whether the init waits for start: it holds the fifo open until execve
// closes it. Opening the fifo for writing has no effect that anybody could see.
func (c *container) waits() bool {
	fd, err := unix.Open(c.dir+"/"+fileStart, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// must gives the error text for a command that needs another state.
func must(text string) error { return errs.New(errs.State, text) }
