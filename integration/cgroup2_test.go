package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const mib = int64(1 << 20)

func memoryLimit(m specs.LinuxMemory) func(*specs.Spec) {
	return resources(specs.LinuxResources{Memory: &m})
}

func cpuLimit(c specs.LinuxCPU) func(*specs.Spec) { return resources(specs.LinuxResources{CPU: &c}) }

func pidsLimit(n int64) func(*specs.Spec) {
	return resources(specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &n}})
}

func unifiedKeys(keys map[string]string) func(*specs.Spec) {
	return resources(specs.LinuxResources{Unified: keys})
}

const (
	otherText   = verdict("says that there is no such container in other words")
	leavesGroup = verdict("leaves a cgroup v2 group behind")
	mountsAll   = verdict("mounts the whole tree, which also takes nsdelegate from the host's mount")
)

// TestLimitsV2 reads the limits back from the host's files.
func TestLimitsV2(t *testing.T) {
	limits := []struct {
		name, file, want string
		edit             func(*specs.Spec)
		peers
	}{
		{name: "memory", edit: memoryLimit(specs.LinuxMemory{Limit: ptr(64 * mib)}), file: "memory.max", want: "67108864"},
		{name: "memory unlimited", edit: memoryLimit(specs.LinuxMemory{Limit: ptr(int64(-1))}), file: "memory.max", want: "max"},
		{name: "memory reservation", edit: memoryLimit(specs.LinuxMemory{Reservation: ptr(32 * mib)}), file: "memory.low", want: "33554432"},
		{name: "swap is memory+swap less memory", edit: memoryLimit(specs.LinuxMemory{Limit: ptr(64 * mib), Swap: ptr(96 * mib)}), file: "memory.swap.max", want: "33554432"},
		{name: "no swap", edit: memoryLimit(specs.LinuxMemory{Limit: ptr(64 * mib), Swap: ptr(64 * mib)}), file: "memory.swap.max", want: "0"},
		{name: "cpu quota", edit: cpuLimit(specs.LinuxCPU{Quota: ptr(int64(20000)), Period: ptr(uint64(50000))}), file: "cpu.max", want: "20000 50000"},
		{name: "cpu shares", edit: cpuLimit(specs.LinuxCPU{Shares: ptr(uint64(1024))}), file: "cpu.weight", want: "100",
			peers: peers{runc: differs("1.1 has another curve: 39"), crun: differs("1.21 has another curve: 39")}},
		{name: "cpuset", edit: cpuLimit(specs.LinuxCPU{Cpus: "0", Mems: "0"}), file: "cpuset.cpus", want: "0"},
		{name: "pids", edit: pidsLimit(20), file: "pids.max", want: "20"},
		{name: "pids unlimited", edit: pidsLimit(-1), file: "pids.max", want: "max"},
		{name: "unified", edit: unifiedKeys(map[string]string{"memory.high": "50331648"}), file: "memory.high", want: "50331648"},
	}
	for _, l := range limits {
		t.Run(l.name, func(t *testing.T) {
			l.vm = true
			needBinary(t, l.peers)
			watch(t)
			needV2(&container{t: t})
			c := newCreated(t, l.edit)
			if got := c.groupFile(l.file); got != l.want {
				t.Errorf("%s is %q, want %q", l.file, got, l.want)
			}
			c.delete("--force").must(t)
		})
	}
}

// groupFile is the content of a file of the container's v2 group.
func (c *container) groupFile(name string) string {
	c.t.Helper()
	return c.read(filepath.Join(c.groupDir(""), name))
}

