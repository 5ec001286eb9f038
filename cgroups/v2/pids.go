package v2

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
)

func pids(p *specs.LinuxPids, s *cgroupfs.Settings) {
	if p != nil && p.Limit != nil {
		s.Set("pids", "pids.max", cgroupfs.PidsMax(*p.Limit), "/pids/limit")
	}
}
