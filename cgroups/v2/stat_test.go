package v2

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rt/cgroups/stat"
)

// group writes files as a kernel 6.12 has them.
func group(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const pressure = "some avg10=1.50 avg60=0.25 avg300=0.05 total=4000\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=30"

func stalls() *stat.Pressure {
	return &stat.Pressure{Some: stat.Stall{Avg10: 1.5, Avg60: 0.25, Avg300: 0.05, Total: 4000}, Full: stat.Stall{Avg10: 0.5, Total: 30}}
}

func TestStat(t *testing.T) {
	const none = math.MaxUint64
	rows := []struct {
		name  string
		files map[string]string
		want  stat.Stats
	}{
		{"nothing", nil, stat.Stats{}},
		{
			"cpu",
			map[string]string{"cpu.stat": "usage_usec 12\nuser_usec 8\nsystem_usec 4\nnice_usec 0\nnr_periods 5\nnr_throttled 2\nthrottled_usec 9", "cpu.pressure": pressure},
			stat.Stats{CPU: stat.CPU{Usage: stat.CPUUsage{Total: 12000, Kernel: 4000, User: 8000}, Throttling: stat.Throttling{Periods: 5, ThrottledPeriods: 2, ThrottledTime: 9000}, Pressure: stalls()}},
		},
		{
			"cpuset", map[string]string{"cpuset.cpus.effective": "0-2,7", "cpuset.mems.effective": "0"},
			stat.Stats{CPUSet: stat.CPUSet{CPUs: []uint16{0, 1, 2, 7}, Mems: []uint16{0}}},
		},
		{
			"memory and swap",
			map[string]string{
				"memory.current": "100", "memory.max": "1000", "memory.peak": "900", "memory.swap.current": "7", "memory.swap.max": "50", "memory.swap.peak": "8",
				"memory.stat": "anon 60\nfile 40\nkernel 9\nsock 3", "memory.events": "low 0\nhigh 0\nmax 6\noom 1\noom_kill 2\noom_group_kill 0",
				"memory.swap.events": "high 0\nmax 4\nfail 4", "memory.pressure": pressure,
			},
			stat.Stats{Memory: stat.Memory{
				Cache: 40, Usage: stat.MemoryUse{Limit: 1000, Usage: 100, Max: 900, Failcnt: 6}, Swap: stat.MemoryUse{Limit: 1050, Usage: 107, Failcnt: 4},
				Kernel: stat.MemoryUse{Limit: none, Usage: 9}, KernelTCP: stat.MemoryUse{Limit: none, Usage: 3},
				Raw: map[string]uint64{"anon": 60, "file": 40, "kernel": 9, "sock": 3}, Pressure: stalls(), OOMKills: 2,
			}},
		},
		{
			"memory without limits", map[string]string{"memory.current": "1", "memory.max": "max", "memory.swap.current": "2", "memory.swap.max": "5"},
			stat.Stats{Memory: stat.Memory{Usage: stat.MemoryUse{Limit: none, Usage: 1}, Swap: stat.MemoryUse{Limit: none, Usage: 3}}},
		},
		{"pids", map[string]string{"pids.current": "3", "pids.max": "20"}, stat.Stats{Pids: stat.Pids{Current: 3, Limit: 20}}},
		{"pids without a limit", map[string]string{"pids.current": "3", "pids.max": "max"}, stat.Stats{Pids: stat.Pids{Current: 3}}},
		{
			"io", map[string]string{"io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.usage=7\n8:16", "io.pressure": pressure},
			stat.Stats{IO: stat.IO{
				Bytes:    []stat.IOEntry{{Major: 8, Op: "Read", Value: 1}, {Major: 8, Op: "Write", Value: 2}, {Major: 8, Op: "Discard", Value: 5}},
				Count:    []stat.IOEntry{{Major: 8, Op: "Read", Value: 3}, {Major: 8, Op: "Write", Value: 4}, {Major: 8, Op: "Discard", Value: 6}},
				Pressure: stalls(),
			}},
		},
		{
			"hugetlb", map[string]string{"hugetlb.2MB.current": "4096", "hugetlb.2MB.events": "max 3", "hugetlb.2MB.rsvd.current": "1", "hugetlb.1GB.current": "0"},
			stat.Stats{Hugetlb: map[string]stat.Hugetlb{"2MB": {Usage: 4096, Failcnt: 3}, "1GB": {}}},
		},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if r.want.Hugetlb == nil {
				r.want.Hugetlb = map[string]stat.Hugetlb{}
			}
			if r.want.Memory.Raw == nil {
				r.want.Memory.Raw = map[string]uint64{}
			}
			got, err := Stat(group(t, r.files))
			if err != nil || !reflect.DeepEqual(got, r.want) {
				t.Errorf("%v\ngot  %+v\nwant %+v", err, got, r.want)
			}
		})
	}
}

// TestStatFaults: a file that holds something else is an error with its name, and no 0.
func TestStatFaults(t *testing.T) {
	rows := []struct{ file, text string }{
		{"memory.current", "many"}, {"memory.stat", "anon x"}, {"cpuset.cpus.effective", "0-x"}, {"cpuset.mems.effective", "70000"},
		{"io.stat", "8 rbytes=1"}, {"io.stat", "8:0 rbytes=x"}, {"cpu.pressure", "some avg10=x"}, {"hugetlb.2MB.current", "-1"},
	}
	for _, r := range rows {
		_, err := Stat(group(t, map[string]string{r.file: r.text}))
		if err == nil || !strings.Contains(err.Error(), r.file) {
			t.Errorf("%s %q: %v", r.file, r.text, err)
		}
	}
}
