// Package v1 is cgroup v1: what is written to its controllers (the deciding part), and its
// freezer, its cpuset and killing in it (the acting part).
package v1

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/devices"
)

// Settings are the writes that resources asks for, in their order.
func Settings(r *specs.LinuxResources, list devices.List) cgroupfs.Settings {
	var s cgroupfs.Settings
	memory(r.Memory, &s)
	cpu(r.CPU, &s)
	cpuset(r.CPU, &s)
	pids(r.Pids, &s)
	s.Weight("blkio", WeightFile, r.BlockIO)
	deviceWrites(list, &s)
	if len(r.Unified) > 0 {
		s.Unsupported("/unified", "this host has cgroup v1")
	}
	return s
}
