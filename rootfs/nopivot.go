package rootfs

import (
	"slices"

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
	dropAll(b, mounts)
	b.Chroot("the root file system")
	if propagation&(unix.MS_SHARED|unix.MS_UNBINDABLE) != 0 {
		b.From("/linux/rootfsPropagation").Setattr(plan.SlotNone, "/", PropagationAttr(propagation))
	}
}

// dropAll takes mounts away from the last one on, which lies on top; those on one point go
// together.
func dropAll(b *plan.Builder, mounts []kernel.Mount) {
	for i := len(mounts) - 1; i >= 0; i-- {
		point, flags, count := mounts[i].Point, uint16(0), uint64(0)
		if point == "/" || slices.ContainsFunc(mounts[i+1:], func(m kernel.Mount) bool { return m.Point == point }) {
			continue
		}
		for _, m := range mounts[:i+1] {
			if m.Point != point {
				continue
			}
			count++
			if m.Type == "proc" || m.Type == "sysfs" {
				flags = plan.DropCover
			}
		}
		b.Drop(point, count, flags)
	}
}
