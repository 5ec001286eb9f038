package kernel

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// Hierarchy is a mounted tree of cgroups and the caller's place in it.
type Hierarchy struct {
	Controllers []string // v1: "cpu", "cpuacct" or "name=systemd"; v2: what cgroup.controllers of the mount lists
	Mount       string   // mount point, "" if the tree is not mounted
	Root        string   // the mount's root within the hierarchy, as in proc_pid_mountinfo(5)
	Own         string   // the caller's group in the hierarchy, as in /proc/self/cgroup
}

// Cgroups is what is mounted of the host's cgroups, see cgroups(7).
type Cgroups struct {
	Version int         // 2: v2 alone; 1: v1, or v1 and v2 side by side; 0: none is mounted
	V1      []Hierarchy // in the order of /proc/self/cgroup
	Unified Hierarchy   // the v2 tree; its Controllers are read with Version 2 only
	UID     uint32      // the caller's effective user id, for messages
	NoBPF   bool        // the caller may not load a device program, bpf(2)
	Denied  bool        // the caller may not make the container's groups, and goes on without
}

const cgroupRoot = "/sys/fs/cgroup"

// ReadCgroups reads /proc/self/cgroup and /proc/self/mountinfo.
func ReadCgroups() (Cgroups, error) {
	own, err := readCgroupFile("/proc/self/cgroup")
	if err != nil {
		return Cgroups{}, err
	}
	mounts, err := readCgroupFile("/proc/self/mountinfo")
	if err != nil {
		return Cgroups{}, err
	}
	c := parseCgroups(own, mounts)
	c.Version = c.version(Unified())
	if c.Version == 2 {
		list, err := readCgroupFile(c.Unified.Mount + "/cgroup.controllers")
		if err != nil {
			return Cgroups{}, err
		}
		c.Unified.Controllers = strings.Fields(list)
	}
	return c, nil
}

// Unified tells whether /sys/fs/cgroup is the tree of v2, and so the only one.
func Unified() bool {
	var st unix.Statfs_t
	return unix.Statfs(cgroupRoot, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
}

func (c Cgroups) version(pure bool) int {
	switch {
	case c.Unified.Mount != "" && (pure || len(c.V1) == 0):
		return 2
	case len(c.V1) > 0:
		return 1
	}
	return 0
}

// parseCgroups joins the lines "ID:CONTROLLERS:GROUP" of own with the mounts.
func parseCgroups(own, mounts string) Cgroups {
	var c Cgroups
	found := cgroupMounts(mounts)
	for line := range strings.Lines(own) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		m := found.find(parts[1])
		if m.at == "" {
			continue
		}
		h := Hierarchy{Mount: m.at, Root: m.root, Own: parts[2]}
		if parts[1] == "" {
			c.Unified = h
			continue
		}
		h.Controllers = strings.Split(parts[1], ",")
		c.V1 = append(c.V1, h)
	}
	return c
}

type cgroupMount struct {
	root, at, options string // options: of the file system, "" for v2
}

type cgroupMountList []cgroupMount

// cgroupMounts are the cgroup lines of /proc/self/mountinfo:
// "ID PARENT MAJOR:MINOR ROOT MOUNT OPTIONS [FIELDS…] - TYPE SOURCE SUPEROPTIONS".
func cgroupMounts(mountinfo string) cgroupMountList {
	var list cgroupMountList
	for line := range strings.Lines(mountinfo) {
		left, right, ok := strings.Cut(line, " - cgroup")
		if !ok {
			continue
		}
		fields, super := strings.Fields(left), strings.Fields(right)
		if len(fields) < 6 || len(super) == 0 {
			continue
		}
		m := cgroupMount{root: unescape(fields[3]), at: unescape(fields[4])}
		if right[0] != '2' {
			m.options = super[len(super)-1]
		}
		list = append(list, m)
	}
	return list
}

// find is the mount of the hierarchy with these controllers ("" is v2). Where there are
// several, one below /sys/fs/cgroup is preferred, and the last, which hides the others.
func (l cgroupMountList) find(controllers string) cgroupMount {
	var best cgroupMount
	for _, m := range l {
		if m.holds(controllers) && (standardPlace(m.at) || !standardPlace(best.at)) {
			best = m
		}
	}
	return best
}

func (m cgroupMount) holds(controllers string) bool {
	if controllers == "" || m.options == "" {
		return controllers == m.options
	}
	first, _, _ := strings.Cut(controllers, ",")
	return slices.Contains(strings.Split(m.options, ","), first)
}

func standardPlace(at string) bool {
	return at == cgroupRoot || path.Dir(at) == cgroupRoot
}

// maxCgroupFile is more than a mountinfo with tens of thousands of mounts, in bytes.
const maxCgroupFile = 64 << 20

func readCgroupFile(name string) (string, error) {
	raw, err := ReadFile(name, maxCgroupFile)
	return string(raw), errs.Op("read", name, err)
}

// Has tells whether a group can be limited by the v1 controller, or by what v2 has instead.
func (c Cgroups) Has(controller string) bool {
	return c.Version == 2 || slices.ContainsFunc(c.V1, func(h Hierarchy) bool { return slices.Contains(h.Controllers, controller) })
}
