package libcontainer

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups"
	"rt/internal/compile"
	"rt/internal/config"
	"rt/internal/errs"
	"rt/internal/kernel"
	"rt/internal/signals"
)

// Change is what an update writes to one file of the container's cgroup.
type Change = cgroups.Change

// UpdateOptions are the choices of `update`.
type UpdateOptions struct {
	Resources *specs.LinuxResources // validated; what is unset stays as it is
	DryRun    bool                  // decide, and write nothing
}

// Update changes the limits of a created, running or paused container: all that is asked for,
// or nothing. It gives the writes, in their order. config.json is left as it was given, since
// nothing reads limits from it later.
func (r Root) Update(id string, o UpdateOptions) (changes []Change, err error) {
	err = r.withStatus(id, "update", func(c *container, s status) error {
		if s == stopped || s == creating {
			return must("container not running")
		}
		changes, err = c.update(o)
		return err
	})
	return changes, err
}

func (c *container) update(o UpdateOptions) ([]Change, error) {
	g := c.group()
	if len(g.Dirs) == 0 {
		return nil, &errs.Error{Op: "update", Path: c.ID, Kind: errs.Unsupported, Err: errs.New(errs.Unsupported,
			"the container has no cgroup, and so no limits to change: make it as root, or where a cgroup is delegated to the user (systemd-run --user --scope -p Delegate=yes rt …)")}
	}
	host, err := kernel.ReadHost()
	if err != nil {
		return nil, err
	}
	resources, err := c.dated(o.Resources)
	if err != nil {
		return nil, err
	}
	u, warnings, err := g.Prepare(resources, host.Cgroups)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		c.in.Warn(w)
	}
	if o.DryRun {
		return u.Changes(), nil
	}
	fd, err := signals.Heed()
	if err != nil {
		return nil, err
	}
	return u.Changes(), u.Apply(func() error { return interrupted(fd) })
}

// dated: resources name no version of the specification. They mean what the container's
// config.json, with its own, would mean by them.
func (c *container) dated(r *specs.LinuxResources) (*specs.LinuxResources, error) {
	if r.Pids == nil || r.Pids.Limit == nil || *r.Pids.Limit != 0 {
		return r, nil
	}
	doc, err := config.Load(c.dir + "/" + fileConfig)
	if err != nil {
		return nil, err
	}
	read := compile.Dated(doc.Spec.Version, r)
	if read.Pids == nil {
		c.in.Warn("a pids limit of 0 means none given, to a container whose config.json has version " + doc.Spec.Version + ": the limit stays as it is")
	}
	return read, nil
}

// interrupted: a signal that would end the command in the middle of an update ends it between
// two writes, and what was written is taken back.
func interrupted(fd int) error {
	for s := signals.Next(fd); s != 0; s = signals.Next(fd) {
		if signals.Ends(s) {
			return errs.New(errs.State, "update was interrupted: "+s.String())
		}
	}
	return nil
}
