package v1

import "rt/cgroups/stat"

func cpusetStat(r *stat.Reader, s *stat.Stats) {
	s.CPUSet = stat.CPUSet{
		CPUs:                  r.List(cpusFile),
		CPUExclusive:          r.Uint("cpuset.cpu_exclusive"),
		Mems:                  r.List(memsFile),
		MemHardwall:           r.Uint("cpuset.mem_hardwall"),
		MemExclusive:          r.Uint("cpuset.mem_exclusive"),
		MemoryMigrate:         r.Uint("cpuset.memory_migrate"),
		MemorySpreadPage:      r.Uint("cpuset.memory_spread_page"),
		MemorySpreadSlab:      r.Uint("cpuset.memory_spread_slab"),
		MemoryPressure:        r.Uint("cpuset.memory_pressure"),
		SchedLoadBalance:      r.Uint("cpuset.sched_load_balance"),
		SchedRelaxDomainLevel: r.Int("cpuset.sched_relax_domain_level"),
	}
}
