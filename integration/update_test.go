package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func (c *container) update(flags ...string) result {
	c.t.Helper()
	return c.rt(with("update", flags, c.id)...)
}

// updateFile updates by a file with resources.
func (c *container) updateFile(resources string, flags ...string) result {
	c.t.Helper()
	return c.update(append(flags, "--resources", c.write("update.json", resources))...)
}

// limit reads a file of the container's group; its name begins with the controller's.
func (c *container) limit(file string) string {
	c.t.Helper()
	controller, _, _ := strings.Cut(file, ".")
	return c.read(filepath.Join(c.groupDir(controller), file))
}

func (c *container) wantLimits(want string) {
	c.t.Helper()
	for _, entry := range strings.Fields(want) {
		file, value, _ := strings.Cut(entry, "=")
		if got := c.limit(file); got != strings.ReplaceAll(value, "_", " ") {
			c.t.Errorf("%s is %q, want %q", file, got, value)
		}
	}
}

// limited is what the containers of these tests begin with.
func limited(s *specs.Spec) {
	resources(specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: ptr(64 * mib), Swap: ptr(96 * mib)},
		CPU:    &specs.LinuxCPU{Shares: ptr(uint64(512)), Quota: ptr(int64(50000)), Period: ptr(uint64(100000)), Cpus: "0-1"},
		Pids:   &specs.LinuxPids{Limit: ptr(int64(50))},
	})(s)
}

const limitsBefore = "memory.limit_in_bytes=67108864 memory.memsw.limit_in_bytes=100663296 cpu.shares=512 cpu.cfs_quota_us=50000 " +
	"cpu.cfs_period_us=100000 cpuset.cpus=0-1 pids.max=50"

func TestUpdateFlags(t *testing.T) {
	noFlag := peers{runc: differs("1.1 has no such flag"), crun: differs("has no such flag")}
	rows := []struct {
		flags, want string
		peers
	}{
		{"--memory 32m", "memory.limit_in_bytes=33554432 memory.memsw.limit_in_bytes=100663296", peers{}},
		{"--memory 33554432", "memory.limit_in_bytes=33554432", peers{}},
		{"--memory 128M --memory-swap 256M", "memory.limit_in_bytes=134217728 memory.memsw.limit_in_bytes=268435456", peers{}},
		{"--memory 16M --memory-swap 32M", "memory.limit_in_bytes=16777216 memory.memsw.limit_in_bytes=33554432", peers{}},
		{"--memory-swap 1g", "memory.memsw.limit_in_bytes=1073741824 memory.limit_in_bytes=67108864", peers{}},
		{"--memory-swap -1", "memory.memsw.limit_in_bytes=9223372036854771712 memory.limit_in_bytes=67108864", peers{}},
		{"--memory -1", "memory.memsw.limit_in_bytes=9223372036854771712 memory.limit_in_bytes=9223372036854771712", peers{}},
		{"--memory-reservation 10M", "memory.soft_limit_in_bytes=10485760 memory.limit_in_bytes=67108864", peers{}},
		{"--cpu-share 77", "cpu.shares=77 cpu.cfs_quota_us=50000", peers{}},
		{"--cpu-quota 30000", "cpu.cfs_quota_us=30000 cpu.cfs_period_us=100000", peers{}},
		{"--cpu-quota -1", "cpu.cfs_quota_us=-1 cpu.cfs_period_us=100000", peers{}},
		{"--cpu-period 200000", "cpu.cfs_quota_us=50000 cpu.cfs_period_us=200000", peers{}},
		{"--cpu-quota 10000 --cpu-period 20000", "cpu.cfs_quota_us=10000 cpu.cfs_period_us=20000", peers{}},
		{"--cpu-burst 20000", "cpu.cfs_burst_us=20000", noFlag},
		{"--cpu-quota 80000 --cpu-burst 70000", "cpu.cfs_quota_us=80000 cpu.cfs_burst_us=70000", noFlag},
		{"--cpu-idle 1", "cpu.idle=1", noFlag},
		{"--cpu-rt-period 500000", "cpu.rt_period_us=500000", peers{}},
		{"--cpuset-cpus 1", "cpuset.cpus=1", peers{}},
		{"--cpuset-mems 0 --cpuset-cpus 0", "cpuset.cpus=0 cpuset.mems=0", peers{}},
		{"--pids-limit 20", "pids.max=20 memory.limit_in_bytes=67108864", peers{}},
		{"--pids-limit -1", "pids.max=max", peers{}},
		{"--blkio-weight 333", "blkio.bfq.weight=333", peers{}},
		{"", limitsBefore, peers{}},
	}
	for _, r := range rows {
		t.Run(r.flags, func(t *testing.T) {
			needBinary(t, r.peers)
			watch(t)
			needV1(&container{t: t})
			c := newRunning(t, limited)
			c.update(strings.Fields(r.flags)...).must(t)
			c.wantLimits(r.want)
			c.delete("--force").must(t)
		})
	}
}

