package v1

import (
	"path"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
	"rt/internal/errs"

	"golang.org/x/sys/unix"
)

const (
	cpusFile = "cpuset.cpus"
	memsFile = "cpuset.mems"
)

func cpuset(c *specs.LinuxCPU, s *cgroupfs.Settings) {
	if c == nil {
		return
	}
	s.Text("cpuset", cpusFile, c.Cpus, "/cpu/cpus")
	s.Text("cpuset", memsFile, c.Mems, "/cpu/mems")
}

// Inherit fills the CPUs and memory nodes of the cpuset group at dir from its parent: new
// ones are empty, and no task can join such a group. set names files that get a value anyway,
// and are left alone; fresh says that dir was just made, so that what it has need not be
// read. With cgroup.clone_children the kernel has put the same values there.
func Inherit(dir, mount string, fresh bool, set func(file string) bool) error {
	for _, file := range []string{cpusFile, memsFile} {
		if set(file) {
			continue
		}
		if _, err := fill(dir, mount, file, fresh); err != nil {
			return err
		}
	}
	return nil
}

// fill gives the value of file in dir, after filling it, and the parents that are empty too
// (another process may have made them a moment ago).
func fill(dir, mount, file string, fresh bool) (string, error) {
	if !fresh {
		value, err := cgroupfs.Read(dir + "/" + file)
		if err != nil || value != "" {
			return value, err
		}
	}
	if dir == mount || len(dir) <= len(mount) {
		return "", errs.Op("fill", dir+"/"+file, unix.ENOSPC)
	}
	value, err := fill(path.Dir(dir), mount, file, false)
	if err != nil {
		return "", err
	}
	return value, cgroupfs.Write(dir+"/"+file, value)
}
