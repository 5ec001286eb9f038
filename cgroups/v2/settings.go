// Package v2 is cgroup v2: what is written to its controllers and the device program (the
// deciding part), and enabling controllers, freezing and killing in it (the acting part).
package v2

import (
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
)

// Settings are the writes that resources asks for, in their order. controllers are those
// that the host has.
func Settings(r *specs.LinuxResources, controllers []string) cgroupfs.Settings {
	var s cgroupfs.Settings
	memory(r.Memory, &s)
	cpu(r.CPU, &s)
	cpuset(r.CPU, &s)
	pids(r.Pids, &s)
	s.Weight("io", WeightFile, r.BlockIO)
	unified(r.Unified, &s)
	for _, set := range s.List {
		if set.Controller != "cgroup" && !slices.Contains(controllers, set.Controller) && s.Err == nil {
			s.Err = cgroupfs.Missing(set)
		}
	}
	return s
}
