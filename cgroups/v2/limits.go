package v2

import (
	"strconv"
	"strings"

	"rt/cgroups/cgroupfs"
)

// Limits reads what the group at dir has. A file that is not there is no limit. Memory and
// swap have limits of their own here, so that there is none for both.
func Limits(dir string) cgroupfs.Limits {
	now := cgroupfs.Limits{Memory: number(dir, "memory.max"), Swap: -1, Usage: max(number(dir, "memory.current"), 0), Quota: -1, Period: 100000}
	if text, err := cgroupfs.Read(dir + "/cpu.max"); err == nil {
		quota, period, _ := strings.Cut(text, " ")
		now.Quota = parse(quota)
		now.Period = uint64(max(parse(period), 0))
	}
	return now
}

func number(dir, file string) int64 {
	text, err := cgroupfs.Read(dir + "/" + file)
	if err != nil {
		return -1
	}
	return parse(text)
}

// parse gives −1 for "max".
func parse(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}
