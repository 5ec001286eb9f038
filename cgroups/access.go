package cgroups

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/internal/errs"
	"rt/internal/kernel"
)

// Accessible tells whether the caller may make the groups that Compile would name, and move a
// process of its own into them. It changes nothing. What Compile refuses, and a host without
// cgroups, count as accessible: there is nothing to be denied.
func Accessible(cgroupsPath, id string, host kernel.Cgroups) bool {
	p, err := places(cgroupsPath, id, host)
	if err != nil {
		return true
	}
	for _, d := range p.Dirs {
		if !d.accessible(joinFile(p.V2)) {
			return false
		}
	}
	return !p.V2 || unix.Faccessat(unix.AT_FDCWD, common(p.Dirs[0], host.Unified)+"/cgroup.procs", unix.W_OK, unix.AT_EACCESS) == nil
}

// accessible: the group, if it exists, can be joined; else it can be made, with the parents
// that are missing. What the caller makes is its own.
func (d Dir) accessible(join string) bool {
	dir := d.Path
	err := changeable(dir)
	if err == nil && unix.Faccessat(unix.AT_FDCWD, dir+"/"+join, unix.W_OK, unix.AT_EACCESS) != nil {
		return false
	}
	for err == unix.ENOENT && dir != d.Mount {
		dir = path.Dir(dir)
		err = changeable(dir)
	}
	return err == nil
}

func changeable(dir string) error {
	return unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
}

// common is the nearest group above both the caller's own and the container's. To move a
// process in v2 takes the right to write to its cgroup.procs, cgroups(7), "Delegation
// containment".
func common(d Dir, h kernel.Hierarchy) string {
	theirs := strings.TrimPrefix(d.Path, d.Mount)
	dir := own(h)
	for dir != "/" && theirs != dir && !strings.HasPrefix(theirs, dir+"/") {
		dir = path.Dir(dir)
	}
	return path.Join(d.Mount, dir)
}

// without is what is left for a caller who is denied the groups: no plan. Limits that are
// asked for have to hold, so they are errors.
//
// What `create` warns of ends in the log of a manager's container, so it does only where
// something is lost without a word: the device list, for those who could make device nodes.
func without(p Plan, s cgroupfs.Settings, host kernel.Cgroups) (Plan, []string, error) {
	uid := host.UID
	what := p.Dirs[0].Path + " cannot be written by uid " + decimal(uid)
	for _, set := range s.List {
		if limits(set) {
			return Plan{}, nil, cgroupfs.Refuse(errs.Permission, set.Where, "there is no cgroup for it, "+what+": "+delegate(p.V2, uid))
		}
	}
	if !host.NoBPF { // this fact is about the same capabilities as mknod
		s.Warnings = append(s.Warnings, "no cgroup: "+what+"; limits and pause are not available")
	}
	return Plan{}, s.Warnings, nil
}

func delegate(isV2 bool, uid uint32) string {
	if uid == 0 {
		return "it is mounted read-only, or belongs to the root of another user namespace"
	}
	if isV2 {
		return "start rt in a group of the user's own (systemd-run --user --scope -p Delegate=yes rt …), or let root give " +
			"the directory above, and its cgroup.procs, to uid " + decimal(uid)
	}
	return "only root sets limits with cgroup v1; users' groups need cgroup v2 alone (systemd.unified_cgroup_hierarchy=1)"
}

// limits is false for a write that sets what a group without it has anyway.
func limits(s cgroupfs.Setting) bool {
	switch s.File {
	case "cpu.cfs_burst_us", "cpu.max.burst", "cpu.idle":
		return s.Value != "0"
	case "cpu.cfs_period_us": // of a quota that would come next
		return false
	}
	return s.Value != "-1" && s.Value != "max" && !strings.HasPrefix(s.Value, "max ")
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
