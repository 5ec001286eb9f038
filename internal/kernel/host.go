// Package kernel holds what is asked of the host, as values: compile decides from them,
// and nothing else looks. It also has the kernel's tables of names.
package kernel

import (
	"os"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// Host is what a plan depends on besides config.json. It is read once per command.
type Host struct {
	Cgroups Cgroups
	Caps    uint64 // the caller's permitted capabilities, a mask by capability number
	Kcore   bool   // /proc/kcore exists
	UserNS  bool   // the caller is in a user namespace that is not the host's
	UID     uint32 // the caller's effective ids, in its own user namespace
	GID     uint32
}

// ReadHost asks the kernel. It works without privileges.
func ReadHost() (Host, error) {
	cg, err := ReadCgroups()
	if err != nil {
		return Host{}, err
	}
	h, err := ReadRights()
	if err != nil {
		return Host{}, err
	}
	cg.UID, cg.NoBPF = uint32(unix.Geteuid()), h.UserNS || !loads(h.Caps)
	h.Cgroups, h.Kcore = cg, unix.Access("/proc/kcore", unix.F_OK) == nil
	h.UID, h.GID = cg.UID, uint32(unix.Getegid())
	return h, nil
}

// ReadRights fills in Caps and UserNS: to join a container takes no more.
func ReadRights() (Host, error) {
	caps, err := ReadCaps()
	if err != nil {
		return Host{}, err
	}
	inside, err := ReadUserNS()
	return Host{Caps: caps, UserNS: inside}, err
}

// loads tells whether capabilities of the first user namespace are enough to load a device
// program, capabilities(7).
func loads(caps uint64) bool {
	const both = 1<<unix.CAP_BPF | 1<<unix.CAP_NET_ADMIN
	return caps&(1<<unix.CAP_SYS_ADMIN) != 0 || caps&both == both
}

// Root tells whether the caller is the host's own root, and not that of a user namespace.
func (h Host) Root() bool { return h.UID == 0 && !h.UserNS }

// initialUserNS is the inode of the first user namespace, PROC_USER_INIT_INO. Its maps tell
// nothing: another namespace may map all ids to themselves.
const initialUserNS = 0xEFFFFFFD

// ReadUserNS tells whether the caller is in another user namespace than the host's first.
func ReadUserNS() (bool, error) {
	const path = "/proc/self/ns/user"
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return false, errs.Op("stat", path, err)
	}
	return st.Ino != initialUserNS, nil
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
