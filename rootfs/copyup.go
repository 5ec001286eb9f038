package rootfs

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/plan"
)

// CopiesUp tells whether a mount asks for tmpcopyup.
func CopiesUp(mounts []specs.Mount) bool {
	return slices.ContainsFunc(mounts, func(m specs.Mount) bool {
		return m.Type == "tmpfs" && slices.ContainsFunc(m.Options, func(o string) bool { return LookupOption(o).Class == CopyUp })
	})
}

// copyUp fills a new tmpfs before it is seen, and while it is writable. An option for its
// mode or owner stands against the directory's.
func copyUp(b *plan.Builder, m specs.Mount, c choice) {
	dst := Destination(m)
	take := uint16(0)
	for _, t := range []struct {
		key  string
		flag uint16
	}{{"mode=", plan.CopyUpMode}, {"uid=", plan.CopyUpUID}, {"gid=", plan.CopyUpGID}} {
		if !has(c.data, t.key) {
			take |= t.flag
		}
	}
	b.Fsmount(0, plan.SlotTree, dst)
	b.CopyUp(plan.SlotTree, dst, take)
	attributes(b, c)
}

// remount changes attributes of the mount that lies on the destination. What no option names
// stays as it is, where mount(2) would take it back: a forgotten nosuid does not open a mount.
func remount(b *plan.Builder, where string, m specs.Mount, c choice) error {
	if len(c.data)+len(c.super) > 0 {
		return &errs.Error{Op: "mount again, with options of the file system,", Path: m.Destination, Where: where, Kind: errs.Unsupported, Err: errNotBuilt}
	}
	if c.idmap {
		return &errs.Error{Op: "map the ids of the mount on", Path: m.Destination, Where: where, Kind: errs.Unsupported, Err: errNotBuilt}
	}
	dst := Destination(m)
	b.Open(dst, unix.O_PATH, plan.OpenInRoot, plan.SlotTmp)
	for _, a := range []plan.Attr{c.tree, c.one} {
		if a.Set|a.Clear != 0 {
			b.Setattr(plan.SlotTmp, "", a)
		}
	}
	for _, p := range c.propagation {
		b.Setattr(plan.SlotTmp, "", PropagationAttr(p))
	}
	b.Close(plan.SlotTmp)
	return nil
}
