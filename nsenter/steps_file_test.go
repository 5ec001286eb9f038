package nsenter

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// devices opens /dev of the image.
func (w *world) devices() {
	w.Mkdir("/dev")
	w.Open("/dev", unix.O_PATH|unix.O_DIRECTORY, plan.OpenInRoot, plan.SlotDev)
}

func fileEffects() []effect {
	char := plan.Node{Mode: unix.S_IFCHR | 0o666, Dev: unix.Mkdev(1, 3)}
	return []effect{
		{"mkdir with parents", func(w *world) {
			w.mkdir("a", 0o700)
			w.Mkdir("/a/b//c/")
		}, func(t *testing.T, p *probe) {
			equal(t, "a, which was there", lstat(t, p.w.root+"/a"), "040700 0:0")
			equal(t, "b", lstat(t, p.w.root+"/a/b"), "040755 0:0")
			equal(t, "c", lstat(t, p.w.root+"/a/b/c"), "040755 0:0")
		}},
		{"mknod", func(w *world) {
			w.devices()
			w.Mknod(plan.SlotDev, "null", char)
			w.Mknod(plan.SlotDev, "null", char) // the same one again
			w.Mknod(plan.SlotDev, "own", plan.Node{Mode: unix.S_IFBLK | 0o600, Dev: unix.Mkdev(259, 70000), Uid: 5, Gid: 6})
			w.Mknod(plan.SlotDev, "own", plan.Node{Mode: unix.S_IFBLK | 0o600, Dev: unix.Mkdev(259, 70000), Uid: 5, Gid: 6})
			w.Mknod(plan.SlotDev, "fifo", plan.Node{Mode: unix.S_IFIFO | 0o622})
			w.Mknod(plan.SlotDev, "fifo", plan.Node{Mode: unix.S_IFIFO | 0o622})
		}, func(t *testing.T, p *probe) {
			equal(t, "null", lstat(t, p.w.root+"/dev/null"), "020666 0:0 1:3")
			equal(t, "own", lstat(t, p.w.root+"/dev/own"), "060600 5:6 259:70000")
			equal(t, "fifo", lstat(t, p.w.root+"/dev/fifo"), "010622 0:0")
		}},
		{"links", func(w *world) {
			w.file("dev/kept", "", 0o644)
			w.file("dev/gone", "", 0o644)
			w.devices()
			w.Symlink(plan.SlotDev, "new", "/proc/self/fd", 0)
			w.Symlink(plan.SlotDev, "kept", "x", 0)
			w.Symlink(plan.SlotDev, "gone", "pts/ptmx", plan.SymlinkReplace)
		}, func(t *testing.T, p *probe) {
			equal(t, "kept", lstat(t, p.w.root+"/dev/kept"), "100644 0:0")
			for name, want := range map[string]string{"new": "/proc/self/fd", "gone": "pts/ptmx"} {
				target, _ := os.Readlink(p.w.root + "/dev/" + name)
				equal(t, name, target, want)
			}
		}},
		{"open and close", func(w *world) {
			w.mkdir("keep-open", 0o755)
			w.mkdir("closed", 0o755)
			w.Open("/keep-open", unix.O_PATH|unix.O_DIRECTORY, plan.OpenInRoot, plan.SlotTmp)
			w.Open(w.root+"/closed", unix.O_PATH|unix.O_DIRECTORY, 0, plan.SlotDev)
			w.Close(plan.SlotDev)
		}, func(t *testing.T, p *probe) {
			open := p.open()
			equal(t, "open", slices.Contains(open, p.w.root+"/keep-open"), true)
			equal(t, "closed", slices.Contains(open, p.w.root+"/closed"), false)
		}},
		{"write below a directory, and by path", func(w *world) {
			w.file("d/f", "12345", 0o644)
			w.file("g", "12345", 0o644)
			w.Write(plan.SlotRoot, "d/f", "ab", 0)
			w.Write(plan.SlotNone, w.root+"/g", "cd", 0)
		}, func(t *testing.T, p *probe) {
			f, _ := os.ReadFile(p.w.root + "/d/f")
			g, _ := os.ReadFile(p.w.root + "/g")
			equal(t, "contents", string(f)+" "+string(g), "ab345 cd345")
		}},
	}
}

