package libcontainer

// Pause freezes every process of a created or running container.
func (r Root) Pause(id string) error {
	return r.withStatus(id, "pause", func(c *container, s status) error {
		if s != running && s != created {
			return must("container not running")
		}
		return c.group().Freeze()
	})
}

// Resume thaws a paused container.
func (r Root) Resume(id string) error {
	return r.withStatus(id, "resume", func(c *container, s status) error {
		if s != paused {
			return must("container not paused")
		}
		return c.group().Thaw()
	})
}

// withStatus calls act under the container's lock.
func (r Root) withStatus(id, command string, act func(*container, status) error) error {
	c, err := r.load(id)
	if err != nil {
		return err
	}
	l, err := acquire(c.dir, command, lockWait)
	if err != nil {
		return err
	}
	defer l.release()
	s, err := c.status()
	if err != nil {
		return err
	}
	return act(c, s)
}
