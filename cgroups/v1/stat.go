package v1

import "rt/cgroups/stat"

// readings is who reads what in which hierarchy.
var readings = []struct {
	controller string
	read       func(*stat.Reader, *stat.Stats)
}{
	{"cpuacct", cpuUsage},
	{"cpu", throttling},
	{"cpuset", cpusetStat},
	{"memory", memoryStat},
	{"pids", pidsStat},
	{"blkio", blkioStat},
	{"hugetlb", hugetlbStat},
}

// Stat reads what the group counts (Documentation/admin-guide/cgroup-v1). dir gives the
// group's directory for a controller, "" without it.
func Stat(dir func(controller string) string) (stat.Stats, error) {
	s := stat.Stats{Hugetlb: map[string]stat.Hugetlb{}}
	for _, row := range readings {
		r := stat.Reader{Dir: dir(row.controller)}
		if r.Dir == "" {
			continue
		}
		if row.read(&r, &s); r.Err != nil {
			return s, r.Err
		}
	}
	return s, nil
}

func pidsStat(r *stat.Reader, s *stat.Stats) {
	s.Pids = stat.Pids{Current: r.Uint("pids.current")}
	if r.Text("pids.max") != "max" {
		s.Pids.Limit = r.Uint("pids.max")
	}
}
