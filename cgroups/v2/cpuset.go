package v2

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
)

func cpuset(c *specs.LinuxCPU, s *cgroupfs.Settings) {
	if c == nil {
		return
	}
	s.Text("cpuset", "cpuset.cpus", c.Cpus, "/cpu/cpus")
	s.Text("cpuset", "cpuset.mems", c.Mems, "/cpu/mems")
}
