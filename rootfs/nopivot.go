package rootfs

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/kernel"
	"rt/internal/plan"
)

// EnterMoved makes the clone the root without pivot_root(2), which cannot replace an initial
// ramfs. The old root stays below the new one; all that is mounted in it goes. A procfs or
// sysfs that stayed, with nothing masked, would let the kernel grant a new one to a user
// namespace in the container.
func EnterMoved(b *plan.Builder, spec *specs.Spec, mounts []kernel.Mount) {
	propagation := RootPropagation(spec)
	if propagation&unix.MS_SHARED != 0 {
		// Else the move would be done to the host as well.
		b.From("/linux/rootfsPropagation").Setattr(plan.SlotNone, "/", plan.Attr{Propagation: unix.MS_SLAVE})
	}
	b.From("/root/path").MoveRoot()
	for i := len(mounts) - 1; i >= 0; i-- { // the last one lies on top
		m := mounts[i]
		switch {
		case m.Point == "/":
		case m.Type == "proc" || m.Type == "sysfs":
			b.Drop(m.Point, plan.DropCover)
		default:
			b.Drop(m.Point, 0)
		}
	}
	b.Chroot("the root file system")
	if propagation&(unix.MS_SHARED|unix.MS_UNBINDABLE) != 0 {
		b.From("/linux/rootfsPropagation").Setattr(plan.SlotNone, "/", PropagationAttr(propagation))
	}
}
