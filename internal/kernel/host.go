// Package kernel holds what is asked of the host, as values: compile decides from them,
// and nothing else looks. It also has the kernel's tables of names.
package kernel

import (
	"os"

	"golang.org/x/sys/unix"
)

// Host is what a plan depends on besides config.json. It is read once per command.
type Host struct {
	Cgroups Cgroups
	Caps    uint64 // the caller's permitted capabilities, a mask by capability number
	Kcore   bool   // /proc/kcore exists
}

// ReadHost asks the kernel. It works without privileges.
func ReadHost() (Host, error) {
	cg, err := ReadCgroups()
	if err != nil {
		return Host{}, err
	}
	caps, err := ReadCaps()
	if err != nil {
		return Host{}, err
	}
	return Host{Cgroups: cg, Caps: caps, Kcore: unix.Access("/proc/kcore", unix.F_OK) == nil}, nil
}

// ReadCaps asks for the caller's permitted capabilities, capget(2).
func ReadCaps() (uint64, error) {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		return 0, os.NewSyscallError("capget", err)
	}
	return uint64(data[1].Permitted)<<32 | uint64(data[0].Permitted), nil
}
