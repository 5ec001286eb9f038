package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// groupPath is the path of pid's group in a v1 controller's hierarchy, or in v2's.
func groupPath(t *testing.T, pid int, controller string) (path, dir string) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.SplitN(line, ":", 3)
		switch {
		case len(f) < 3:
		case hasV2() && f[0] == "0":
			return f[2], filepath.Join("/sys/fs/cgroup", f[2])
		case f[1] == controller:
			return f[2], filepath.Join("/sys/fs/cgroup", controller, f[2])
		}
	}
	t.Fatalf("no hierarchy for %s in\n%s", controller, b)
	return "", ""
}

// groupDir is the directory of the container's group.
func (c *container) groupDir(controller string) string {
	c.t.Helper()
	_, dir := groupPath(c.t, c.state().Pid, controller)
	return dir
}

// hasV2 says that there is cgroup v2 alone, cgroups(7).
func hasV2() bool {
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	return err == nil
}

func needV1(c *container) {
	if hasV2() {
		skip(c.t, "needs cgroup v1")
	}
}

func needV2(c *container) {
	if !hasV2() {
		skip(c.t, "needs cgroup v2 alone")
	}
}

// relativeTo is the group that relative paths start from. In v2 it is the parent of our own,
// which has processes and can therefore have no groups with controllers.
func relativeTo(t *testing.T, controller string) string {
	own, _ := groupPath(t, os.Getpid(), controller)
	if hasV2() {
		return filepath.Dir(own)
	}
	return own
}

func resources(r specs.LinuxResources) func(*specs.Spec) {
	return func(s *specs.Spec) {
		r.Devices = s.Linux.Resources.Devices
		s.Linux.Resources = &r
	}
}

func ptr[T any](v T) *T { return &v }

func cgroupsPath(path string) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Linux.CgroupsPath = path }
}

// TestLimits reads the limits back from the host's files (v1 names; TestLimitsV2 has the
// others).
func TestLimits(t *testing.T) {
	memory := func(m specs.LinuxMemory) func(*specs.Spec) {
		return resources(specs.LinuxResources{Memory: &m})
	}
	cpu := func(c specs.LinuxCPU) func(*specs.Spec) { return resources(specs.LinuxResources{CPU: &c}) }
	pids := func(n int64) func(*specs.Spec) {
		return resources(specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr(n)}})
	}
	const mib = int64(1 << 20)
	limits := []struct {
		name       string
		edit       func(*specs.Spec)
		controller string
		file       string
		want       string
		peers
	}{
		{"memory", memory(specs.LinuxMemory{Limit: ptr(64 * mib)}), "memory", "memory.limit_in_bytes", "67108864", peers{}},
		{"memory reservation", memory(specs.LinuxMemory{Reservation: ptr(32 * mib)}), "memory", "memory.soft_limit_in_bytes", "33554432", peers{}},
		{"memory and swap", memory(specs.LinuxMemory{Limit: ptr(64 * mib), Swap: ptr(96 * mib)}), "memory", "memory.memsw.limit_in_bytes", "100663296", peers{}},
		{"memory unlimited", memory(specs.LinuxMemory{Limit: ptr(int64(-1))}), "memory", "memory.limit_in_bytes", "9223372036854771712", peers{}},
		{"cpu shares", cpu(specs.LinuxCPU{Shares: ptr(uint64(512))}), "cpu", "cpu.shares", "512", peers{}},
		{"cpu quota", cpu(specs.LinuxCPU{Quota: ptr(int64(50000)), Period: ptr(uint64(100000))}), "cpu", "cpu.cfs_quota_us", "50000", peers{}},
		{"cpu period", cpu(specs.LinuxCPU{Quota: ptr(int64(20000)), Period: ptr(uint64(50000))}), "cpu", "cpu.cfs_period_us", "50000", peers{}},
		{"cpuset cpus", cpu(specs.LinuxCPU{Cpus: "0"}), "cpuset", "cpuset.cpus", "0", peers{}},
		{"cpuset mems", cpu(specs.LinuxCPU{Mems: "0"}), "cpuset", "cpuset.mems", "0", peers{}},
		{"cpuset filled without a limit", nil, "cpuset", "cpuset.mems", "0", peers{}},
		{"pids", pids(20), "pids", "pids.max", "20", peers{}},
		{"pids unlimited", pids(-1), "pids", "pids.max", "max", peers{}},
	}
	for _, l := range limits {
		t.Run(l.name, func(t *testing.T) {
			needBinary(t, l.peers)
			watch(t)
			needV1(&container{t: t})
			c := newCreated(t, l.edit)
			defer c.delete("--force")
			dir := c.groupDir(l.controller)
			b, err := os.ReadFile(filepath.Join(dir, l.file))
			if err != nil || strings.TrimSpace(string(b)) != l.want {
				t.Errorf("%s/%s: %q, %v, want %q", dir, l.file, b, err, l.want)
			}
		})
	}
}

