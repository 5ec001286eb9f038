package cgroups

import (
	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/stat"
	"rt/cgroups/v1"
	"rt/cgroups/v2"
	"rt/internal/errs"
)

// Stat reads what the groups count. The error has the kind errs.NotFound when they are gone,
// errs.Unsupported when there never were any.
func (g Group) Stat() (stat.Stats, error) {
	if len(g.Dirs) == 0 {
		return stat.Stats{}, errs.New(errs.Unsupported, "the container has no cgroup that counts what it uses")
	}
	s, err := g.read()
	if err == nil && !g.Exists() {
		err = &errs.Error{Op: "read", Path: g.main(), Kind: errs.NotFound, Err: unix.ENOENT}
	}
	return s, err
}

func (g Group) read() (stat.Stats, error) {
	if g.V2 {
		return v2.Stat(g.main())
	}
	return v1.Stat(g.dir)
}

// OOM watches for processes that the kernel kills for want of memory.
type OOM struct {
	FD   int // poll(2) finds it readable when there may be kills to ask for
	dir  string
	v2   bool
	seen uint64 // kills that v2 has counted and Kills has told
}

// WatchOOM watches the container's group from now on; nil without a memory controller. Close
// ends it.
func (g Group) WatchOOM() (*OOM, error) {
	o := &OOM{FD: -1, dir: g.dir("memory"), v2: g.V2}
	if o.dir == "" {
		return nil, nil
	}
	watch := v1.WatchOOM
	if g.V2 {
		watch = v2.WatchOOM
	}
	var err error
	if o.FD, err = watch(o.dir); cgroupfs.Gone(err) {
		return nil, nil // v2: the group is there, the controller's files are not
	}
	if err == nil && g.V2 {
		_, err = o.Kills() // those before
	}
	if err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// Kills is how many there were since it was asked last. In v1 it is how often the group ran
// out of memory, which the kernel tells of before it kills. A group that is gone has none.
func (o *OOM) Kills() (uint64, error) {
	if !o.v2 {
		return v1.OOMs(o.FD, o.dir)
	}
	total, err := v2.OOMKills(o.FD, o.dir)
	if cgroupfs.Gone(err) {
		return 0, nil
	}
	fresh := total - min(total, o.seen)
	o.seen = max(o.seen, total)
	return fresh, err
}

// Close ends the watch.
func (o *OOM) Close() {
	if o.FD >= 0 {
		unix.Close(o.FD)
	}
}
