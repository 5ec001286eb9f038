package v2

import (
	"encoding/json"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
	"rt/internal/errs"
)

func compile(t *testing.T, text string) cgroupfs.Settings {
	t.Helper()
	var r specs.LinuxResources
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return Settings(&r, []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids"})
}

func TestSettings(t *testing.T) {
	rows := []struct{ name, resources, want string }{
		{"nothing", `{}`, ""},
		{"memory", `{"memory":{"limit":100,"swap":250,"reservation":50}}`, "memory.max=100 @memory/limit; memory.swap.max=150 @memory/swap; memory.low=50 @memory/reservation"},
		{"memory, no swap", `{"memory":{"limit":100,"swap":100}}`, "memory.max=100 @memory/limit; memory.swap.max=0 @memory/swap"},
		{"memory, unlimited", `{"memory":{"limit":-1}}`, "memory.max=max @memory/limit; memory.swap.max=max @memory/limit"},
		{"memory, unlimited swap", `{"memory":{"limit":9,"swap":-1}}`, "memory.max=9 @memory/limit; memory.swap.max=max @memory/swap"},
		{"zeros of managers", `{"memory":{"limit":0,"swap":0,"reservation":0,"kernel":0,"kernelTCP":0,"disableOOMKiller":false},"cpu":{"shares":0,"quota":0,"period":0,"realtimeRuntime":0,"realtimePeriod":0}}`, ""},
		{"cpu", `{"cpu":{"shares":1024,"quota":5000,"period":10000,"burst":5,"idle":1,"cpus":"0","mems":"0"}}`, "cpu.weight=100 @cpu/shares; cpu.max=5000 10000 @cpu/quota; cpu.max.burst=5 @cpu/burst; cpu.idle=1 @cpu/idle; cpuset.cpus=0 @cpu/cpus; cpuset.mems=0 @cpu/mems"},
		{"quota alone", `{"cpu":{"quota":5000}}`, "cpu.max=5000 100000 @cpu/quota"},
		{"no quota", `{"cpu":{"quota":-1,"period":50000}}`, "cpu.max=max 50000 @cpu/quota"},
		{"period alone", `{"cpu":{"period":50000}}`, "cpu.max=max 50000 @cpu/period"},
		{"pids", `{"pids":{"limit":0}}`, "pids.max=0 @pids/limit"},
		{"pids, unlimited", `{"pids":{"limit":-1}}`, "pids.max=max @pids/limit"},
		{
			"unified, sorted, after the others, a line at a time", `{"unified":{"memory.high":"5","io.max":"8:0 rbps=1\n8:16 rbps=2\n","cgroup.max.depth":"3"},"pids":{"limit":1}}`,
			"pids.max=1 @pids/limit; cgroup.max.depth=3 @unified/cgroup.max.depth; io.max=8:0 rbps=1 @unified/io.max; io.max=8:16 rbps=2 @unified/io.max; memory.high=5 @unified/memory.high",
		},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := compile(t, r.resources)
			if s.Err != nil || len(s.Warnings) != 0 {
				t.Fatal(s.Err, s.Warnings)
			}
			var lines []string
			for _, set := range s.List {
				lines = append(lines, set.File+"="+set.Value+" @"+strings.TrimPrefix(set.Where, "/linux/resources/"))
			}
			if got := strings.Join(lines, "; "); got != r.want {
				t.Errorf("got  %s\nwant %s", got, r.want)
			}
		})
	}
}

func TestSettingsRefused(t *testing.T) {
	rows := []struct {
		name, resources string
		kind            errs.Kind
		where           string
	}{
		{"swap below limit", `{"memory":{"limit":200,"swap":100}}`, errs.Invalid, "/memory/swap"},
		{"swap without limit", `{"memory":{"swap":100}}`, errs.Invalid, "/memory/swap"},
		{"swappiness", `{"memory":{"swappiness":1}}`, errs.Unsupported, "/memory/swappiness"},
		{"OOM killer", `{"memory":{"disableOOMKiller":true}}`, errs.Unsupported, "/memory/disableOOMKiller"},
		{"TCP", `{"memory":{"kernelTCP":1}}`, errs.Unsupported, "/memory/kernelTCP"},
		{"realtime", `{"cpu":{"realtimeRuntime":1}}`, errs.Unsupported, "/cpu/realtimeRuntime"},
		{"key with a slash", `{"unified":{"memory.max/../../x":"1"}}`, errs.Invalid, "/unified/memory.max~1..~1..~1x"},
		{"key with dots", `{"unified":{"memory...max":"1"}}`, errs.Invalid, "/unified/memory...max"},
		{"key without a controller", `{"unified":{".max":"1"}}`, errs.Invalid, "/unified/.max"},
		{"key without a file", `{"unified":{"memory":"1"}}`, errs.Invalid, "/unified/memory"},
		{"controller that is not there", `{"unified":{"rdma.max":"1"}}`, errs.Unsupported, "/unified/rdma.max"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := compile(t, r.resources)
			if s.Err == nil || !strings.HasSuffix(s.Err.Error(), " (config.json: /linux/resources"+r.where+")") || errs.KindOf(s.Err) != r.kind {
				t.Errorf("got %v, want %v at %s", s.Err, r.kind, r.where)
			}
		})
	}
}

// The curve of the kernel's and the managers' documentation: 2, 1024 and 262144 are fixed.
func TestWeight(t *testing.T) {
	for _, r := range []struct {
		shares uint64
		want   string
	}{{1, "1"}, {2, "1"}, {1024, "100"}, {262144, "10000"}, {1 << 40, "10000"}} {
		if got := weight(r.shares); got != r.want {
			t.Errorf("weight(%d) = %s, want %s", r.shares, got, r.want)
		}
	}
}
