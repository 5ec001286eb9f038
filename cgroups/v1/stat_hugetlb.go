package v1

import "rt/cgroups/stat"

func hugetlbStat(r *stat.Reader, s *stat.Stats) {
	for _, size := range r.Pages("usage_in_bytes") {
		name := "hugetlb." + size
		s.Hugetlb[size] = stat.Hugetlb{
			Usage:   r.Uint(name + ".usage_in_bytes"),
			Max:     r.Uint(name + ".max_usage_in_bytes"),
			Failcnt: r.Uint(name + ".failcnt"),
		}
	}
}
