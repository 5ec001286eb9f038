package libcontainer

import (
	"time"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

// Delete removes a stopped or created container and all that rt made for it; with force
// also one that runs. What is gone already is no error with force. A create that was
// killed half-way is deleted like a stopped container.
func (r Root) Delete(id string, force bool) error {
	c, err := r.load(id)
	if force && errs.KindOf(err) == errs.NotFound && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	l, err := c.lockForDelete(force)
	if force && err != nil && errs.KindOf(err) == errs.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	defer l.release()
	return r.deleteLocked(id, force)
}

// deleteLocked looks again: the container may have changed before the lock was ours.
func (r Root) deleteLocked(id string, force bool) error {
	c, err := r.load(id)
	if err != nil {
		return err
	}
	status, err := c.status()
	if err != nil {
		return err
	}
	if !force && (status == running || status == paused) {
		return must("cannot delete container " + id + " that is not stopped: " + string(status))
	}
	return c.destroy()
}

// destroy ends what runs, removes what was made, and runs the poststop hooks.
func (c *container) destroy() error {
	if err := c.endInit(); err != nil {
		return err
	}
	if err := c.removeGroup(); err != nil {
		return err
	}
	if err := c.poststopOwn(); err != nil {
		return err
	}
	return removeDir(c.dir)
}

// orphanWait is how long an init may take to notice that its creator is dead.
const orphanWait = time.Second

// removeGroup kills what outlived an init without a pid namespace of its own. Before a
// container is created nothing but its init was ever in the group, which dies with its creator
// even if the record does not know its pid yet; and the record may name a group that another
// container had first: who is in it then stays, and so does the group.
func (c *container) removeGroup() error {
	g := c.group()
	if !c.created {
		if empty, err := g.Vacated(orphanWait); err != nil || !empty {
			return err
		}
		return g.Destroy(teardown)
	}
	if err := g.Kill(teardown); err != nil {
		return err
	}
	return g.Destroy(teardown)
}

// endInit: a frozen v1 group delivers no signal, so it is thawed.
func (c *container) endInit() error {
	if !c.alive() {
		return nil
	}
	if frozen, err := c.group().Frozen(); err != nil {
		return err
	} else if frozen {
		if err := c.killFrozen(); err != nil {
			return err
		}
	}
	return c.killInit()
}

// killFrozen sends the signal first, so that nothing runs between thaw and death.
func (c *container) killFrozen() error {
	if err := c.group().Signal(unix.SIGKILL); err != nil {
		return err
	}
	return c.group().Thaw()
}

// lockForDelete: with force, the init is killed, and if that does not free the lock, who
// holds it is ended: first by TERM, which lets it take back what it has made.
func (c *container) lockForDelete(force bool) (lock, error) {
	if !force {
		return c.acquireOrClaim(lockWait)
	}
	l, err := c.acquireOrClaim(time.Second)
	if errs.KindOf(err) != errs.Timeout || err == nil {
		return l, err
	}
	if err := c.killInit(); err != nil {
		return lock{-1}, err
	}
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if l, err = c.acquireOrClaim(2 * time.Second); err == nil || errs.KindOf(err) != errs.Timeout {
			return l, err
		}
		endHolder(c.dir, signal)
	}
	if !c.created {
		c.killCreator()
	}
	return c.acquireOrClaim(lockWait)
}

// killCreator has nothing to say: who still waits for the lock will.
func (c *container) killCreator() {
	p, alive := c.creator()
	if !alive {
		return
	}
	if fd, err := kernel.Pidfd(p.Pid, p.Start); err == nil {
		unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		unix.Close(fd)
	}
}

// acquireOrClaim: a creator that was killed at once has not even made the lock.
func (c *container) acquireOrClaim(wait time.Duration) (lock, error) {
	l, err := acquire(c.dir, "delete", wait)
	if err != nil && errs.KindOf(err) == errs.NotFound && unix.Access(c.dir, unix.F_OK) == nil {
		return claimLock(c.dir, "delete", 0o600)
	}
	return l, err
}
