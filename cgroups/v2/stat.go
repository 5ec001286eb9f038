package v2

import "rt/cgroups/stat"

// Stat reads what the group at dir counts (Documentation/admin-guide/cgroup-v2.rst).
func Stat(dir string) (stat.Stats, error) {
	r := stat.Reader{Dir: dir}
	s := stat.Stats{
		CPU:     cpuStat(&r),
		CPUSet:  stat.CPUSet{CPUs: r.List("cpuset.cpus.effective"), Mems: r.List("cpuset.mems.effective")},
		Memory:  memoryStat(&r),
		Pids:    pidsStat(&r),
		IO:      ioStat(&r),
		Hugetlb: hugetlbStat(&r),
	}
	return s, r.Err
}

func pidsStat(r *stat.Reader) stat.Pids {
	p := stat.Pids{Current: r.Uint("pids.current")}
	if r.Text("pids.max") != "max" {
		p.Limit = r.Uint("pids.max")
	}
	return p
}
