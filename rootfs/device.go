package rootfs

import (
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// nodes are the devices that every container has (config-linux.md, "Default Devices").
var nodes = []struct {
	name         string
	major, minor uint32
}{
	{"null", 1, 3},
	{"zero", 1, 5},
	{"full", 1, 7},
	{"random", 1, 8},
	{"urandom", 1, 9},
	{"tty", 5, 0},
}

// links are the symbolic links of /dev (runtime-linux.md, "Dev symbolic links").
var links = []struct{ name, target string }{
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
}

// Devices adds the default devices, those of linux.devices, and the links. A bind mount
// on /dev brings its own; nothing is made in it. With bound the nodes are the host's.
func Devices(b *plan.Builder, spec *specs.Spec, kcore, bound bool) {
	if bindsDev(spec.Mounts) {
		return
	}
	b.From("").Mkdir("/dev")
	b.Open("/dev", unix.O_PATH|unix.O_DIRECTORY, plan.OpenInRoot, plan.SlotDev)
	for _, n := range nodes {
		switch {
		case named(spec, "/dev/"+n.name):
		case bound:
			bindNode(b, "/dev/"+n.name)
		default:
			b.Mknod(plan.SlotDev, n.name, plan.Node{Mode: unix.S_IFCHR | 0o666, Dev: unix.Mkdev(n.major, n.minor)})
		}
	}
	if spec.Linux != nil {
		for i, d := range spec.Linux.Devices {
			b.From("/linux/devices/" + itoa(i))
			if bound && DeviceType(d.Type) != unix.S_IFIFO {
				bindNode(b, filepath.Clean("/"+d.Path))
			} else {
				device(b, d)
			}
		}
	}
	b.From("")
	for _, l := range links {
		b.Symlink(plan.SlotDev, l.name, l.target, 0)
	}
	if kcore {
		b.Symlink(plan.SlotDev, "core", "/proc/kcore", 0)
	}
	// The image's own ptmx may be anything; the container's devpts has the right one.
	b.Symlink(plan.SlotDev, "ptmx", "pts/ptmx", plan.SymlinkReplace)
	b.Close(plan.SlotDev)
}

func bindsDev(mounts []specs.Mount) bool {
	for _, m := range mounts {
		if Destination(m) == "/dev" && IsBind(m) {
			return true
		}
	}
	return false
}

// IsBind tells a bind mount: the options decide, the type is accepted too.
func IsBind(m specs.Mount) bool {
	for _, o := range m.Options {
		if LookupOption(o).Class == Bind {
			return true
		}
	}
	return m.Type == "bind"
}

func named(spec *specs.Spec, path string) bool {
	if spec.Linux == nil {
		return false
	}
	for _, d := range spec.Linux.Devices {
		if filepath.Clean(d.Path) == path {
			return true
		}
	}
	return false
}

// bindNode shows the host's device of the same path: in a user namespace mknod(2) is refused.
func bindNode(b *plan.Builder, path string) {
	b.OpenTree(path, cloneFlags(false), 0, plan.SlotTree)
	b.Attach(plan.SlotTree, path, plan.AttachLikeSource)
}

// device makes one node of linux.devices, in /dev or anywhere else.
func device(b *plan.Builder, d specs.LinuxDevice) {
	n := plan.Node{Mode: DeviceType(d.Type) | 0o666}
	if d.FileMode != nil {
		n.Mode = DeviceType(d.Type) | uint32(*d.FileMode)&0o7777
	}
	if n.Mode&unix.S_IFMT != unix.S_IFIFO {
		n.Dev = unix.Mkdev(uint32(d.Major), uint32(d.Minor))
	}
	if d.UID != nil {
		n.Uid = *d.UID
	}
	if d.GID != nil {
		n.Gid = *d.GID
	}
	dir, name := filepath.Split(filepath.Clean("/" + d.Path))
	if dir == "/dev/" {
		b.Mknod(plan.SlotDev, name, n)
		return
	}
	dir = filepath.Clean(dir)
	b.Mkdir(dir)
	b.Open(dir, unix.O_PATH|unix.O_DIRECTORY, plan.OpenInRoot, plan.SlotTmp)
	b.Mknod(plan.SlotTmp, name, n)
	b.Close(plan.SlotTmp)
}

// DeviceType is the type of a linux.devices entry as inode(7) has it: S_IFCHR for any letter
// but b and p.
func DeviceType(t string) uint32 {
	switch t {
	case "b":
		return unix.S_IFBLK
	case "p":
		return unix.S_IFIFO
	}
	return unix.S_IFCHR // c, and its synonym u
}
