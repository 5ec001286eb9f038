package v1

import "rt/cgroups/stat"

func memoryStat(r *stat.Reader, s *stat.Stats) {
	m := &s.Memory
	m.Raw = r.Keyed("memory.stat")
	m.Cache = m.Raw["cache"]
	m.Usage = memoryUse(r, "memory")
	m.Swap = memoryUse(r, "memory.memsw")
	m.Kernel = memoryUse(r, "memory.kmem")
	m.KernelTCP = memoryUse(r, "memory.kmem.tcp")
	m.OOMKills = r.Keyed("memory.oom_control")["oom_kill"]
}

func memoryUse(r *stat.Reader, name string) stat.MemoryUse {
	return stat.MemoryUse{
		Limit:   r.Uint(name + ".limit_in_bytes"),
		Usage:   r.Uint(name + ".usage_in_bytes"),
		Max:     r.Uint(name + ".max_usage_in_bytes"),
		Failcnt: r.Uint(name + ".failcnt"),
	}
}
