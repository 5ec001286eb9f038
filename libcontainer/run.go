package libcontainer

import (
	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// Run creates and starts a container. In the foreground it forwards signals, waits for the
// workload, deletes the container and gives the workload's exit code, 128+n for signal n.
func (r Root) Run(o RunOptions) (int, error) {
	c, err := r.prepare(o.CreateOptions, true)
	if err != nil {
		return 1, err
	}
	defer c.close()
	err = c.create()
	if err == nil {
		err = c.started()
	}
	if err != nil || o.Detach {
		return 0, err
	}
	return c.foreground(o)
}

// started waits for the workload.
func (c *creation) started() (err error) {
	defer c.undo.run(&err)
	return c.talk.executed()
}

// foreground stands for the workload: signals go to it, its end is ours.
func (c *creation) foreground(o RunOptions) (int, error) {
	if !o.NoSubreaper {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return 1, errs.Op("become a subreaper", "", err)
		}
	}
	c.lock.release()
	c.lock.fd = -1
	code, err := c.talk.supervise()
	if err != nil || o.Keep {
		return code, err
	}
	if err := c.Delete(c.o.ID, true); err != nil {
		return 1, err
	}
	return code, nil
}

func exitCode(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
