package cgroups

import (
	"strconv"
	"strings"

	"rt/cgroups/cgroupfs"
	"rt/internal/errs"
	"rt/internal/kernel"
)

// Beside is the group for a process that is added to a container whose init is pid. In v2 a
// group that enables controllers for those below it holds no process itself ("no internal
// processes", cgroups(7)): an init such as systemd has moved down, and what is added goes to
// the init's group. One outside of the container's is not followed.
func (g Group) Beside(pid int) (Group, error) {
	if !g.V2 || len(g.Dirs) == 0 {
		return g, nil
	}
	enabled, err := cgroupfs.Read(g.Dirs[0].Path + "/cgroup.subtree_control")
	if cgroupfs.Gone(err) || err == nil && enabled == "" {
		return g, nil
	}
	if err != nil {
		return g, err
	}
	dir, err := unifiedGroup(pid)
	if err != nil || !strings.HasPrefix(dir, g.Dirs[0].Path+"/") {
		return g, err
	}
	return Group{V2: true, Dirs: []Dir{{Path: dir, Mount: g.Dirs[0].Mount}}}, nil
}

// unifiedGroup is the directory of pid's v2 group, "" if it has none.
func unifiedGroup(pid int) (string, error) {
	name := "/proc/" + strconv.Itoa(pid) + "/cgroup"
	text, err := kernel.ReadFile(name, 1<<20)
	if err != nil {
		return "", errs.Op("read", name, err)
	}
	host, err := kernel.ReadCgroups()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			h := host.Unified
			h.Own = path
			return join(h.Mount, own(h), "", false), nil
		}
	}
	return "", nil
}