func (c *container) read(path string) string {
	c.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func TestCgroupMountV2(t *testing.T) {
	const top = "/sys/fs/cgroup"
	list := []row{
		{name: "file system and flags", sh: onMount(top), want: like(`^ro,nosuid,nodev,noexec,relatime .*- cgroup2 `)},
		{name: "read-only", sh: "mkdir " + top + "/x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "own group only", sh: "cat " + top + "/cgroup.procs | head -n 1; cat /proc/self/cgroup", want: is("1\n0::/\n")},
		{name: "own group only, without a namespace", edit: without(specs.CgroupNamespace), sh: "head -n 1 " + top + "/cgroup.procs", want: is("1\n"),
			peers: peers{runc: mountsAll, crun: mountsAll}},
		{name: "writable", edit: edits(without(specs.CgroupNamespace), addNamespace(specs.CgroupNamespace, ""), mountOptions(top, "rw", "nosuid")),
			sh: fmt.Sprintf("mkdir %s/x && rmdir %s/x", top, top)},
		{name: "limits are seen inside", edit: pidsLimit(20), sh: "cat " + top + "/pids.max", want: is("20\n")},
		{name: "controllers", sh: "cat " + top + "/cgroup.controllers", want: like(`cpu.* memory.* pids`)},
		{name: "a quota throttles", edit: cpuLimit(specs.LinuxCPU{Quota: ptr(int64(2000)), Period: ptr(uint64(20000))}),
			sh: `for i in $(seq 20000); do :; done; grep -q '^nr_throttled [1-9]' ` + top + "/cpu.stat"},
		{name: "unknown file", edit: unifiedKeys(map[string]string{"memory.nosuch": "1"}), sh: "true", code: 1, fails: has("memory.nosuch"), peers: peers{crun: leavesGroup}},
		{name: "file without a controller", edit: unifiedKeys(map[string]string{"nosuch.max": "1"}), sh: "true", code: 1, fails: has("nosuch"), peers: peers{crun: leavesGroup}},
	}
	for i := range list {
		list[i].vm, list[i].prep = true, needV2
	}
	runRows(t, list)
}

func mountOptions(dst string, options ...string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		for i, m := range s.Mounts {
			if m.Destination == dst {
				s.Mounts[i].Options = options
			}
		}
	}
}

func TestCgroupV2(t *testing.T) {
	list := []scene{
		{name: "exec joins the group", play: execJoins},
		{name: "exec is under the device program", play: execDevices},
		{name: "exec when init has moved down", play: execMovedDown},
		{name: "pause freezes", play: freezes},
		{name: "frozen from above is not paused", play: frozenAbove},
		{name: "kill --all reaches groups below", play: killBelow},
		{name: "kill --all of paused", play: killPaused},
		{name: "delete removes groups below", play: deleteBelow},
		{name: "death for want of memory is counted", play: countsOOM},
		{name: "a group with processes is refused", play: refusesPopulated, peers: peers{runc: differs("1.1 warns and shares it"), crun: differs("shares it")}},
	}
	for i, s := range list {
		list[i].vm = true
		list[i].play = func(t *testing.T) {
			needV2(&container{t: t})
			s.play(t)
		}
	}
	runScenes(t, list)
}

// sleeper starts a detached exec and gives its pid.
func (c *container) sleeper() int {
	c.t.Helper()
	file := filepath.Join(c.bundle, "exec.pid")
	c.exec([]string{"--detach", "--pid-file", file}, "sleep", "300").must(c.t)
	return pidFile(c.t, file)
}

func execJoins(t *testing.T) {
	c := newRunning(t)
	dir := c.groupDir("")
	for _, pid := range []int{c.sleeper(), c.state().Pid} {
		if _, got := groupPath(t, pid, ""); got != dir {
			t.Errorf("%d is in %s, not in %s", pid, got, dir)
		}
	}
	want(t, c.sh("cat /proc/self/cgroup"), 0, is("0::/\n"), is("")) // and in the namespace
	c.delete("--force").must(t)
}

func execDevices(t *testing.T) {
	c := newRunning(t, extraNode(0o666, 0, 0))
	want(t, c.sh("cat /dev/extra 2>&1"), 1, has("Operation not permitted"), match{})
	want(t, c.sh("cat /dev/null"), 0, is(""), is(""))
	c.delete("--force").must(t)
}

// below makes a group in the container's and moves pid there.
func (c *container) below(dir, name string, pid int) string {
	c.t.Helper()
	sub := filepath.Join(dir, name)
	if err := os.Mkdir(sub, 0o755); err != nil {
		c.t.Fatal(err)
	}
	c.setFile(sub+"/cgroup.procs", strconv.Itoa(pid))
	return sub
}

func (c *container) setFile(path, text string) {
	c.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0); err != nil {
		c.t.Fatal(err)
	}
}

