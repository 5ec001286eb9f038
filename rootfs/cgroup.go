package rootfs

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// CgroupSource is the container's group in one hierarchy.
type CgroupSource struct {
	Name string // of the hierarchy's directory below /sys/fs/cgroup, "cpu,cpuacct"
	Path string // the group's directory on the host
}

// cgroup shows the container its own groups: the tree of v2, or a tmpfs with one directory
// for each v1 hierarchy. They are cloned from the host's mounts and never made by fsopen,
// which could create a hierarchy. In a cgroup namespace the clone's root is "/" just as a
// new mount's would be.
func cgroup(b *plan.Builder, m specs.Mount, c choice, ctx Context) {
	dst := Destination(m)
	if ctx.Guard {
		merge(&c.one, LookupOption("ro"))
	}
	if ctx.Unify {
		b.OpenTree(ctx.Groups[0].Path, cloneFlags(false), 0, plan.SlotTree)
		attributes(b, c)
		b.Attach(plan.SlotTree, dst, plan.AttachMakeDir)
		return
	}
	b.Fsopen("tmpfs")
	b.Fsconfig(unix.FSCONFIG_SET_STRING, "source", "cgroup")
	b.Fsconfig(unix.FSCONFIG_SET_STRING, "mode", "755")
	b.Fsconfig(unix.FSCONFIG_CMD_CREATE, "", "")
	b.Fsmount(c.one.Set&^unix.MOUNT_ATTR_RDONLY, plan.SlotTree, dst)
	b.Attach(plan.SlotTree, dst, plan.AttachMakeDir|plan.AttachKeep)
	for _, g := range ctx.Groups {
		hierarchy(b, dst, g)
	}
	c.one.At = uint16(unix.AT_RECURSIVE)
	attributes(b, c)
	b.Close(plan.SlotTree)
}

// hierarchy adds one group, and a link for each controller that shares it.
func hierarchy(b *plan.Builder, dst string, g CgroupSource) {
	b.MkdirAt(plan.SlotTree, g.Name)
	b.OpenTree(g.Path, cloneFlags(false), 0, plan.SlotTmp)
	b.Attach(plan.SlotTmp, dst+"/"+g.Name, 0)
	if !strings.Contains(g.Name, ",") {
		return
	}
	for controller := range strings.SplitSeq(g.Name, ",") {
		b.Symlink(plan.SlotTree, controller, g.Name, 0)
	}
}

// Split tells for each mount whether it has to wait until the cgroup is there: the
// cgroup mounts, and those that come after one and lie above or below it.
func Split(mounts []specs.Mount) []bool {
	late := make([]bool, len(mounts))
	var dsts []string
	for i, m := range mounts {
		dst := Destination(m)
		late[i] = m.Type == "cgroup" || m.Type == "cgroup2" || overlaps(dst, dsts)
		if late[i] {
			dsts = append(dsts, dst)
		}
	}
	return late
}

func overlaps(dst string, others []string) bool {
	for _, o := range others {
		if within(dst, o) || within(o, dst) {
			return true
		}
	}
	return false
}

func within(path, dir string) bool {
	return path == dir || dir == "/" || strings.HasPrefix(path, dir+"/")
}
