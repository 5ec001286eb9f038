package cgroups

import (
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/v1"
	"rt/cgroups/v2"
	"rt/internal/errs"
)

// Destroy removes the groups, those below them, and the parents that Create made and that
// are empty now. It kills nothing, but waits until the deadline for processes that are about
// to exit, and thaws them for that. What is gone already is fine. It removes as much as it
// can; the error is the first one.
func (g Group) Destroy(deadline time.Duration) error {
	r := remover{group: g, until: time.Now().Add(deadline)}
	var first error
	for _, d := range g.Dirs {
		if err := r.remove(d); err != nil && first == nil {
			first = err
		}
	}
	return first
}

type remover struct {
	group  Group
	until  time.Time
	thawed bool
}

func (r *remover) remove(d Dir) error {
	if !strings.HasPrefix(d.Path, d.Mount+"/") {
		return errs.Op("rmdir", d.Path, unix.EINVAL)
	}
	err := unix.Rmdir(d.Path)
	if err == unix.EBUSY || err == unix.ENOTEMPTY {
		return r.patiently(d)
	}
	if err != nil && err != unix.ENOENT {
		return errs.Op("rmdir", d.Path, err)
	}
	removeParents(d)
	return nil
}

// patiently removes a group that has groups below it, or processes.
func (r *remover) patiently(d Dir) error {
	r.thaw()
	const longest = 10 * time.Millisecond
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, longest) {
		if err := removeBelow(d.Path); err != nil {
			return err
		}
		err := unix.Rmdir(d.Path)
		if err == nil || err == unix.ENOENT {
			removeParents(d)
			return nil
		}
		if err != unix.EBUSY && err != unix.ENOTEMPTY {
			return errs.Op("rmdir", d.Path, err)
		}
		if time.Now().After(r.until) {
			return cgroupfs.Left("rmdir", d.Path)
		}
		if err := r.wait(d, pause); err != nil {
			return err
		}
	}
}

// wait returns when the group may have become empty. For a v1 group that lists no process and
// is busy all the same (the last one has not quite left) there is no event.
func (r *remover) wait(d Dir, pause time.Duration) error {
	pids, err := cgroupfs.Pids(d.Path)
	switch {
	case err != nil:
		return err
	case len(pids) > 0:
		_, err = cgroupfs.WaitPids(pids, r.until)
	case r.group.V2:
		_, err = cgroupfs.WaitEvent(d.Path, "populated", "0", r.until)
	}
	if err == nil && len(pids) == 0 {
		time.Sleep(pause)
	}
	return err
}

// thaw lets processes that have been killed die. A failure shows in the waiting.
func (r *remover) thaw() {
	dir := r.group.dir("freezer")
	switch {
	case r.thawed || dir == "":
	case r.group.V2:
		v2.ThawAll(dir)
	default:
		v1.ThawAll(dir)
	}
	r.thawed = true
}

// removeBelow removes the groups below the one at path. Busy ones stay.
func removeBelow(path string) error {
	return cgroupfs.Walk(path, nil, func(parent int, name string) error {
		err := unix.Unlinkat(parent, name, unix.AT_REMOVEDIR)
		if err == unix.EBUSY || err == unix.ENOTEMPTY || cgroupfs.Gone(err) {
			return nil
		}
		return err
	})
}

// removeParents removes the marked parents that are empty, up to the mount point. A parent
// that another container's Destroy has just removed counts as removed by us.
func removeParents(d Dir) {
	for dir := path.Dir(d.Path); strings.HasPrefix(dir, d.Mount+"/"); dir = path.Dir(dir) {
		ours, err := marked(dir)
		if ours {
			err = unix.Rmdir(dir)
		}
		if err != nil && err != unix.ENOENT {
			return
		}
	}
}
