package v2

import "rt/cgroups/stat"

const microsecond = 1000 // nanoseconds

func cpuStat(r *stat.Reader) stat.CPU {
	t := r.Keyed("cpu.stat")
	return stat.CPU{
		Usage: stat.CPUUsage{
			Total:  t["usage_usec"] * microsecond,
			Kernel: t["system_usec"] * microsecond,
			User:   t["user_usec"] * microsecond,
		},
		Throttling: stat.Throttling{
			Periods:          t["nr_periods"],
			ThrottledPeriods: t["nr_throttled"],
			ThrottledTime:    t["throttled_usec"] * microsecond,
		},
		Pressure: r.Pressure("cpu.pressure"),
	}
}
