package v1

import (
	"slices"
	"strconv"

	"rt/cgroups/cgroupfs"
)

// unlimited is the least value by which a memory file says that there is no limit: the
// largest number of whole pages, of 64 KiB at most, below 2⁶³.
const unlimited = 1<<63 - 1<<16

// Limits reads what the groups at the directories of memory and cpu have; "" for none.
func Limits(memory, cpu string) cgroupfs.Limits {
	now := cgroupfs.Limits{
		Memory: number(memory, "memory.limit_in_bytes", -1),
		Swap:   number(memory, "memory.memsw.limit_in_bytes", -1),
		Usage:  number(memory, "memory.usage_in_bytes", 0),
		Quota:  number(cpu, "cpu.cfs_quota_us", -1),
		Period: uint64(number(cpu, "cpu.cfs_period_us", 0)),
	}
	for _, limit := range []*int64{&now.Memory, &now.Swap} {
		if *limit >= unlimited {
			*limit = -1
		}
	}
	return now
}

// number is what a file holds, or missing: the kernel may be without the file.
func number(dir, file string, missing int64) int64 {
	text, err := cgroupfs.Read(dir + "/" + file)
	n, parseErr := strconv.ParseInt(text, 10, 64)
	if dir == "" || err != nil || parseErr != nil {
		return missing
	}
	return n
}

// Order puts writes that bound each other into the order in which the kernel takes them.
// Memory is never above memory+swap: a rise begins with the latter, a fall with the former. The
// share of CPU time, quota by period, is bounded by that of the group above: of the two ways
// there, the one with the lower share. A group without a quota has the share of the one above.
func Order(list []cgroupfs.Setting, now cgroupfs.Limits) {
	memory, swap := find(list, "memory.limit_in_bytes"), find(list, "memory.memsw.limit_in_bytes")
	if memory >= 0 && swap >= 0 && above(value(list[swap]), now.Swap) {
		list[memory], list[swap] = list[swap], list[memory]
	}
	period, quota := find(list, "cpu.cfs_period_us"), find(list, "cpu.cfs_quota_us")
	if period < 0 || quota < 0 || now.Period == 0 {
		return
	}
	newQuota, newPeriod := value(list[quota]), value(list[period])
	quotaFirst, periodFirst := float64(newQuota)/float64(now.Period), float64(now.Quota)/float64(newPeriod)
	if now.Quota >= 0 && quotaFirst < periodFirst {
		list[period], list[quota] = list[quota], list[period]
	}
}

func find(list []cgroupfs.Setting, file string) int {
	return slices.IndexFunc(list, func(s cgroupfs.Setting) bool { return s.File == file })
}

// value is the number of a setting that Settings made.
func value(s cgroupfs.Setting) int64 {
	n, _ := strconv.ParseInt(s.Value, 10, 64)
	return n
}

// above compares limits, of which −1 is the highest.
func above(a, b int64) bool { return b >= 0 && (a < 0 || a > b) }
