package v2

import (
	"math"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
)

// cpu: the weight comes before idle, which forbids it.
func cpu(c *specs.LinuxCPU, s *cgroupfs.Settings) {
	if c == nil {
		return
	}
	if cgroupfs.Asks(c.Shares) {
		s.Set("cpu", "cpu.weight", weight(*c.Shares), "/cpu/shares")
	}
	bandwidth(c, s)
	if c.Burst != nil {
		s.Set("cpu", "cpu.max.burst", cgroupfs.Decimal(*c.Burst), "/cpu/burst")
	}
	if c.Idle != nil {
		s.Set("cpu", "cpu.idle", strconv.FormatInt(*c.Idle, 10), "/cpu/idle")
	}
	if cgroupfs.Asks(c.RealtimeRuntime) {
		s.Unsupported("/cpu/realtimeRuntime", "cgroup v2 has no realtime limits")
	}
	if cgroupfs.Asks(c.RealtimePeriod) {
		s.Unsupported("/cpu/realtimePeriod", "cgroup v2 has no realtime limits")
	}
}

// bandwidth: cpu.max holds both numbers; a quota alone comes with the kernel's default
// period of 100 ms, a period alone with no quota.
func bandwidth(c *specs.LinuxCPU, s *cgroupfs.Settings) {
	quota, period, where := "max", "100000", "/cpu/quota"
	if !cgroupfs.Asks(c.Quota) {
		where = "/cpu/period"
	} else if *c.Quota > 0 {
		quota = strconv.FormatInt(*c.Quota, 10)
	}
	if cgroupfs.Asks(c.Period) {
		period = cgroupfs.Decimal(*c.Period)
	} else if where == "/cpu/period" {
		return
	}
	s.Set("cpu", "cpu.max", quota+" "+period, where)
}

// weight maps v1's shares, 2 … 1024 … 262144, to v2's weight, 1 … 100 … 10000, by a curve
// through these three points. A fraction is rounded up; the small number is for results
// such as 100.00000000000001.
func weight(shares uint64) string {
	l := math.Log2(float64(min(max(shares, 2), 262144)))
	y := math.Pow(10, (l*l+125*l)/612-7.0/34)
	return cgroupfs.Decimal(uint64(math.Ceil(y - 1e-6)))
}