// dockerZeros is what managers write who say "unset" by zeros.
const dockerZeros = `{"memory": {"limit": 33554432, "reservation": 0, "kernel": 0, "swap": 0}, "cpu": {"shares": 0, "quota": 0, "period": 0, "cpus": "", "mems": ""},
	"blockIO": {"weight": 0}, "devices": null, "hugepageLimits": []}`

func TestUpdateFile(t *testing.T) {
	needV1(&container{t: t}) // TestUpdateV2Scenes has the like
	rt := peers{runc: rtOnly, crun: rtOnly}
	runScenes(t, []scene{
		{name: "zeros mean unset", play: func(t *testing.T) {
			c := newRunning(t, limited)
			c.updateFile(dockerZeros).must(t)
			c.wantLimits("memory.limit_in_bytes=33554432 memory.memsw.limit_in_bytes=100663296 cpu.shares=512 cpu.cfs_quota_us=50000 cpuset.cpus=0-1 pids.max=50")
			c.delete("--force").must(t)
		}},
		{name: "what has no flag", peers: rt, play: func(t *testing.T) {
			c := newRunning(t, limited)
			c.updateFile(`{"memory": {"swappiness": 7}, "cpu": {"burst": 0}}`).must(t)
			c.wantLimits("memory.swappiness=7 " + limitsBefore)
			c.delete("--force").must(t)
		}},
		{name: "created and paused", play: func(t *testing.T) {
			c := newCreated(t, limited)
			c.update("--pids-limit", "30").must(t)
			c.wantStatus("created")
			c.start().must(t)
			c.rt("pause", c.id).must(t)
			c.update("--memory", "48M").must(t)
			c.wantStatus("paused")
			c.wantLimits("pids.max=30 memory.limit_in_bytes=50331648")
			c.delete("--force").must(t)
		}},
		{name: "faults, with pointer and line", peers: rt, play: func(t *testing.T) {
			c := newRunning(t, limited)
			want(t, c.updateFile("{\"memory\": {\n\"limit\": \"64M\",\n\"swap\": -2}}"), 1, is(""), has("update.json: line 2, /memory/limit: expected a whole number, found a string"))
			want(t, c.updateFile("{\"cpu\": {\n\"quota\": 5}}"), 1, is(""), has("line 2, /cpu/quota: 5 is neither -1 nor at least 1000"))
			want(t, c.updateFile(`{"mem": {}}`), 0, is(""), has(`unknown key "mem" is ignored`))
			want(t, c.updateFile(`{"blockIO": {"weight": 200, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}]}}`), 1, is(""),
				has("not supported by this version (resources: /blockIO/throttleReadBpsDevice)"))
			want(t, c.update("--cpu-period", "5"), 1, is(""), has("/cpu/period: 5 is not between"))
			c.wantLimits(limitsBefore)
			c.delete("--force").must(t)
		}},
		{name: "what is not supported, or ignored", peers: rt, play: func(t *testing.T) {
			c := newRunning(t, limited)
			want(t, c.update("--l3-cache-schema", "L3:0=f"), 1, is(""), has("--l3-cache-schema: not supported by this version"))
			want(t, c.update("--mem-bw-schema", "MB:0=50"), 1, is(""), has("--mem-bw-schema: not supported by this version"))
			want(t, c.update("--kernel-memory", "5m", "--pids-limit", "9"), 0, is(""), has("--kernel-memory is ignored"))
			c.wantLimits("pids.max=9")
			want(t, c.updateFile(`{"pids": {"limit": 8}}`, "--memory", "1m"), 0, is(""), has("ignored"))
			c.wantLimits("pids.max=8 memory.limit_in_bytes=67108864")
			c.delete("--force").must(t)
		}},
	})
}

