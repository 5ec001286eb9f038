package cgroupfs

import (
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Limits are the values of a group that depend on each other. −1 is unlimited.
type Limits struct {
	Memory, Swap int64  // bytes; Swap is v1's for memory and swap together
	Usage        int64  // bytes of memory, 0 unknown
	Quota        int64  // µs in each Period
	Period       uint64 // µs
}

// Merge completes r, which changes a group that is as now says, by the values that an
// update without them leaves as they are: a limit of swap means nothing without that of
// memory, nor a quota without its period.
func Merge(r specs.LinuxResources, now Limits, s *Settings) specs.LinuxResources {
	if r.Memory != nil {
		m := *r.Memory
		mergeMemory(&m, now, s)
		r.Memory = &m
	}
	if r.CPU != nil {
		c := *r.CPU
		mergeCPU(&c, now)
		r.CPU = &c
	}
	return r
}

func mergeMemory(m *specs.LinuxMemory, now Limits, s *Settings) {
	switch {
	case Asks(m.Limit) && *m.Limit < 0 && !Asks(m.Swap):
		m.Swap = new(int64(-1))
	case positive(m.Limit) && !Asks(m.Swap) && now.Swap >= 0:
		if now.Swap < *m.Limit {
			s.Invalid("/memory/limit", "it is above the limit of memory+swap, "+digits(now.Swap)+", which has to be raised as well (memory.swap, --memory-swap)")
		}
		m.Swap = &now.Swap
	case positive(m.Swap) && !Asks(m.Limit):
		if now.Memory < 0 {
			s.Invalid("/memory/swap", "memory+swap needs a memory limit, and there is none")
		} else if *m.Swap < now.Memory {
			s.Invalid("/memory/swap", "memory+swap is below the memory limit, "+digits(now.Memory))
		}
		m.Limit = &now.Memory
	}
	if now.Usage > 0 && positive(m.Limit) && *m.Limit < now.Usage && m.CheckBeforeUpdate != nil && *m.CheckBeforeUpdate {
		s.Invalid("/memory/limit", "it is below what the container uses, "+digits(now.Usage)+" bytes (checkBeforeUpdate)")
	}
}

func mergeCPU(c *specs.LinuxCPU, now Limits) {
	switch {
	case Asks(c.Quota) && !Asks(c.Period):
		c.Period = &now.Period
	case Asks(c.Period) && !Asks(c.Quota):
		c.Quota = &now.Quota
	}
}

func digits(n int64) string { return strconv.FormatInt(n, 10) }
