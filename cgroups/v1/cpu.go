package v1

import (
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
)

// cpu: the period comes before the quota, which the parent's quota bounds relative to it;
// shares come before idle, which forbids them.
func cpu(c *specs.LinuxCPU, s *cgroupfs.Settings) {
	if c == nil {
		return
	}
	s.Uint("cpu", "cpu.shares", c.Shares, "/cpu/shares")
	s.Uint("cpu", "cpu.cfs_period_us", c.Period, "/cpu/period")
	s.Int("cpu", "cpu.cfs_quota_us", c.Quota, "/cpu/quota")
	if c.Burst != nil {
		s.Set("cpu", "cpu.cfs_burst_us", cgroupfs.Decimal(*c.Burst), "/cpu/burst")
	}
	s.Uint("cpu", "cpu.rt_period_us", c.RealtimePeriod, "/cpu/realtimePeriod")
	s.Int("cpu", "cpu.rt_runtime_us", c.RealtimeRuntime, "/cpu/realtimeRuntime")
	if c.Idle != nil {
		s.Set("cpu", "cpu.idle", strconv.FormatInt(*c.Idle, 10), "/cpu/idle")
	}
}
