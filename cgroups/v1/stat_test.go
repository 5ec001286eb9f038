package v1

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"rt/cgroups/stat"
)

// TestStat has what few hosts have: a device under BFQ, huge pages, throttling.
func TestStat(t *testing.T) {
	entry := func(op string, value uint64) stat.IOEntry {
		return stat.IOEntry{Major: 8, Minor: 16, Op: op, Value: value}
	}
	rows := []struct {
		name, controller string
		files            map[string]string
		want             stat.Stats
	}{
		{"nothing", "", nil, stat.Stats{}},
		{
			"throttling", "cpu", map[string]string{"cpu.stat": "nr_periods 5\nnr_throttled 2\nthrottled_time 9\nnr_bursts 0"},
			stat.Stats{CPU: stat.CPU{Throttling: stat.Throttling{Periods: 5, ThrottledPeriods: 2, ThrottledTime: 9}}},
		},
		{
			"cpu time", "cpuacct",
			map[string]string{"cpuacct.usage": "35000000", "cpuacct.usage_percpu": "30000000 5000000 ", "cpuacct.stat": "user 2\nsystem 1", "cpuacct.usage_all": "cpu user system\n0 20 10\n1 4 1"},
			stat.Stats{CPU: stat.CPU{Usage: stat.CPUUsage{
				Total: 35000000, User: 20000000, Kernel: 10000000,
				PerCPU: []uint64{30000000, 5000000}, PerCPUUser: []uint64{20, 4}, PerCPUKernel: []uint64{10, 1},
			}}},
		},
		{
			"BFQ", "blkio",
			map[string]string{
				"blkio.bfq.io_serviced_recursive":           "8:16 Read 3\n8:16 Total 3\nTotal 3",
				"blkio.bfq.io_service_bytes_recursive":      "8:16 Write 4096\nTotal 4096",
				"blkio.bfq.sectors_recursive":               "8:16 8",
				"blkio.throttle.io_serviced_recursive":      "8:16 Read 99",
				"blkio.throttle.io_service_bytes_recursive": "8:16 Read 99",
				"blkio.bfq.io_queued_recursive":             "8:16 Read 1",
				"blkio.bfq.io_merged_recursive":             "8:16 Read 2",
				"blkio.bfq.io_service_time_recursive":       "8:16 Read 4",
				"blkio.bfq.io_wait_time_recursive":          "8:16 Read 5",
				"blkio.bfq.time_recursive":                  "8:16 6",
				"blkio.bfq.io_service_bytes":                "8:16 Read 98",
			},
			stat.Stats{IO: stat.IO{
				Count: []stat.IOEntry{entry("Read", 3), entry("Total", 3)}, Bytes: []stat.IOEntry{entry("Write", 4096)}, Sectors: []stat.IOEntry{entry("", 8)},
				Queued: []stat.IOEntry{entry("Read", 1)}, Merged: []stat.IOEntry{entry("Read", 2)}, ServiceTime: []stat.IOEntry{entry("Read", 4)},
				WaitTime: []stat.IOEntry{entry("Read", 5)}, Time: []stat.IOEntry{entry("", 6)},
			}},
		},
		{
			"without BFQ", "blkio",
			map[string]string{"blkio.bfq.io_serviced_recursive": "Total 0", "blkio.throttle.io_serviced_recursive": "8:16 Read 7\nTotal 7", "blkio.throttle.io_service_bytes_recursive": "8:16 Read 9\nTotal 9"},
			stat.Stats{IO: stat.IO{Count: []stat.IOEntry{entry("Read", 7)}, Bytes: []stat.IOEntry{entry("Read", 9)}}},
		},
		{
			"huge pages", "hugetlb", map[string]string{"hugetlb.2MB.usage_in_bytes": "3", "hugetlb.2MB.max_usage_in_bytes": "4", "hugetlb.2MB.failcnt": "5", "hugetlb.2MB.rsvd.usage_in_bytes": "6"},
			stat.Stats{Hugetlb: map[string]stat.Hugetlb{"2MB": {Usage: 3, Max: 4, Failcnt: 5}}},
		},
		{"tasks", "pids", map[string]string{"pids.current": "3", "pids.max": "20"}, stat.Stats{Pids: stat.Pids{Current: 3, Limit: 20}}},
		{"tasks without a limit", "pids", map[string]string{"pids.current": "3", "pids.max": "max"}, stat.Stats{Pids: stat.Pids{Current: 3}}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range r.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if r.want.Hugetlb == nil {
				r.want.Hugetlb = map[string]stat.Hugetlb{}
			}
			got, err := Stat(func(controller string) string {
				if controller == r.controller {
					return dir
				}
				return ""
			})
			if err != nil || !reflect.DeepEqual(got, r.want) {
				t.Errorf("%v\ngot  %+v\nwant %+v", err, got, r.want)
			}
		})
	}
}
