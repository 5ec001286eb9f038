package v2

import (
	"math"

	"rt/cgroups/stat"
)

func memoryStat(r *stat.Reader) stat.Memory {
	raw, events := r.Keyed("memory.stat"), r.Keyed("memory.events")
	m := stat.Memory{
		Cache:    raw["file"],
		Usage:    memoryUse(r, "memory"),
		Raw:      raw,
		Pressure: r.Pressure("memory.pressure"),
		OOMKills: events["oom_kill"],
	}
	m.Usage.Failcnt = events["max"]
	m.Swap = together(m.Usage, memoryUse(r, "memory.swap"))
	m.Swap.Failcnt = r.Keyed("memory.swap.events")["max"]
	if len(raw) > 0 { // counted, and never limited
		m.Kernel = stat.MemoryUse{Limit: math.MaxUint64, Usage: raw["kernel"]}
		m.KernelTCP = stat.MemoryUse{Limit: math.MaxUint64, Usage: raw["sock"]}
	}
	return m
}

// memoryUse: memory.peak is there since Linux 5.19, memory.swap.peak since 6.5.
func memoryUse(r *stat.Reader, name string) stat.MemoryUse {
	return stat.MemoryUse{Limit: r.Uint(name + ".max"), Usage: r.Uint(name + ".current"), Max: r.Uint(name + ".peak")}
}

// together is memory and swap as v1 has them, in one number. There is none for the most of both
// at one time: the two may have been at different ones.
func together(memory, swap stat.MemoryUse) stat.MemoryUse {
	sum := stat.MemoryUse{Limit: math.MaxUint64, Usage: memory.Usage + swap.Usage}
	if limit := memory.Limit + swap.Limit; limit >= memory.Limit {
		sum.Limit = limit
	}
	return sum
}
