package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// limited2 is what the v2 containers of these tests begin with.
func limited2(s *specs.Spec) {
	resources(specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: ptr(64 * mib), Swap: ptr(96 * mib)},
		CPU:    &specs.LinuxCPU{Quota: ptr(int64(50000)), Period: ptr(uint64(80000)), Cpus: "0-1"},
		Pids:   &specs.LinuxPids{Limit: ptr(int64(50))},
	})(s)
}

const limits2Before = "memory.max=67108864 memory.swap.max=33554432 cpu.max=50000_80000 cpuset.cpus=0-1 pids.max=50"

func TestUpdateV2(t *testing.T) {
	swapAlone := peers{runc: differs("1.1 wants the memory limit beside it"), vm: true}
	curve := peers{runc: differs("1.1 has another curve: 39"), vm: true}
	newer := peers{runc: rtOnly, crun: rtOnly, vm: true}
	rows := []struct {
		flags, want string
		peers
	}{
		{"--memory 32m", "memory.max=33554432 memory.swap.max=33554432 pids.max=50", inVM()},
		{"--memory 256m", "memory.max=268435456 memory.swap.max=33554432", inVM()},
		{"--memory 128M --memory-swap 256M", "memory.max=134217728 memory.swap.max=134217728", inVM()},
		{"--memory 16M --memory-swap 16M", "memory.max=16777216 memory.swap.max=0", inVM()},
		{"--memory-swap 128M", "memory.max=67108864 memory.swap.max=67108864", swapAlone},
		{"--memory-swap -1", "memory.max=67108864 memory.swap.max=max", inVM()},
		{"--memory -1", "memory.max=max memory.swap.max=max", inVM()},
		{"--memory-reservation 10M", "memory.low=10485760 memory.max=67108864", inVM()},
		{"--cpu-share 1024", "cpu.weight=100 cpu.max=50000_80000", curve},
		{"--cpu-quota 20000", "cpu.max=20000_80000", inVM()},
		{"--cpu-quota -1", "cpu.max=max_80000", inVM()},
		{"--cpu-period 100000", "cpu.max=50000_100000", inVM()},
		{"--cpu-quota 10000 --cpu-period 20000", "cpu.max=10000_20000", inVM()},
		{"--cpu-quota 60000 --cpu-burst 55000", "cpu.max=60000_80000 cpu.max.burst=55000", newer},
		{"--cpu-idle 1", "cpu.idle=1", newer},
		{"--cpuset-cpus 1 --cpuset-mems 0", "cpuset.cpus=1 cpuset.mems=0", inVM()},
		{"--pids-limit -1", "pids.max=max memory.max=67108864", inVM()},
	}
	for _, r := range rows {
		t.Run(r.flags, func(t *testing.T) {
			r.crun = differs("1.21 reads sizes without a suffix only, and takes a quota or a period alone for both")
			needBinary(t, r.peers)
			watch(t)
			needV2(&container{t: t})
			c := newRunning(t, limited2)
			c.update(strings.Fields(r.flags)...).must(t)
			c.wantLimits(r.want)
			c.delete("--force").must(t)
		})
	}
}

func TestUpdateV2Scenes(t *testing.T) {
	list := []scene{
		{name: "zeros mean unset", play: func(t *testing.T) {
			c := newRunning(t, limited2)
			c.updateFile(dockerZeros).must(t)
			c.wantLimits("memory.max=33554432 memory.swap.max=33554432 cpu.max=50000_80000 cpuset.cpus=0-1 pids.max=50")
			c.delete("--force").must(t)
		}},
		{name: "unified", play: func(t *testing.T) {
			c := newRunning(t, limited2)
			c.updateFile(`{"unified": {"memory.high": "50331648", "pids.max": "33"}}`).must(t)
			c.wantLimits("memory.high=50331648 pids.max=33 memory.max=67108864")
			c.delete("--force").must(t)
		}},
		{name: "all or nothing", play: allOrNothing2},
		{name: "what would be written", play: dryRun2},
		{name: "devices are replaced", play: replacesDevices},
		{name: "the limit is felt", play: felt2},
	}
	for i, s := range list {
		list[i].peers = peers{runc: rtOnly, crun: rtOnly, vm: true}
		list[i].play = func(t *testing.T) {
			needV2(&container{t: t})
			s.play(t)
		}
	}
	runScenes(t, list)
}

func allOrNothing2(t *testing.T) {
	c := newRunning(t, limited2)
	for _, r := range []struct{ resources, text string }{
		{`{"memory": {"limit": 33554432, "swap": 50331648}, "cpu": {"quota": 20000, "cpus": "4000"}}`, `write "4000" (was "0-1") to /sys/fs/cgroup/`},
		{`{"pids": {"limit": 9}, "unified": {"memory.nosuch": "1"}}`, "memory.nosuch"},
		{`{"pids": {"limit": 9}, "memory": {"swap": 33554432}}`, "memory+swap is below the memory limit, 67108864 (resources: /memory/swap)"},
		{`{"pids": {"limit": 9}, "cpu": {"realtimeRuntime": 5000}}`, "(resources: /cpu/realtimeRuntime)"},
		{`{"pids": {"limit": 9}, "memory": {"limit": 4096, "swap": 8192, "checkBeforeUpdate": true}}`, "below what the container uses"},
	} {
		want(t, c.updateFile(r.resources), 1, is(""), has(r.text))
		c.wantLimits(limits2Before)
	}
	c.delete("--force").must(t)
}

func dryRun2(t *testing.T) {
	c := newRunning(t, limited2)
	dir := c.groupDir("")
	want(t, c.update("--dry-run", "--memory", "32m", "--cpu-quota", "10000", "--pids-limit", "50"), 0,
		is(fmt.Sprintf("%[1]s/memory.max: 67108864 → 33554432\n%[1]s/cpu.max: 50000 80000 → 10000 80000\n", dir)), is(""))
	c.wantLimits(limits2Before)
	c.delete("--force").must(t)
}

// replacesDevices: programs add up, so if the first one were left, the device would stay denied.
func replacesDevices(t *testing.T) {
	c := newRunning(t, extraNode(0o666, 0, 0))
	rules := func(list string) { c.updateFile(`{"devices": [` + list + `]}`).must(t) }
	denied := func() { want(t, c.sh(": </dev/extra"), 1, is(""), has("Operation not permitted")) }
	allowed := func() { want(t, c.sh(": </dev/extra"), 1, is(""), has("No such device")) }
	denied()
	rules(`{"allow": false}, {"allow": true, "type": "c", "major": 10, "minor": 250, "access": "rw"}`)
	allowed()
	rules(`{"allow": false}`)
	denied()
	want(t, c.sh(": </dev/null"), 0, is(""), is(""))
	rules(`{"allow": true, "access": "rwm"}`)
	allowed()
	rules(`{"allow": true, "access": "rwm"}, {"allow": false, "type": "c", "major": 10, "minor": 250, "access": "rwm"}`)
	denied()
	c.delete("--force").must(t)
}

func felt2(t *testing.T) {
	c := newRunning(t, limited2)
	c.update("--pids-limit", "4").must(t)
	want(t, c.sh("for i in 1 2 3 4 5 6; do sleep 1 & done 2>&1; wait"), 2, has("can't fork: Resource temporarily unavailable"), match{})
	c.update("--pids-limit", "50", "--memory", "8m", "--memory-swap", "8m").must(t)
	want(t, c.sh("dd if=/dev/zero of=/dev/null bs=20M count=1 2>/dev/null; echo $?"), 0, is("137\n"), match{})
	c.delete("--force").must(t)
}