// execMovedDown is what systemd does in a container: with controllers enabled for the
// groups below, none may be in the group itself. cgroups(7), "no internal processes".
func execMovedDown(t *testing.T) {
	c := newRunning(t)
	pid, dir := c.state().Pid, c.groupDir("")
	sub := c.below(dir, "init.scope", pid)
	c.setFile(dir+"/cgroup.subtree_control", "+pids")
	want(t, c.sh("echo hi"), 0, is("hi\n"), is(""))
	if _, got := groupPath(t, c.sleeper(), ""); got != sub {
		t.Errorf("exec is in %s, want %s", got, sub)
	}
	c.rt("pause", c.id).must(t)
	c.wantStatus("paused")
	c.rt("resume", c.id).must(t)
	c.delete("--force").must(t)
}

func freezes(t *testing.T) {
	c := newRunning(t, script("while :; do echo >>/dev/shm/ticks; done"))
	size := func() int64 {
		info, err := os.Stat(fmt.Sprintf("/proc/%d/root/dev/shm/ticks", c.state().Pid))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	until(t, "a tick", func() bool { return size() > 0 })
	c.rt("pause", c.id).must(t)
	if got := c.groupFile("cgroup.events"); !strings.Contains(got, "frozen 1") {
		t.Errorf("events: %q", got)
	}
	before := size()
	time.Sleep(patient(20 * time.Millisecond))
	if after := size(); after != before {
		t.Errorf("went on from %d to %d ticks", before, after)
	}
	c.rt("resume", c.id).must(t)
	until(t, "more ticks", func() bool { return size() > before })
	c.delete("--force").must(t)
}

func frozenAbove(t *testing.T) {
	c := newRunning(t, cgroupsPath("/"+it.prefix+"-above/c"))
	parent := filepath.Dir(c.groupDir(""))
	c.setFile(parent+"/cgroup.freeze", "1")
	until(t, "frozen", func() bool { return strings.Contains(c.groupFile("cgroup.events"), "frozen 1") })
	c.wantStatus("running")
	c.delete("--force").must(t)
	unix.Rmdir(parent) // of runtimes that leave parents
}

func killBelow(t *testing.T) {
	c := newRunning(t)
	pid := c.sleeper()
	c.below(c.groupDir(""), "sub", pid)
	c.rt("kill", "--all", c.id, "KILL").must(t)
	until(t, "the end of the one below", func() bool { return !alive(pid) })
	c.untilStatus("stopped")
	c.delete().must(t)
}

func killPaused(t *testing.T) {
	c := newRunning(t)
	pid := c.sleeper()
	c.rt("pause", c.id).must(t)
	c.rt("kill", "--all", c.id, "KILL").must(t)
	until(t, "the end", func() bool { return !alive(pid) })
	c.untilStatus("stopped")
	c.delete().must(t)
}

func deleteBelow(t *testing.T) {
	c := newRunning(t)
	dir := c.groupDir("")
	c.below(c.below(dir, "a", c.sleeper()), "b", c.sleeper())
	c.delete("--force").must(t)
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is left", dir)
	}
}

func countsOOM(t *testing.T) {
	c := newCreated(t, memoryLimit(specs.LinuxMemory{Limit: ptr(16 * mib), Swap: ptr(16 * mib)}),
		args("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"))
	dir := c.groupDir("")
	c.start().must(t)
	c.untilStatus("stopped")
	if got := c.read(dir + "/memory.events"); !strings.Contains(got, "oom_kill 1") {
		t.Errorf("memory.events: %q", got)
	}
	c.delete().must(t)
}

func refusesPopulated(t *testing.T) {
	path := "/" + it.prefix + "-taken"
	a := newRunning(t, cgroupsPath(path))
	b := newContainer(t, cgroupsPath(path))
	want(t, b.run(), 1, match{}, has("processes"))
	a.wantStatus("running")
	a.delete("--force").must(t)
}
