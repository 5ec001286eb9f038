//go:build managers

package managers

import (
	"fmt"
	"strings"
	"testing"
)

// ctrLimits are rows about cgroups: what the kernel has, and who is in which.
func ctrLimits() []row {
	return []row{
		{"--memory-limit", ctrLimited([]string{"--memory-limit", "33554432"}, groupLimit{"memory", "memory.limit_in_bytes", "33554432", "memory.max", "33554432"})},
		{"--cpu-quota", ctrLimited([]string{"--cpu-quota", "20000", "--cpu-period", "50000"},
			groupLimit{"cpu", "cpu.cfs_quota_us", "20000", "cpu.max", "20000 50000"}, groupLimit{"cpu", "cpu.cfs_period_us", "50000", "cpu.max", "20000 50000"})},
		{"--cpus", ctrLimited([]string{"--cpus", "0.5"}, groupLimit{"cpu", "cpu.cfs_quota_us", "50000", "cpu.max", "50000 100000"})},
		{"--cpu-shares", ctrLimited([]string{"--cpu-shares", "512"}, groupLimit{"cpu", "cpu.shares", "512", "cpu.weight", "20"})},
		{"--cgroup", func(t *testing.T, e *engine) {
			path := "/" + e.parent() + "/" + e.fresh() + "-custom"
			c := up(t, e, []string{"--cgroup", path}, "sleep", "60")
			dir, _ := group(t, c.pid, "memory")
			if !strings.HasSuffix(dir, path) {
				t.Errorf("in %s, want %s", dir, path)
			}
		}},
		{"an exec is in the same group", func(t *testing.T, e *engine) {
			c := up(t, e, nil, "sleep", "60")
			e.do("task", "exec", "-d", "--log-uri", "file://"+e.dir+"/exec.out", "--exec-id", e.fresh(), c.id, "sleep", "61").must(t)
			for _, pid := range tasksOf(t, e, c, 2) {
				equal(t, "groups", textOf(t, fmt.Sprintf("/proc/%d/cgroup", pid)), textOf(t, fmt.Sprintf("/proc/%d/cgroup", c.pid)))
			}
		}},
	}
}

// ctrLimited is a row that starts a container with flags and reads the kernel's files.
func ctrLimited(flags []string, limits ...groupLimit) func(*testing.T, *engine) {
	return func(t *testing.T, e *engine) {
		c := up(t, e, flags, "sleep", "60")
		for _, l := range limits {
			l.check(t, c.pid)
		}
	}
}

// ctrOf2 are rows with flags that ctr 1.6 does not know.
func ctrOf2() []row {
	return []row{
		{"--cpuset-cpus", ctrLimited([]string{"--cpuset-cpus", "1", "--cpuset-mems", "0"},
			groupLimit{"cpuset", "cpuset.cpus", "1", "cpuset.cpus", "1"}, groupLimit{"cpuset", "cpuset.mems", "0", "cpuset.mems", "0"})},
		{"--rlimit-nofile", func(t *testing.T, e *engine) {
			equal(t, "ulimit", once(t, e, []string{"--rlimit-nofile", "100:200"}, "sh", "-c", "ulimit -Sn; ulimit -Hn").must(t), "100\n200")
		}},
		{"--user", func(t *testing.T, e *engine) {
			got := once(t, e, []string{"--user", "joe"}, "sh", "-c", "id -u; id -g; echo $HOME").must(t)
			equal(t, "joe", got, "1000\n1000\n/home/joe")
			equal(t, "ids", once(t, e, []string{"--user", "5:6"}, "sh", "-c", "id -u; id -g").must(t), "5\n6")
		}},
		{"create, start, ls, ps", ctrSteps},
		{"--no-pivot", func(t *testing.T, e *engine) { // 1.6 has the flag, and ignores it
			equal(t, "stdout", once(t, e, []string{"--no-pivot"}, "sh", "-c", "ls / | grep -c home; echo hello").must(t), "1\nhello")
		}},
		{"--hostname", func(t *testing.T, e *engine) {
			equal(t, "hostname", once(t, e, []string{"--hostname", "web"}, "hostname").must(t), "web")
		}},
		{"runtime by its config", func(t *testing.T, e *engine) { // what a CRI configuration does
			e.do("run", "--rm", "--runtime", "io.containerd.runc.v2", "--runc-binary", e.bin, "--runc-root", "/run/containerd/runc", e.image, e.fresh(), "true").must(t)
		}},
	}
}

// ctrSteps are run's steps, one by one.
func ctrSteps(t *testing.T, e *engine) {
	id := e.fresh()
	e.do("container", "create", "--runc-binary", e.bin, e.image, id, "sleep", "60").must(t)
	defer func() { e.do("container", "rm", id).must(t) }()
	e.do("task", "start", "-d", "--null-io", id).must(t)
	c := container{id: id}
	c.becomes(t, e, "RUNNING")
	pids := tasksOf(t, e, c, 1)
	equal(t, "comm", textOf(t, fmt.Sprintf("/proc/%d/comm", pids[0])), "sleep")
	e.do("task", "kill", "-s", "SIGKILL", id).must(t)
	c.becomes(t, e, "STOPPED")
	e.do("task", "rm", id)
	if alive(pids[0]) {
		t.Error("the process is still there")
	}
}
