package libcontainer

import (
	"golang.org/x/sys/unix"

	"rt/internal/config"
	"rt/internal/errs"
)

// Run creates and starts a container. In the foreground it forwards signals, waits for the
// workload, deletes the container and gives the workload's exit code, 128+n for signal n.
func (r Root) Run(o RunOptions) (int, error) {
	c, err := r.begin(o.CreateOptions, !o.Detach)
	if err != nil {
		return 1, err
	}
	defer c.close()
	err = c.decide(true)
	if err == nil {
		err = c.create()
	}
	if err == nil {
		err = c.started()
	}
	if err == nil && o.Detach {
		err = c.awaitReady()
	}
	if err != nil || o.Detach {
		return 0, err
	}
	return c.foreground(o)
}

// started waits for the workload, and runs the poststart hooks.
func (c *creation) started() (err error) {
	defer c.undo.run(&err)
	if err = c.talk.executed(); err != nil || !c.record.Hooks {
		return err
	}
	return c.hooks().all(config.Poststart)
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
	hangUp := c.speakFor()
	code, err := c.talk.supervise()
	hangUp()
	if err != nil || o.Keep {
		return code, err
	}
	return code, c.remove()
}

// remove deletes the container, whose init is reaped. Somebody else may have deleted it, and even made another one with its id.
func (c *creation) remove() error {
	l, err := acquire(c.dir, "run", lockWait)
	if errs.KindOf(err) == errs.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	defer l.release()
	now, err := c.load(c.o.ID)
	if err != nil || now.Pid != c.record.Pid || now.PidStart != c.record.PidStart {
		return nil
	}
	return now.destroy()
}

func exitCode(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
