package cgroupfs

import (
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// CheckMemory is what v1 and v2 refuse and ignore alike.
func CheckMemory(m *specs.LinuxMemory, s *Settings) {
	if positive(m.Limit) && positive(m.Swap) && *m.Swap < *m.Limit {
		s.Invalid("/memory/swap", "memory+swap is below the memory limit")
	}
	if positive(m.Kernel) {
		s.Warn("/memory/kernel", "kernel memory limits are ignored: Linux has none since 5.16")
	}
	if m.UseHierarchy != nil && !*m.UseHierarchy {
		s.Warn("/memory/useHierarchy", "memory accounting is always hierarchical since Linux 5.11")
	}
}

func positive(v *int64) bool { return v != nil && *v > 0 }

// Decimal is v in decimal digits.
func Decimal(v uint64) string { return strconv.FormatUint(v, 10) }

// PidsMax is the value of pids.max for a limit: below 0 is unlimited, 0 a real limit.
func PidsMax(limit int64) string {
	if limit < 0 {
		return "max"
	}
	return strconv.FormatInt(limit, 10)
}
