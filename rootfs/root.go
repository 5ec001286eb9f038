package rootfs

import (
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/plan"
)

// RootPropagation is linux.rootfsPropagation as MS_* flags; a slave, recursively, without it.
func RootPropagation(spec *specs.Spec) uint64 {
	if spec.Linux != nil && spec.Linux.RootfsPropagation != "" {
		return LookupOption(spec.Linux.RootfsPropagation).Set
	}
	return unix.MS_SLAVE | Recurse
}

// Open clones the root file system and mounts the clone on itself: pivot_root(2) wants a
// mount. parent is the mount that path lies on; it must be private if the host's mounts
// stay shared, or the host would see the container's.
func Open(b *plan.Builder, spec *specs.Spec, path, parent string) {
	propagation := RootPropagation(spec)
	if propagation&unix.MS_UNBINDABLE != 0 { // nothing could be cloned from it
		propagation = unix.MS_SLAVE | Recurse
	}
	b.From("/linux/rootfsPropagation")
	switch {
	case propagation&unix.MS_SHARED != 0:
		b.Setattr(plan.SlotNone, "/", PropagationAttr(propagation))
		b.Setattr(plan.SlotNone, parent, PropagationAttr(unix.MS_PRIVATE))
	case propagation == unix.MS_PRIVATE:
		// The root alone: a volume from another mount of the host can still be its slave.
		b.Setattr(plan.SlotNone, "/", PropagationAttr(unix.MS_SLAVE|Recurse))
	default:
		// For the host's whole tree: of a mount that stays shared, what lies on it would be
		// unmounted for the host, too (TestS30).
		b.Setattr(plan.SlotNone, "/", PropagationAttr(propagation|Recurse))
	}
	b.From("/root/path").OpenTree(path, cloneFlags(true), 0, plan.SlotRoot)
	if propagation == unix.MS_PRIVATE {
		b.Setattr(plan.SlotRoot, "", PropagationAttr(propagation))
	}
	b.Attach(plan.SlotRoot, path, plan.AttachHostPath|plan.AttachKeep)
}

// Bare refuses what would need mounts: without a mount namespace they would be the host's.
func Bare(spec *specs.Spec) error {
	where := ""
	switch l := spec.Linux; {
	case len(spec.Mounts) > 0:
		where = "/mounts/0"
	case spec.Root.Readonly:
		where = "/root/readonly"
	case len(l.MaskedPaths) > 0:
		where = "/linux/maskedPaths/0"
	case len(l.ReadonlyPaths) > 0:
		where = "/linux/readonlyPaths/0"
	case l.RootfsPropagation != "":
		where = "/linux/rootfsPropagation"
	default:
		return nil
	}
	return &errs.Error{Op: "mount", Where: where, Kind: errs.Invalid,
		Err: errs.New(errs.Invalid, `without a mount namespace it would be done to the host: add {"type": "mount"} to /linux/namespaces`)}
}

// Enter makes the clone the root.
func Enter(b *plan.Builder, spec *specs.Spec) {
	b.From("/root/path")
	if RootPropagation(spec)&(unix.MS_SHARED|unix.MS_UNBINDABLE) == 0 {
		b.Pivot(0)
		return
	}
	b.Pivot(plan.PivotSlave)
	b.From("/linux/rootfsPropagation").Setattr(plan.SlotNone, "/", PropagationAttr(RootPropagation(spec)))
}

// PrepareMasks gets what masked paths are covered with, while the host's /dev is still
// there: its /dev/null, and one empty read-only tmpfs for all directories. With moved the latter
// covers directories of the old root, too.
func PrepareMasks(b *plan.Builder, spec *specs.Spec, moved bool) {
	masked := spec.Linux != nil && len(spec.Linux.MaskedPaths) > 0
	if !masked && !moved {
		return
	}
	if masked {
		b.From("/linux/maskedPaths").OpenTree("/dev/null", cloneFlags(false), plan.OpenTreeNull, plan.SlotNull)
	}
	b.Fsopen("tmpfs")
	b.Fsconfig(unix.FSCONFIG_SET_STRING, "mode", "755")
	b.Fsconfig(unix.FSCONFIG_SET_STRING, "nr_inodes", "1")
	b.Fsconfig(unix.FSCONFIG_CMD_CREATE, "", "")
	b.Fsmount(unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC, plan.SlotHidden, "masked directories")
}

// Hide covers maskedPaths, locks readonlyPaths, and makes the root read-only.
func Hide(b *plan.Builder, spec *specs.Spec) {
	if l := spec.Linux; l != nil {
		for i, p := range l.ReadonlyPaths {
			b.From("/linux/readonlyPaths/" + itoa(i)).Readonly(p)
		}
		for i, p := range l.MaskedPaths {
			b.From("/linux/maskedPaths/" + itoa(i)).Mask(p)
		}
	}
	if spec.Root.Readonly {
		b.From("/root/readonly").Setattr(plan.SlotRoot, "", plan.Attr{Set: unix.MOUNT_ATTR_RDONLY})
	}
}

func itoa(i int) string { return strconv.Itoa(i) }
