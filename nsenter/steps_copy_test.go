package nsenter

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// copyUp makes a tmpfs with what is in /m of the image on top of it.
func (w *world) copyUp(flags uint16) {
	w.tmpfs(0, plan.SlotTree)
	w.CopyUp(plan.SlotTree, "/m", flags)
	w.Attach(plan.SlotTree, "/m", plan.AttachMakeDir)
}

const allOfRoot = plan.CopyUpMode | plan.CopyUpUID | plan.CopyUpGID

func copyEffects() []effect {
	return []effect{
		{"a directory is copied", func(w *world) {
			f := w.file("m/d/f", "text", 0o751|os.ModeSetuid)
			os.Chown(f, 7, 8)
			os.Chmod(f, 0o751|os.ModeSetuid)
			w.link("m/l", "/elsewhere")
			w.mkdir("m", 0o700)
			os.Chown(w.root+"/m", 1, 2)
			w.copyUp(allOfRoot)
		}, func(t *testing.T, p *probe) {
			text, _ := os.ReadFile(p.in("m/d/f"))
			link, _ := os.Readlink(p.in("m/l"))
			equal(t, "content", string(text)+" "+link, "text /elsewhere")
			equal(t, "file", lstat(t, p.in("m/d/f")), "104751 7:8")
			equal(t, "the tmpfs", lstat(t, p.in("m")), "040700 1:2")
			equal(t, "type", p.mounted("m").fstype, "tmpfs")
		}},
		{"a directory is copied, but for its own mode and owner", func(w *world) {
			w.file("m/f", "text", 0o640)
			w.mkdir("m", 0o700)
			os.Chown(w.root+"/m", 1, 2)
			w.copyUp(0)
		}, func(t *testing.T, p *probe) {
			equal(t, "file", lstat(t, p.in("m/f")), "100640 0:0")
			equal(t, "the tmpfs", lstat(t, p.in("m")), "041777 0:0")
		}},
		{"names of one file stay one file", func(w *world) {
			f := w.file("m/a", "text", 0o640)
			os.Link(f, w.root+"/m/b")
			os.Link(f, w.root+"/outside-of-it")
			w.copyUp(allOfRoot)
		}, func(t *testing.T, p *probe) {
			var st unix.Stat_t
			equal(t, "stat", unix.Lstat(p.in("m/b"), &st), nil)
			equal(t, "names", st.Nlink, 2)
			entries, _ := os.ReadDir(p.in("m"))
			equal(t, "entries", len(entries), 2)
		}},
		{"nothing to copy", func(w *world) { w.copyUp(allOfRoot) }, func(t *testing.T, p *probe) {
			equal(t, "the tmpfs", lstat(t, p.in("m")), "041777 0:0")
		}},
		{"mounts of the old root", func(w *world) {
			for _, name := range []string{"/a", "/a", "/b", "/b/c"} {
				w.nested(name)
			}
			w.MkdirAt(plan.SlotRoot, "stays")
			w.Drop(w.root+"/b/c", 1, 0)
			w.Drop(w.root+"/b", 1, 0)
			w.Drop(w.root+"/a", 2, plan.DropCover)
			w.Drop(w.root+"/nosuch", 1, plan.DropCover)
			w.Drop(w.root+"/stays", 1, 0)
		}, func(t *testing.T, p *probe) {
			equal(t, "mounts left", len(p.mounts(p.w.root+"/a"))+len(p.mounts(p.w.root+"/b")), 0)
		}},
		{"the root is moved", func(w *world) {
			w.file("etc/mine", "", 0o644)
			w.MoveRoot()
			w.Chroot("the root")
		}, func(t *testing.T, p *probe) {
			equal(t, "file", lstat(t, p.path("root")+"/etc/mine"), "100644 0:0")
			equal(t, "file by ..", lstat(t, p.path("root")+"/../etc/mine"), "100644 0:0")
			_, ok := p.mounts("/")["/"]
			equal(t, "mounted on /", ok, true)
		}},
		{"a mount that cannot go is covered", func(w *world) {
			w.mkdir("a", 0o755)
			w.file("a/secret", "", 0o644)
			w.tmpfs(unix.MOUNT_ATTR_RDONLY, plan.SlotHidden)
			w.Drop(w.root+"/a", 1, plan.DropCover)
		}, func(t *testing.T, p *probe) {
			entries, _ := os.ReadDir(p.in("a"))
			equal(t, "entries", len(entries), 0)
			equal(t, "type", p.mounted("a").fstype, "tmpfs")
		}},
	}
}

func copyRefusals() []refusal {
	return []refusal{
		{"a device among what is copied", func(w *world) {
			w.mkdir("m/d", 0o755)
			unix.Mknod(w.root+"/m/d/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3)))
			w.copyUp(allOfRoot)
		}, failure{plan.KindCopyUp, unix.EPERM, plan.DetailDevice}},
		{"256 levels among what is copied", func(w *world) {
			w.mkdir("m/"+strings.Repeat("d/", 256), 0o755)
			w.copyUp(allOfRoot)
		}, failure{plan.KindCopyUp, unix.ENAMETOOLONG, plan.DetailDeep}},
		{"a file is copied", func(w *world) { w.file("m", "", 0o644); w.copyUp(allOfRoot) }, failure{plan.KindCopyUp, unix.ENOTDIR, 0}},
		{"too much is copied", func(w *world) {
			w.file("m/f", strings.Repeat("x", 10000), 0o644)
			w.Fsopen("tmpfs")
			w.Fsconfig(unix.FSCONFIG_SET_STRING, "size", "4096")
			w.Fsconfig(unix.FSCONFIG_CMD_CREATE, "", "")
			w.Fsmount(0, plan.SlotTree, "")
			w.CopyUp(plan.SlotTree, "/m", 0)
		}, failure{plan.KindCopyUp, unix.ENOSPC, 0}},
		{"nothing to cover with", func(w *world) { w.Drop(w.mkdir("a", 0o755), 1, plan.DropCover) }, failure{plan.KindDrop, unix.EBADF, 0}},
		{"the root moved from nowhere", func(w *world) { w.Add(plan.Step{Kind: plan.KindMoveRoot, In: plan.SlotTmp}) }, failure{plan.KindMoveRoot, unix.EBADF, 0}},
	}
}
