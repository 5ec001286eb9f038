package v2

import "rt/cgroups/stat"

func hugetlbStat(r *stat.Reader) map[string]stat.Hugetlb {
	pages := map[string]stat.Hugetlb{}
	for _, size := range r.Pages("current") {
		name := "hugetlb." + size
		pages[size] = stat.Hugetlb{Usage: r.Uint(name + ".current"), Failcnt: r.Keyed(name + ".events")["max"]}
	}
	return pages
}
