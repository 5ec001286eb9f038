package v1

import (
	"strings"

	"rt/cgroups/stat"
)

// tick is 1/USER_HZ s in nanoseconds, the unit of cpuacct.stat: 100 Hz wherever Linux shows
// times to programs.
const tick = 10_000_000

// cpuUsage: the kernel scales cpuacct.stat so that user and system are the total; the
// columns of usage_all are not scaled.
func cpuUsage(r *stat.Reader, s *stat.Stats) {
	parts := r.Keyed("cpuacct.stat")
	u := &s.CPU.Usage
	u.Total = r.Uint("cpuacct.usage")
	u.User, u.Kernel = parts["user"]*tick, parts["system"]*tick
	u.PerCPU = r.Uints("cpuacct.usage_percpu")
	perCPU(r, u)
}

// perCPU reads lines CPU USER SYSTEM, below a heading.
func perCPU(r *stat.Reader, u *stat.CPUUsage) {
	const file = "cpuacct.usage_all"
	for line := range strings.Lines(r.Text(file)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] == "cpu" {
			continue
		}
		u.PerCPUUser = append(u.PerCPUUser, r.Number(file, fields[1]))
		u.PerCPUKernel = append(u.PerCPUKernel, r.Number(file, fields[2]))
	}
}

func throttling(r *stat.Reader, s *stat.Stats) {
	counts := r.Keyed("cpu.stat")
	s.CPU.Throttling = stat.Throttling{
		Periods:          counts["nr_periods"],
		ThrottledPeriods: counts["nr_throttled"],
		ThrottledTime:    counts["throttled_time"],
	}
}
