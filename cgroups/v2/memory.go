package v2

import (
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
)

func memory(m *specs.LinuxMemory, s *cgroupfs.Settings) {
	if m == nil {
		return
	}
	bytes("memory.max", m.Limit, "/memory/limit", s)
	swap(m, s)
	bytes("memory.low", m.Reservation, "/memory/reservation", s)
	if m.KernelTCP != nil && *m.KernelTCP > 0 {
		s.Unsupported("/memory/kernelTCP", "cgroup v2 has no limit for TCP buffers")
	}
	if m.Swappiness != nil {
		s.Unsupported("/memory/swappiness", "cgroup v2 has no swappiness")
	}
	if m.DisableOOMKiller != nil && *m.DisableOOMKiller {
		s.Unsupported("/memory/disableOOMKiller", "cgroup v2 cannot disable the OOM killer")
	}
	cgroupfs.CheckMemory(m, s)
}

func bytes(file string, v *int64, where string, s *cgroupfs.Settings) {
	if cgroupfs.Asks(v) {
		s.Set("memory", file, limit(*v), where)
	}
}

func limit(v int64) string {
	if v < 0 {
		return "max"
	}
	return strconv.FormatInt(v, 10)
}

// swap turns config.json's memory+swap into v2's swap alone. Unlimited memory that says
// nothing of swap means unlimited swap.
func swap(m *specs.LinuxMemory, s *cgroupfs.Settings) {
	const file, where = "memory.swap.max", "/memory/swap"
	limited := m.Limit != nil && *m.Limit > 0
	switch {
	case !cgroupfs.Asks(m.Swap):
		if m.Limit != nil && *m.Limit < 0 {
			s.Set("memory", file, "max", "/memory/limit")
		}
	case *m.Swap < 0:
		s.Set("memory", file, "max", where)
	case !limited:
		s.Invalid(where, "memory+swap needs a memory limit")
	default:
		s.Set("memory", file, limit(max(*m.Swap-*m.Limit, 0)), where)
	}
}