// TestUpdateAllOrNothing: what the kernel refuses late takes back what it took before.
func TestUpdateAllOrNothing(t *testing.T) {
	rows := []struct{ name, resources, text string }{
		{"a CPU that is not there", `{"memory": {"limit": 33554432, "swap": 50331648}, "cpu": {"quota": 20000, "period": 50000, "shares": 99, "cpus": "0,4000"}}`,
			`write "0,4000" (was "0-1") to /sys/fs/cgroup/cpuset/`},
		{"memory+swap below memory", `{"pids": {"limit": 9}, "memory": {"swap": 33554432}}`, "memory+swap is below the memory limit, 67108864 (resources: /memory/swap)"},
		{"memory above memory+swap", `{"pids": {"limit": 9}, "memory": {"limit": 134217728}}`, "it is above the limit of memory+swap, 100663296, which has to be raised as well"},
		{"below the burst", `{"memory": {"limit": 33554432}, "cpu": {"burst": 60000}}`, `write "60000" (was "0") to /sys/fs/cgroup/cpu/`},
		{"checkBeforeUpdate", `{"pids": {"limit": 9}, "memory": {"limit": 4096, "checkBeforeUpdate": true}}`, "below what the container uses"},
		{"no exception from a wider device rule", `{"pids": {"limit": 9}, "devices": [{"allow": false}, {"allow": true, "type": "c", "major": 10, "access": "rw"}, {"allow": false, "type": "c", "major": 10, "minor": 229, "access": "rw"}]}`,
			"cgroup v1 cannot make an exception from the wider rule before it (resources: /devices/2)"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			needBinary(t, peers{runc: rtOnly, crun: rtOnly})
			watch(t)
			needV1(&container{t: t})
			c := newRunning(t, limited)
			devices := c.limit("devices.list")
			want(t, c.updateFile(r.resources), 1, is(""), has(r.text))
			c.wantLimits(limitsBefore)
			if got := c.limit("devices.list"); got != devices {
				t.Errorf("devices were\n%s\nand are\n%s", devices, got)
			}
			c.delete("--force").must(t)
		})
	}
}

func TestUpdateDryRun(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	watch(t)
	needV1(&container{t: t})
	c := newRunning(t, limited)
	dir := func(controller string) string { return c.groupDir(controller) }
	rise := fmt.Sprintf("%[1]s/memory.memsw.limit_in_bytes: 100663296 → 268435456\n%[1]s/memory.limit_in_bytes: 67108864 → 134217728\n", dir("memory"))
	want(t, c.update("--dry-run", "--memory", "128m", "--memory-swap", "256m"), 0, is(rise), is(""))
	fall := fmt.Sprintf("%[1]s/memory.limit_in_bytes: 67108864 → 16777216\n%[1]s/memory.memsw.limit_in_bytes: 100663296 → 33554432\n%[2]s/pids.max: 50 → max\n", dir("memory"), dir("pids"))
	want(t, c.update("--dry-run", "--memory", "16m", "--memory-swap", "32m", "--pids-limit", "-1"), 0, is(fall), is(""))
	want(t, c.update("--dry-run", "--memory", "64m", "--cpu-share", "512"), 0, is(""), is(""))
	want(t, c.updateFile(`{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]}`, "--dry-run"), 0,
		is(dir("devices")+"/devices.allow: c 10:229 rw\n"), is(""))
	c.wantLimits(limitsBefore)
	c.delete("--force").must(t)
}

func TestUpdateDevices(t *testing.T) {
	extra := `{"allow": true, "type": "c", "major": 10, "minor": 250, "access": "rw"}`
	rt := peers{runc: differs("ignores devices in an update"), crun: differs("takes them for the whole list, without the default ones")}
	runScenes(t, []scene{
		{name: "allowed, and denied again", peers: rt, play: func(t *testing.T) {
			needV1(&container{t: t})
			c := newRunning(t, extraNode(0o666, 0, 0))
			before := c.limit("devices.list")
			want(t, c.sh(": </dev/extra"), 1, is(""), has("Operation not permitted"))
			c.updateFile(`{"devices": [{"allow": false}, ` + extra + `]}`).must(t)
			want(t, c.sh(": </dev/extra"), 1, is(""), has("No such device")) // no driver, but no refusal
			c.updateFile(`{"devices": [{"allow": false, "access": "rwm"}]}`).must(t)
			want(t, c.sh(": </dev/extra"), 1, is(""), has("Operation not permitted"))
			want(t, c.sh(": </dev/null"), 0, is(""), is(""))
			if got := c.limit("devices.list"); sorted(got) != sorted(before) {
				t.Errorf("devices were\n%s\nand are\n%s", before, got)
			}
			c.delete("--force").must(t)
		}},
		{name: "everything, and back", peers: rt, play: func(t *testing.T) {
			needV1(&container{t: t})
			c := newRunning(t, extraNode(0o666, 0, 0))
			before := c.limit("devices.list")
			c.updateFile(`{"devices": [{"allow": true, "access": "rwm"}]}`).must(t)
			if got := c.limit("devices.list"); got != "a *:* rwm" {
				t.Errorf("devices: %s", got)
			}
			c.updateFile(`{"devices": [{"allow": true, "access": "rwm"}, {"allow": false, "type": "c", "major": 10, "minor": 250, "access": "rw"}]}`).must(t)
			want(t, c.sh(": </dev/extra"), 1, is(""), has("Operation not permitted"))
			c.wantStatus("running")
			c.updateFile(`{"devices": [{"allow": false}]}`).must(t)
			if got := c.limit("devices.list"); sorted(got) != sorted(before) {
				t.Errorf("devices were\n%s\nand are\n%s", before, got)
			}
			c.delete("--force").must(t)
		}},
	})
}

