package libcontainer

import (
	"runtime"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/compile"
	"rt/internal/errs"
	"rt/internal/idmap"
	"rt/internal/kernel"
	"rt/internal/plan"
	"rt/nsenter"
)

// source clones what a step mounts, for an init that may not reach it, or not map its ids. It
// is done in the container's mount namespace: a tree cloned in the host's loses the kernel's
// lock on its flags, and container root could clear the host's `ro`.
func (c *creation) source(s plan.Step, mounts int) (int, error) {
	users := -1
	if s.Kind == plan.KindTree {
		var err error
		if users, err = c.mountUsers(int(s.B)); err != nil {
			return -1, err
		}
		defer unix.Close(users)
	}
	tree := -1
	err := inMounts(mounts, func() (err error) {
		tree, err = unix.OpenTree(unix.AT_FDCWD, s.S, uint(s.A))
		if err != nil {
			return errs.At(s.Where, s.Kind.Verb(), s.S, err)
		}
		if users < 0 {
			return nil
		}
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(users)}
		err = unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|uint(s.C), &attr)
		return errs.At(s.Where, "map the ids of", s.S, err)
	})
	if err != nil && tree >= 0 {
		unix.Close(tree)
		tree = -1
	}
	return tree, err
}

// inMounts calls f on a thread of its own in another mount namespace. The thread ends with f.
func inMounts(ns int, f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_FS)
		if err == nil {
			err = unix.Setns(ns, unix.CLONE_NEWNS)
		}
		if err != nil {
			result <- errs.Op("join the container's mount namespace", "", err)
			return
		}
		result <- f()
	}()
	return <-result
}

// mountUsers is a user namespace with the mappings of a mount, or else the container's.
func (c *creation) mountUsers(mount int) (int, error) {
	m := c.doc.Spec.Mounts[mount]
	maps := idmap.Maps{UID: m.UIDMappings, GID: m.GIDMappings}
	if len(maps.UID) == 0 {
		l := c.doc.Spec.Linux
		maps = idmap.Maps{UID: l.UIDMappings, GID: l.GIDMappings}
		if fd := c.joined.fds[compile.NamespaceSlot(specs.UserNamespace)-plan.SlotNS]; fd >= 0 {
			return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		}
	}
	if len(maps.UID) == 0 {
		return -1, &errs.Error{Op: "map the ids of", Path: m.Source, Where: "/mounts/" + strconv.Itoa(mount), Kind: errs.Invalid,
			Err: errs.New(errs.Invalid, "neither the mount nor the container has uidMappings")}
	}
	where := "/mounts/" + strconv.Itoa(mount)
	if c.host.Caps&kernel.CapabilityBit("CAP_SYS_ADMIN") == 0 {
		return -1, errs.At(where, "map the ids of", m.Source, unix.EPERM)
	}
	fd, err := nsenter.UserNamespace(func(pid int) error { return idmap.Write(pid, maps, idmap.Self(c.host.Caps)) })
	return fd, errs.At(where, "map the ids of", m.Source, err)
}