// open lists what the init's fds lead to.
func (p *probe) open() []string {
	p.t.Helper()
	entries, err := os.ReadDir(p.path("fd"))
	if err != nil {
		p.t.Fatal(err)
	}
	var open []string
	for _, e := range entries {
		target, _ := os.Readlink(p.path("fd/" + e.Name()))
		open = append(open, target)
	}
	return open
}

// hidden gets what masks are made of.
func (w *world) hidden() {
	w.OpenTree("/dev/null", cloneTree, plan.OpenTreeNull, plan.SlotNull)
	w.Fsopen("tmpfs")
	w.Fsconfig(unix.FSCONFIG_CMD_CREATE, "", "")
	w.Fsmount(unix.MOUNT_ATTR_RDONLY, plan.SlotHidden, "")
}

func hideEffects() []effect {
	return []effect{
		{"pivot", func(w *world) { w.file("here", "", 0o644); w.Pivot(0) }, func(t *testing.T, p *probe) {
			entries, _ := os.ReadDir(p.path("root"))
			equal(t, "entries of the root", len(entries), 1)
			equal(t, "mounts", strings.Count(p.proc("mountinfo"), "\n"), 1)
			cwd, _ := os.Readlink(p.path("cwd"))
			equal(t, "cwd", cwd, "/")
		}},
		{"chroot", func(w *world) { w.file("here", "", 0o644); w.Chroot("the root") }, func(t *testing.T, p *probe) {
			entries, _ := os.ReadDir(p.path("root"))
			equal(t, "entries of the root", len(entries), 1)
			root, _ := os.Stat(p.path("root"))
			cwd, _ := os.Stat(p.path("cwd"))
			equal(t, "cwd is the root", os.SameFile(root, cwd), true)
		}},
		{"pivot away from shared mounts", func(w *world) {
			// pivot_root(2) refuses a shared new root, or one on a shared parent.
			w.tmpfs(0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/m", plan.AttachMakeDir)
			w.Setattr(plan.SlotNone, "/proc", plan.Attr{Propagation: unix.MS_SHARED})
			w.Pivot(plan.PivotSlave)
		}, func(t *testing.T, p *probe) { equal(t, "mounts", strings.Count(p.proc("mountinfo"), "\n"), 2) }},
		{"masks", func(w *world) {
			w.file("secret", "secret", 0o644)
			w.file("dir/secret", "secret", 0o644)
			w.file("other/secret", "secret", 0o644)
			w.hidden()
			w.Pivot(0)
			for _, path := range []string{"/secret", "/dir", "/other", "/nosuch", "/secret/below"} {
				w.Mask(path)
			}
		}, func(t *testing.T, p *probe) {
			root := p.path("root/")
			equal(t, "file", lstat(t, root+"secret")[11:], "1:3")
			for _, dir := range []string{"dir", "other"} {
				entries, err := os.ReadDir(root + dir)
				if err != nil || len(entries) > 0 {
					t.Errorf("%s shows %v, %v", dir, entries, err)
				}
				equal(t, "write", os.WriteFile(root+dir+"/x", nil, 0o600).(*os.PathError).Err, error(unix.EROFS))
			}
			equal(t, "mounts", strings.Count(p.proc("mountinfo"), "\n"), 4)
		}},
		{"read-only trees", func(w *world) {
			w.file("d/f", "x", 0o644)
			w.tmpfs(0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/d/sub", plan.AttachMakeDir|plan.AttachKeep)
			w.MkdirAt(plan.SlotTree, "inside")
			w.Readonly("/d")
			w.Readonly("/nosuch")
		}, func(t *testing.T, p *probe) {
			for _, name := range []string{"d/f", "d/sub/inside/new"} {
				err := os.WriteFile(p.in(name), nil, 0o600)
				equal(t, name, err.(*os.PathError).Err, error(unix.EROFS))
			}
		}},
	}
}
