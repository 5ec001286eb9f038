package libcontainer

import (
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/cgroups"
	"rt/internal/kernel"
)

// Rootless says who goes on without a cgroup where none can be made.
type Rootless uint8

// The choices of --rootless.
const (
	RootlessAuto Rootless = iota // everybody but the host's root
	RootlessYes                  // everybody
	RootlessNo                   // nobody: it is an error
)

// tolerates tells whether a container may do without a cgroup.
func (r Rootless) tolerates(host kernel.Host) bool {
	return r == RootlessYes || r == RootlessAuto && !host.Root()
}

// deny notes in host that the container's groups cannot be made, if that shall be tolerated.
func (r Root) deny(host *kernel.Host, spec *specs.Spec, id string) {
	if !r.Rootless.tolerates(*host) {
		return
	}
	path := ""
	if spec.Linux != nil {
		path = spec.Linux.CgroupsPath
	}
	host.Cgroups.Denied = !cgroups.Accessible(path, id, host.Cgroups)
}

// mode adds the sticky bit, by which the XDG base directory specification has files kept that
// nobody looks at for hours. systemd-tmpfiles heeds it with files only, and leaves directories
// with something in them; so both have it.
func (r Root) mode(mode uint32) uint32 {
	if r.Sticky {
		return mode | unix.S_ISVTX
	}
	return mode
}

// makeRoot makes the state directory and what is missing above it.
func (r Root) makeRoot() error {
	mode := os.FileMode(0o700)
	if r.Sticky {
		mode |= os.ModeSticky
	}
	return os.MkdirAll(r.Dir, mode)
}