// TestUpdateTogether: of two at once one is later, and both are whole.
func TestUpdateTogether(t *testing.T) {
	needBinary(t, peers{runc: differs("1.1 has no lock for it: sometimes one of the two fails")})
	watch(t)
	needV1(&container{t: t})
	c := newRunning(t, limited)
	flags := [][]string{
		{"--memory", "32m", "--memory-swap", "40m", "--cpu-share", "200", "--pids-limit", "20"},
		{"--memory", "128m", "--memory-swap", "140m", "--cpu-share", "300", "--pids-limit", "30"},
	}
	ends := []string{"33554432 41943040 200 20", "134217728 146800640 300 30"}
	for range 10 {
		var both sync.WaitGroup
		for _, f := range flags {
			both.Go(func() { c.update(f...).must(t) })
		}
		both.Wait()
		got := c.limit("memory.limit_in_bytes") + " " + c.limit("memory.memsw.limit_in_bytes") + " " + c.limit("cpu.shares") + " " + c.limit("pids.max")
		if got != ends[0] && got != ends[1] {
			t.Errorf("a mix: %s", got)
		}
	}
	c.delete("--force").must(t)
}

// TestUpdateLock: who holds the container's lock is waited for.
func TestUpdateLock(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	watch(t)
	c := newRunning(t, pidsLimit(50))
	lock, err := os.Open(filepath.Join(c.root, c.id, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	r := c.command("update", "--pids-limit", "20", c.id).start(t)
	time.Sleep(patient(100 * time.Millisecond))
	c.wantLimits("pids.max=50")
	lock.Close()
	r.wait(t).must(t)
	c.wantLimits("pids.max=20")
	c.delete("--force").must(t)
}

// TestUpdateFelt: the workload meets the new limits.
func TestUpdateFelt(t *testing.T) {
	runScenes(t, []scene{
		{name: "memory", peers: inVM(), play: func(t *testing.T) {
			c := newRunning(t, limited)
			fill := "head -c 20000000 /dev/zero | tail -c 20000000 | wc -c"
			want(t, c.sh(fill), 0, is("20000000\n"), is(""))
			c.update("--memory", "8m", "--memory-swap", "8m").must(t)
			want(t, c.sh("dd if=/dev/zero of=/dev/null bs=20M count=1 2>/dev/null; echo $?"), 0, is("137\n"), match{})
			c.delete("--force").must(t)
		}},
		{name: "processes", peers: peers{runc: differs("where it is slow, the threads of its exec count against the limit"), vm: true}, play: func(t *testing.T) {
			c := newRunning(t, limited)
			const forks = "for i in 1 2 3 4 5 6; do sleep 1 & done 2>&1; wait"
			want(t, c.sh(forks), 0, is(""), is(""))
			c.update("--pids-limit", "4").must(t)
			want(t, c.sh(forks), 2, has("can't fork: Resource temporarily unavailable"), match{})
			c.delete("--force").must(t)
		}},
		{name: "below what is used", peers: peers{runc: rtOnly, crun: rtOnly}, play: func(t *testing.T) {
			needV1(&container{t: t})
			c := newRunning(t, limited, args("sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=30 && exec sleep 300"))
			until(t, "the file", func() bool { return c.sh("test $(stat -c %s /dev/shm/x) = 31457280").code == 0 })
			c.update("--memory", "40M", "--memory-swap", "40M").must(t)
			want(t, c.update("--pids-limit", "9", "--memory", "8M", "--memory-swap", "8M"), 1, is(""), like(`write "8388608" \(was "41943040"\) to .*memory.limit_in_bytes: the container uses [0-9]+ bytes, and the kernel could not reclaim enough`))
			c.wantLimits("memory.limit_in_bytes=41943040 memory.memsw.limit_in_bytes=41943040 pids.max=50")
			c.delete("--force").must(t)
		}},
	})
}

func sorted(lines string) string {
	list := strings.Split(lines, "\n")
	slices.Sort(list)
	return strings.Join(list, "\n")
}
