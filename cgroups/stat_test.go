package cgroups

import (
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/cgroups/stat"
	"rt/internal/errs"
	"rt/internal/kernel"
)

// TestStat reads a real group, and the kernel's files before and after.
func TestStat(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		g := create(t, testPath(t, host), nil, host)
		_, out := process(t, g, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 1000 & sleep 1000 & echo up; wait")
		out.ReadString('\n')
		before := group(t, g, "cpuacct", "cpuacct.usage", "cpu.stat")
		s, err := g.Stat()
		check(t, err)
		after := group(t, g, "cpuacct", "cpuacct.usage", "cpu.stat")
		if s.CPU.Usage.Total == 0 || s.CPU.Usage.Total < before || s.CPU.Usage.Total > after {
			t.Errorf("cpu: %d is not between %d and %d", s.CPU.Usage.Total, before, after)
		}
		if s.Pids.Current != group(t, g, "pids", "pids.current", "pids.current") {
			t.Errorf("pids: %+v", s.Pids)
		}
		used := group(t, g, "memory", "memory.usage_in_bytes", "memory.current")
		if diff := int64(s.Memory.Usage.Usage - used); diff < -1<<20 || diff > 1<<20 {
			t.Errorf("memory: %+v, and %d", s.Memory.Usage, used)
		}
		if raw := keys(t, g); len(s.Memory.Raw) != raw {
			t.Errorf("%d of %d keys of memory.stat", len(s.Memory.Raw), raw)
		}
		if g.V2 && (s.CPU.Pressure == nil) != (unix.Access("/proc/pressure/cpu", unix.F_OK) != nil) {
			t.Errorf("pressure: %+v", s.CPU.Pressure)
		}
	})
}

// group is the number in the file of the controller that v1 has, or v2's; 0 without one.
// CPU time is in nanoseconds.
func group(t *testing.T, g Group, controller, one, two string) uint64 {
	t.Helper()
	r := stat.Reader{Dir: g.dir(controller)}
	defer func() { check(t, r.Err) }()
	switch {
	case r.Dir == "":
		return 0
	case !g.V2:
		return r.Uint(one)
	case two == "cpu.stat":
		return 1000 * r.Keyed(two)["usage_usec"]
	}
	return r.Uint(two)
}

func keys(t *testing.T, g Group) int {
	t.Helper()
	name := g.dir("memory") + "/memory.stat"
	if unix.Access(name, unix.F_OK) != nil {
		return 0
	}
	return strings.Count(get(t, name), "\n") + 1
}

func TestStatGone(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		g := create(t, testPath(t, host), nil, host)
		check(t, g.Destroy(enough))
		if _, err := g.Stat(); errs.KindOf(err) != errs.NotFound {
			t.Error(err)
		}
		if _, err := (Group{}).Stat(); errs.KindOf(err) != errs.Unsupported {
			t.Error(err)
		}
	})
}

// TestWatchOOM: each kill is told once, those before the watch and the group's removal never.
func TestWatchOOM(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		real, err := kernel.ReadCgroups()
		check(t, err)
		if host.Version == 2 && real.Version == 2 {
			host = real
		}
		if host.Version == 2 && real.Version == 1 {
			withoutMemory(t, host)
			return
		}
		needs(t, host, "memory")
		g := create(t, testPath(t, host), parse(t, `{"memory":{"limit":4194304,"swap":4194304}}`), host)
		starve(t, g)
		o, err := g.WatchOOM()
		if err != nil || o == nil {
			t.Fatal(o, err)
		}
		defer o.Close()
		kills(t, o, 0)
		for range 2 {
			starve(t, g)
			waitFor(t, "the kill", func() bool { return readable(t, o.FD) })
			kills(t, o, 1)
			kills(t, o, 0)
		}
		s, err := g.Stat()
		check(t, err)
		if s.Memory.OOMKills != 3 {
			t.Errorf("%+v", s.Memory)
		}
		check(t, g.Destroy(enough))
		if !g.V2 {
			waitFor(t, "the removal", func() bool { return readable(t, o.FD) })
		}
		kills(t, o, 0)
	})
}

// starve has one process killed for want of memory.
func starve(t *testing.T, g Group) {
	t.Helper()
	cmd, _ := process(t, g, "x=0123456789abcdef; while :; do x=$x$x; done")
	if cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("not killed: exit %s", strconv.Itoa(cmd.ProcessState.ExitCode()))
	}
}

func withoutMemory(t *testing.T, host kernel.Cgroups) {
	g := create(t, testPath(t, host), nil, host)
	if o, err := g.WatchOOM(); o != nil || err != nil {
		t.Errorf("without a controller: %v, %v", o, err)
	}
}

func readable(t *testing.T, fd int) bool {
	t.Helper()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	check(t, err)
	return n > 0
}

func kills(t *testing.T, o *OOM, want uint64) {
	t.Helper()
	if got, err := o.Kills(); err != nil || got != want {
		t.Errorf("%d kills, %v, want %d", got, err, want)
	}
}
