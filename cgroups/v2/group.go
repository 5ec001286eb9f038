package v2

import (
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"rt/cgroups/cgroupfs"
	"rt/internal/errs"

	"golang.org/x/sys/unix"
)

// Enable makes the controllers available in the group at dir by enabling them in its
// parents, from mount down. It gives the errors of those that could not be enabled, by name:
// they matter only when one of their files is needed.
func Enable(mount, dir string, controllers []string) map[string]error {
	failed := map[string]error{}
	if have, err := cgroupfs.Read(dir + "/cgroup.controllers"); err == nil && holdsAll(have, controllers) {
		return failed
	}
	for _, parent := range parents(mount, dir) {
		file := parent + "/cgroup.subtree_control"
		if cgroupfs.Write(file, "+"+strings.Join(controllers, " +")) == nil {
			continue
		}
		for _, c := range controllers { // one that fails makes the whole line fail
			if err := cgroupfs.Write(file, "+"+c); err != nil && failed[c] == nil {
				failed[c] = err
			}
		}
	}
	return failed
}

func holdsAll(have string, controllers []string) bool {
	names := strings.Fields(have)
	for _, c := range controllers {
		if !slices.Contains(names, c) {
			return false
		}
	}
	return true
}

// parents lists the groups above dir, from mount down.
func parents(mount, dir string) []string {
	var list []string
	for p := path.Dir(dir); len(p) >= len(mount) && p != dir; p = path.Dir(p) {
		list = append(list, p)
		if p == mount || p == "/" {
			break
		}
	}
	slices.Reverse(list)
	return list
}

// Freeze freezes the group at dir and all below it. If that is not done by the deadline the
// group is thawed again.
func Freeze(dir string, deadline time.Time) error {
	if err := cgroupfs.Write(dir+"/cgroup.freeze", "1"); err != nil {
		return err
	}
	done, err := cgroupfs.WaitEvent(dir, "frozen", "1", deadline)
	if err == nil && !done {
		err = &errs.Error{Op: "freeze", Path: dir, Kind: errs.Timeout, Err: errors.New("some processes do not stop")}
	}
	if err != nil {
		return errors.Join(err, Thaw(dir))
	}
	return nil
}

// Thaw undoes Freeze. A group whose parent is frozen stays so.
func Thaw(dir string) error { return cgroupfs.Write(dir+"/cgroup.freeze", "0") }

// ThawAll thaws the group and all below it, which the container may have frozen by itself.
func ThawAll(dir string) error {
	return cgroupfs.Walk(dir, func(fd int) error {
		file, err := unix.Openat(fd, "cgroup.freeze", unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(file)
		return cgroupfs.WriteFd(file, "0")
	}, nil)
}

// SelfFrozen says whether this group was frozen, and not only one above it.
func SelfFrozen(dir string) (bool, error) {
	text, err := cgroupfs.Read(dir + "/cgroup.freeze")
	return text == "1", err
}

// Stopped says whether tasks that join the group would stop: it, or one above it, is frozen.
func Stopped(dir string) (bool, error) {
	text, err := cgroupfs.Read(dir + "/cgroup.events")
	value, _ := cgroupfs.Value(text, "frozen")
	return value == "1", err
}

// KillNow sends SIGKILL to every process in the group at dir and below, frozen or forking.
func KillNow(dir string) error {
	err := cgroupfs.Write(dir+"/cgroup.kill", "1")
	if cgroupfs.Gone(err) {
		return nil
	}
	return err
}

// Kill is KillNow, and waits until the processes are gone.
func Kill(dir string, deadline time.Time) error {
	if err := KillNow(dir); err != nil {
		return err
	}
	done, err := cgroupfs.WaitEvent(dir, "populated", "0", deadline)
	if err != nil || done {
		return err
	}
	return cgroupfs.Left("kill", dir)
}