func TestLimitsHold(t *testing.T) {
	runRows(t, []row{
		{name: "memory", edit: edits(resources(specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr(int64(16 << 20)), Swap: ptr(int64(16 << 20))}}),
			args("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1")), code: 137, peers: inVM()},
		{name: "pids", edit: resources(specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr(int64(4))}}),
			sh: "for i in 1 2 3 4 5 6; do sleep 3 & done 2>&1", code: 2, want: has("can't fork: Resource temporarily unavailable"), peers: inVM()},
		{name: "bad cpuset", edit: resources(specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "4000"}}), sh: "true", code: 1, fails: has("cpuset")},
	})
}

func TestDeviceList(t *testing.T) {
	rule := func(access string) string {
		return `grep -qx 'c 10:250 ` + access + `' /sys/fs/cgroup/devices/devices.list`
	}
	runRows(t, []row{
		{name: "defaults", prep: needV1, sh: `for d in 1:3 1:5 1:7 1:8 1:9 5:0 5:2; do grep -qx "c $d rwm" /sys/fs/cgroup/devices/devices.list || echo no $d; done`, want: is("")},
		{name: "any may be made", prep: needV1, sh: `grep -x '. \*:\* .*' /sys/fs/cgroup/devices/devices.list | sort`, want: is("b *:* m\nc *:* m\n")},
		{name: "a rule", prep: needV1, edit: allowExtra, sh: rule("rw.*")},
		{name: "none without", prep: needV1, sh: rule("rw.*"), code: 1},
		{name: "everything", prep: needV1, sh: "cat /sys/fs/cgroup/devices/devices.list", want: is("a *:* rwm\n"),
			edit: func(s *specs.Spec) {
				s.Linux.Resources.Devices = []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}
			}},
	})
}

func TestCgroupsPath(t *testing.T) {
	leavesParents := peers{runc: differs("removes its own group only, never parents")}
	runScenes(t, []scene{
		{name: "default", play: func(t *testing.T) {
			playPath(t, "", func(own string, c *container) string { return filepath.Join(own, c.id) })
		}},
		{name: "absolute", play: func(t *testing.T) {
			abs := "/" + it.prefix + "-abs"
			playPath(t, abs, func(string, *container) string { return abs })
		}},
		{name: "absolute, parents made", peers: leavesParents, play: func(t *testing.T) {
			abs := "/" + it.prefix + "-a/b/c"
			playPath(t, abs, func(string, *container) string { return abs })
		}},
		{name: "relative", play: func(t *testing.T) {
			rel := it.prefix + "-rel"
			playPath(t, rel, func(own string, _ *container) string { return filepath.Join(own, rel) })
		}},
		{name: "relative, parents made", peers: leavesParents, play: func(t *testing.T) {
			rel := it.prefix + "-r/s"
			playPath(t, rel, func(own string, _ *container) string { return filepath.Join(own, rel) })
		}},
		{name: "a way up is none", play: noWayUp},
		{name: "a parent that was there stays", play: keepParent},
		{name: "two containers below one parent", peers: leavesParents, play: shareParent},
	})
}

// playPath looks where the groups are, and leaves the rest to the census.
func playPath(t *testing.T, path string, where func(own string, c *container) string) {
	c := newCreated(t, cgroupsPath(path))
	pid := c.state().Pid
	for _, controller := range []string{"pids", "memory", "devices", "freezer", "cpu"} {
		if got, _ := groupPath(t, pid, controller); got != where(relativeTo(t, controller), c) {
			t.Errorf("%s: in %s, want %s", controller, got, where(relativeTo(t, controller), c))
		}
	}
	c.delete("--force").must(t)
}

// noWayUp allows both: refused, or taken as if the hierarchy's root were /.
func noWayUp(t *testing.T) {
	c := newContainer(t, args("sleep", "300"), cgroupsPath("/../../"+it.prefix+"-up"))
	if r := c.create(); r.code != 0 {
		want(t, r, 1, match{}, has("-up"))
		return
	}
	if got, _ := groupPath(t, c.state().Pid, "pids"); got != "/"+it.prefix+"-up" {
		t.Errorf("in %s", got)
	}
	c.delete("--force").must(t)
}

func keepParent(t *testing.T) {
	dir := "/sys/fs/cgroup/pids/" + it.prefix + "-kept"
	if hasV2() {
		dir = "/sys/fs/cgroup/" + it.prefix + "-kept"
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Rmdir(dir) })
	c := newContainer(t, cgroupsPath("/"+it.prefix+"-kept/leaf"))
	c.run().must(t)
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("removed: %v", err)
	}
	removeKept()
}

// removeKept is for runtimes that leave the parents they made in the other hierarchies.
func removeKept() {
	if it.kind == "rt" {
		return
	}
	for _, dir := range cgroupDirs(it.prefix + "-kept") {
		unix.Rmdir(dir)
	}
}

func shareParent(t *testing.T) {
	parent := "/" + it.prefix + "-shared"
	a, b := newCreated(t, cgroupsPath(parent+"/a")), newCreated(t, cgroupsPath(parent+"/b"))
	a.delete("--force").must(t)
	b.wantStatus("created")
	b.delete("--force").must(t)
}
