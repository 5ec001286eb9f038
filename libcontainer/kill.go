package libcontainer

import (
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

// Kill sends a signal to the container's init, or with all to every process in its cgroup.
// A container whose init is dead may have processes left: they get the signal.
func (r Root) Kill(id string, signal int, all bool) error {
	c, err := r.load(id)
	if err != nil {
		return err
	}
	sig := unix.Signal(signal)
	if all {
		return c.group().Signal(sig)
	}
	pidfd, err := c.pidfd()
	if err == unix.ESRCH {
		return c.killRest(sig)
	}
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	err = unix.PidfdSendSignal(pidfd, sig, nil, 0)
	if err == unix.ESRCH {
		return must("container not running")
	}
	if err == nil && c.SharedPid && sig == unix.SIGKILL {
		// No pid namespace that ends with its init.
		return c.group().Signal(sig)
	}
	return errs.Op("send "+unix.SignalName(sig)+" to", id, err)
}

func (c *container) killRest(sig unix.Signal) error {
	pids, err := c.group().Pids()
	if err != nil {
		return err
	}
	if len(pids) == 0 {
		return must("container not running")
	}
	return c.group().Signal(sig)
}

// pidfd opens the init, unix.ESRCH if it is dead.
func (c *container) pidfd() (int, error) {
	if c.Pid == 0 || !c.booted {
		return -1, unix.ESRCH
	}
	fd, err := kernel.Pidfd(c.Pid, c.PidStart)
	if err == unix.ESRCH {
		return -1, err
	}
	return fd, errs.Op("open the init of", c.ID, err)
}

// killInit ends the init by SIGKILL and waits for it, up to the deadline.
func (c *container) killInit() error {
	fd, err := c.pidfd()
	if err == unix.ESRCH {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err == unix.ESRCH {
		return nil
	} else if err != nil {
		return errs.Op("kill", c.ID, err)
	}
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, int(teardown.Milliseconds()))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return errs.Op("wait for the init of", c.ID, err)
		case n == 0:
			return c.stuck()
		default:
			return nil
		}
	}
}

// stuck: a process does not die of SIGKILL in a frozen v1 cgroup, or in the kernel.
func (c *container) stuck() error {
	return &errs.Error{Op: "kill", Path: c.ID, Kind: errs.Timeout, Err: errs.New(errs.Timeout, "pid "+itoa(c.Pid)+" has not died of SIGKILL after "+teardown.String())}
}
