package nsenter

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// tmpfs makes a detached tmpfs in out.
func (w *world) tmpfs(attrs uint64, out plan.Slot) {
	w.Fsopen("tmpfs")
	w.Fsconfig(unix.FSCONFIG_SET_STRING, "mode", "1777")
	w.Fsconfig(unix.FSCONFIG_CMD_CREATE, "", "")
	w.Fsmount(attrs, out, "a test's tmpfs")
}

// nested puts a tmpfs on SUB of the image, so that there is a tree of two mounts.
func (w *world) nested(sub string) {
	w.tmpfs(0, plan.SlotTree)
	w.Attach(plan.SlotTree, sub, plan.AttachMakeDir)
}

// procfs mounts a procfs on /proc of the image.
func (w *world) procfs() {
	w.Fsopen("proc")
	w.Fsconfig(unix.FSCONFIG_CMD_CREATE, "", "")
	w.Fsmount(0, plan.SlotTree, "/proc")
	w.Attach(plan.SlotTree, "/proc", plan.AttachMakeDir|plan.AttachNoSymlinks)
}

func mountEffects() []effect {
	return []effect{
		{"fsmount with attributes", func(w *world) {
			w.tmpfs(unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_RDONLY, plan.SlotTree)
			w.Attach(plan.SlotTree, "/m", plan.AttachMakeDir)
		}, func(t *testing.T, p *probe) {
			equal(t, "mount", p.mounted("m"), mount{"ro,nosuid,nodev,relatime", "", "tmpfs"})
			equal(t, "mode", lstat(t, p.in("m")), "041777 0:0")
		}},
		{"a bind mount alone", func(w *world) {
			w.nested("/src/sub")
			w.OpenTree(w.root+"/src", cloneTree, 0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/dst", plan.AttachLikeSource)
		}, func(t *testing.T, p *probe) {
			_, ok := p.mounts(p.w.root)[p.w.root+"/dst/sub"]
			equal(t, "the mount below it came along", ok, false)
			p.mounted("dst")
		}},
		{"a bind mount with all below", func(w *world) {
			w.nested("/src/sub")
			w.OpenTree(w.root+"/src", cloneTree|unix.AT_RECURSIVE, 0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/dst", plan.AttachLikeSource)
		}, func(t *testing.T, p *probe) {
			equal(t, "type below", p.mounted("dst/sub").fstype, "tmpfs")
		}},
		{"a file on a missing file", func(w *world) {
			w.OpenTree(w.file("src", "text", 0o640), cloneTree, 0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/a/b/dst", plan.AttachLikeSource)
		}, func(t *testing.T, p *probe) {
			text, _ := os.ReadFile(p.in("a/b/dst"))
			equal(t, "content", string(text), "text")
			equal(t, "the file made below it", lstat(t, p.w.root+"/a/b/dst"), "100644 0:0")
			equal(t, "its directory", lstat(t, p.w.root+"/a"), "040755 0:0")
		}},
		{"the null device, verified", func(w *world) {
			w.OpenTree("/dev/null", cloneTree, plan.OpenTreeNull, plan.SlotTree)
			w.Attach(plan.SlotTree, "/null", plan.AttachLikeSource)
		}, func(t *testing.T, p *probe) {
			equal(t, "device", lstat(t, p.in("null"))[11:], "1:3")
		}},
		{"attributes of a tree", func(w *world) {
			w.nested("/src/sub")
			w.OpenTree(w.root+"/src", cloneTree|unix.AT_RECURSIVE, 0, plan.SlotTree)
			w.Setattr(plan.SlotTree, "", plan.Attr{Set: unix.MOUNT_ATTR_RDONLY, At: uint16(unix.AT_RECURSIVE)})
			w.Setattr(plan.SlotTree, "", plan.Attr{Clear: unix.MOUNT_ATTR_RDONLY})
			w.Attach(plan.SlotTree, "/dst", plan.AttachMakeDir)
		}, func(t *testing.T, p *probe) {
			equal(t, "options", strings.Split(p.mounted("dst").options, ",")[0], "rw")
			equal(t, "options below", strings.Split(p.mounted("dst/sub").options, ",")[0], "ro")
		}},
		{"an atime option", func(w *world) {
			w.tmpfs(0, plan.SlotTree)
			w.Setattr(plan.SlotTree, "", plan.Attr{Set: unix.MOUNT_ATTR_NOATIME | unix.MOUNT_ATTR_NODIRATIME, Clear: unix.MOUNT_ATTR__ATIME})
			w.Attach(plan.SlotTree, "/dst", plan.AttachMakeDir)
		}, func(t *testing.T, p *probe) {
			equal(t, "options", p.mounted("dst").options, "rw,noatime,nodiratime")
		}},
		{"propagation by path", func(w *world) {
			w.Setattr(plan.SlotNone, w.root, plan.Attr{Propagation: unix.MS_SHARED})
		}, func(t *testing.T, p *probe) {
			if m := p.mounted(""); !strings.HasPrefix(m.tags, "shared:") {
				t.Errorf("not shared: %+v", m)
			}
		}},
		{"the slot is kept", func(w *world) {
			w.tmpfs(0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/m", plan.AttachMakeDir|plan.AttachKeep)
			w.MkdirAt(plan.SlotTree, "inside")
			w.Setattr(plan.SlotTree, "", plan.Attr{Set: unix.MOUNT_ATTR_RDONLY})
		}, func(t *testing.T, p *probe) {
			equal(t, "directory", lstat(t, p.in("m/inside")), "040755 0:0")
			equal(t, "options", p.mounted("m").options, "ro,relatime")
		}},
		{"/proc in a directory of its own", func(w *world) { w.procfs() }, func(t *testing.T, p *probe) {
			equal(t, "type", p.mounted("proc").fstype, "proc")
		}},
		{"a mount that is meant for procfs", func(w *world) {
			w.procfs()
			w.tmpfs(0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/proc/fs", plan.AttachOnProc)
		}, func(t *testing.T, p *probe) { equal(t, "type", p.mounted("proc/fs").fstype, "tmpfs") }},
		{"mode copied from what is covered", func(w *world) {
			w.mkdir("m", 0o750|os.ModeSticky)
			w.tmpfs(0, plan.SlotTree)
			w.CopyMode(plan.SlotTree, "/m")
			w.Attach(plan.SlotTree, "/m", plan.AttachMakeDir)
		}, func(t *testing.T, p *probe) { equal(t, "mode", lstat(t, p.in("m")), "041750 0:0") }},
		{"mode kept where nothing is covered", func(w *world) {
			w.tmpfs(0, plan.SlotTree)
			w.CopyMode(plan.SlotTree, "/m")
			w.Attach(plan.SlotTree, "/m", plan.AttachMakeDir)
		}, func(t *testing.T, p *probe) {
			equal(t, "mode", lstat(t, p.in("m")), "041777 0:0")
			equal(t, "mode of the mount point", lstat(t, p.w.root+"/m"), "040755 0:0")
		}},
	}
}

func mountRefusals() []refusal {
	bind := func(w *world) { w.OpenTree(w.root, cloneTree, 0, plan.SlotTree) }
	return []refusal{
		{"no such file system", func(w *world) { w.Fsopen("nosuch") }, failure{plan.KindFsopen, unix.ENODEV, 0}},
		{"a bad value", func(w *world) {
			w.Fsopen("tmpfs")
			w.Fsconfig(unix.FSCONFIG_SET_STRING, "mode", "9")
		}, failure{plan.KindFsconfig, unix.EINVAL, 0}},
		{"mount before create", func(w *world) {
			w.Fsopen("tmpfs")
			w.Fsmount(0, plan.SlotTree, "")
		}, failure{plan.KindFsmount, unix.EINVAL, 0}},
		{"source missing", func(w *world) { w.OpenTree(w.root+"/nosuch", cloneTree, 0, plan.SlotTree) }, failure{plan.KindOpenTree, unix.ENOENT, 0}},
		{"not the null device", func(w *world) { w.OpenTree("/dev/zero", cloneTree, plan.OpenTreeNull, plan.SlotNull) },
			failure{plan.KindOpenTree, unix.ENODEV, plan.DetailNotNull}},
		{"a file for the null device", func(w *world) { w.OpenTree(w.file("null", "", 0o666), cloneTree, plan.OpenTreeNull, plan.SlotNull) },
			failure{plan.KindOpenTree, unix.ENODEV, plan.DetailNotNull}},
		{"unknown attributes", func(w *world) { bind(w); w.Setattr(plan.SlotTree, "", plan.Attr{Set: 1 << 40}) }, failure{plan.KindSetattr, unix.EINVAL, 0}},
		{"attributes of nothing", func(w *world) { w.Setattr(plan.SlotTree, "", plan.Attr{Set: 1}) }, failure{plan.KindSetattr, unix.EBADF, 0}},
		{"destination missing", func(w *world) { bind(w); w.Attach(plan.SlotTree, "/nosuch", 0) }, failure{plan.KindAttach, unix.ENOENT, plan.DetailPlace}},
		{"a directory on a file", func(w *world) {
			bind(w)
			w.file("f", "", 0o644)
			w.Attach(plan.SlotTree, "/f", plan.AttachLikeSource)
		}, failure{plan.KindAttach, unix.ENOTDIR, 0}},
		{"a file on a directory", func(w *world) {
			w.mkdir("d", 0o755)
			w.OpenTree(w.file("f", "", 0o644), cloneTree, 0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/d", plan.AttachLikeSource)
		}, failure{plan.KindAttach, unix.ENOTDIR, 0}},
		{"/proc through a link", func(w *world) {
			w.link("proc", "elsewhere")
			w.mkdir("elsewhere", 0o755)
			bind(w)
			w.Attach(plan.SlotTree, "/proc", plan.AttachMakeDir|plan.AttachNoSymlinks)
		}, failure{plan.KindAttach, unix.ELOOP, plan.DetailPlace}},
		{"/proc through a dangling link", func(w *world) {
			w.link("proc", "elsewhere")
			bind(w)
			w.Attach(plan.SlotTree, "/proc", plan.AttachMakeDir|plan.AttachNoSymlinks)
		}, failure{plan.KindAttach, unix.ELOOP, plan.DetailPlace}},
		{"into procfs through a link", func(w *world) {
			w.link("a", "/proc/fs")
			w.procfs()
			bind(w)
			w.Attach(plan.SlotTree, "/a", plan.AttachLikeSource)
		}, failure{plan.KindAttach, unix.EPERM, plan.DetailProc}},
		{"mode of something behind a loop", func(w *world) {
			w.link("m", "m")
			w.tmpfs(0, plan.SlotTree)
			w.CopyMode(plan.SlotTree, "/m")
		}, failure{plan.KindCopyMode, unix.ELOOP, 0}},
		{"a directory where a file is", func(w *world) { w.file("f", "", 0o644); w.Mkdir("/f/d") }, failure{plan.KindMkdir, unix.ENOTDIR, 0}},
		{"a device where another is", func(w *world) {
			w.devices()
			w.Mknod(plan.SlotDev, "d", plan.Node{Mode: unix.S_IFCHR | 0o666, Dev: unix.Mkdev(1, 3)})
			w.Mknod(plan.SlotDev, "d", plan.Node{Mode: unix.S_IFCHR | 0o666, Dev: unix.Mkdev(1, 5)})
		}, failure{plan.KindMknod, unix.EEXIST, 0}},
		{"a block device where a character device is", func(w *world) {
			w.devices()
			w.Mknod(plan.SlotDev, "d", plan.Node{Mode: unix.S_IFCHR | 0o666, Dev: unix.Mkdev(1, 3)})
			w.Mknod(plan.SlotDev, "d", plan.Node{Mode: unix.S_IFBLK | 0o666, Dev: unix.Mkdev(1, 3)})
		}, failure{plan.KindMknod, unix.EEXIST, 0}},
		{"a device where a file is", func(w *world) {
			w.file("dev/d", "", 0o644)
			w.devices()
			w.Mknod(plan.SlotDev, "d", plan.Node{Mode: unix.S_IFCHR | 0o666, Dev: unix.Mkdev(1, 3)})
		}, failure{plan.KindMknod, unix.EEXIST, 0}},
		{"a device where a link to one is", func(w *world) {
			w.link("dev/d", "/dev/null")
			w.devices()
			w.Mknod(plan.SlotDev, "d", plan.Node{Mode: unix.S_IFCHR | 0o666, Dev: unix.Mkdev(1, 3)})
		}, failure{plan.KindMknod, unix.EEXIST, 0}},
		{"a link where a directory is", func(w *world) {
			w.mkdir("dev/ptmx", 0o755)
			w.devices()
			w.Symlink(plan.SlotDev, "ptmx", "pts/ptmx", plan.SymlinkReplace)
		}, failure{plan.KindSymlink, unix.EISDIR, 0}},
		{"open what is missing", func(w *world) { w.Open("/nosuch", unix.O_PATH, plan.OpenInRoot, plan.SlotTmp) }, failure{plan.KindOpen, unix.ENOENT, 0}},
		{"write to what is missing", func(w *world) { w.Write(plan.SlotRoot, "nosuch", "x", 0) }, failure{plan.KindWrite, unix.ENOENT, 0}},
		{"write through a link", func(w *world) {
			w.file("f", "", 0o644)
			w.link("l", "f")
			w.Write(plan.SlotRoot, "l", "x", 0)
		}, failure{plan.KindWrite, unix.ELOOP, 0}},
		{"write out of the directory", func(w *world) { w.Write(plan.SlotRoot, "../outside/f", "x", 0) }, failure{plan.KindWrite, unix.EXDEV, 0}},
		{"write across a mount", func(w *world) {
			w.nested("/m")
			w.Write(plan.SlotRoot, "m/x", "x", 0)
		}, failure{plan.KindWrite, unix.EXDEV, 0}},
		{"a write that is cut", func(w *world) {
			w.file("f", "", 0o644)
			w.Rlimit("RLIMIT_FSIZE", unix.RLIMIT_FSIZE, 2, 2)
			w.Write(plan.SlotRoot, "f", "12345", 0)
		}, failure{plan.KindWrite, unix.EIO, 0}},
		{"pivot to what is no mount", func(w *world) {
			w.mkdir("d", 0o755)
			w.Open("/d", unix.O_PATH|unix.O_DIRECTORY, plan.OpenInRoot, plan.SlotTmp)
			w.Add(plan.Step{Kind: plan.KindPivot, In: plan.SlotTmp})
		}, failure{plan.KindPivot, unix.EINVAL, 0}},
		{"chroot to a file", func(w *world) {
			w.file("f", "", 0o644)
			w.Open("/f", unix.O_PATH, plan.OpenInRoot, plan.SlotTmp)
			w.Add(plan.Step{Kind: plan.KindChroot, In: plan.SlotTmp})
		}, failure{plan.KindChroot, unix.ENOTDIR, 0}},
		{"mask behind a loop", func(w *world) { w.link("l", "l"); w.Mask("/l") }, failure{plan.KindMask, unix.ELOOP, 0}},
		{"mask with nothing at hand", func(w *world) { w.mkdir("d", 0o755); w.Mask("/d") }, failure{plan.KindMask, unix.EBADF, 0}},
		{"read-only behind a loop", func(w *world) { w.link("l", "l"); w.Readonly("/l") }, failure{plan.KindReadonly, unix.ELOOP, 0}},
	}
}

// TestKernelText: with a failed fsconfig comes the file system context, and in it the
// kernel's own words.
func TestKernelText(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.enclosed()
	w.Fsopen("tmpfs")
	w.Fsconfig(unix.FSCONFIG_SET_STRING, "mode", "9")
	_, fd := w.run().failed()
	buf := make([]byte, 256)
	n, err := unix.Read(fd, buf)
	unix.Close(fd)
	if err != nil || !strings.Contains(string(buf[:n]), "Bad value for 'mode'") {
		t.Errorf("the context says %q, %v", buf[:max(n, 0)], err)
	}
}
