package v1

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
)

// memory: the limit comes before memory+swap, which must not be below it.
func memory(m *specs.LinuxMemory, s *cgroupfs.Settings) {
	if m == nil {
		return
	}
	s.Int("memory", "memory.limit_in_bytes", m.Limit, "/memory/limit")
	s.Int("memory", "memory.memsw.limit_in_bytes", m.Swap, "/memory/swap")
	s.Int("memory", "memory.soft_limit_in_bytes", m.Reservation, "/memory/reservation")
	s.Int("memory", "memory.kmem.tcp.limit_in_bytes", m.KernelTCP, "/memory/kernelTCP")
	if m.Swappiness != nil {
		swappiness(*m.Swappiness, s)
	}
	if m.DisableOOMKiller != nil && *m.DisableOOMKiller {
		s.Set("memory", "memory.oom_control", "1", "/memory/disableOOMKiller")
	}
	cgroupfs.CheckMemory(m, s)
}

func swappiness(v uint64, s *cgroupfs.Settings) {
	if v > 100 {
		s.Invalid("/memory/swappiness", "swappiness is above 100")
		return
	}
	s.Set("memory", "memory.swappiness", cgroupfs.Decimal(v), "/memory/swappiness")
}
