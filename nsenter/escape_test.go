package nsenter

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// TestHostileLinks: whatever links the image holds, mount points are looked up and made
// inside it (CVE-2019-18837, CVE-2024-45310). want is where the mount ends up.
func TestHostileLinks(t *testing.T) {
	needRoot(t)
	for _, r := range []struct {
		name  string
		links []string // "NAME TARGET"; OUTSIDE and PID are filled in
		dst   string
		want  string // below the root, or an errno
	}{
		{"absolute, dangling inside", []string{"a OUTSIDE/x"}, "/a", "OUTSIDE/x"},
		{"absolute, in the middle", []string{"a OUTSIDE"}, "/a/b/c", "OUTSIDE/b/c"},
		{"absolute root", []string{"a /"}, "/a/b", "/b"},
		{"dots", []string{"a ../../../../../../../../outside/x"}, "/a", "/outside/x"},
		{"dots in the destination", nil, "/../../../outside/x", "/outside/x"},
		{"dots behind a link", []string{"d/a ../.."}, "/d/a/../outside", "/outside"},
		{"relative, dangling", []string{"d/a b/c"}, "/d/a", "/d/b/c"},
		{"absolute, below a directory", []string{"d/a /e/x"}, "/d/a/y", "/e/x/y"},
		{"two dangling links", []string{"a /b/x", "b c"}, "/a/y", "/c/x/y"},
		{"a link with a slash at its end", []string{"a b/"}, "/a/c", "/b/c"},
		{"a long target", []string{"a " + strings.Repeat("n", 200)}, "/a", "/" + strings.Repeat("n", 200)},
		{"a target that is too long", []string{"a " + strings.Repeat("n/", 150)}, "/a", "ENAMETOOLONG"},
		{"a link to itself", []string{"a a"}, "/a", "ELOOP"},
		{"two that chase each other", []string{"a /b", "b /a"}, "/a/c", "ELOOP"},
		{"a link that grows", []string{"a a/a"}, "/a", "ELOOP"},
		{"a dangling chain as long as allowed", chain(16), "/l0", "/end"},
		{"a dangling chain that is longer", chain(17), "/l0", "ELOOP"},
		{"a magic link to the root", []string{"a /proc/PID/root"}, "/a/x", "/proc/PID/root/x"},
		{"a magic link to an fd", []string{"a /proc/self/fd/3"}, "/a", "/proc/self/fd/3"},
	} {
		for _, directory := range []bool{true, false} {
			t.Run(r.name, func(t *testing.T) { hostile(t, r.links, r.dst, r.want, directory) })
		}
	}
}

func chain(n int) []string {
	links := []string{}
	for i := range n - 1 {
		links = append(links, "l"+string(rune('0'+i))+" l"+string(rune('0'+i+1)))
	}
	return append(links, "l"+string(rune('0'+n-1))+" end")
}

func hostile(t *testing.T, links []string, dst, want string, directory bool) {
	w := newWorld(t)
	fill := strings.NewReplacer("OUTSIDE", w.outside, "PID", "1")
	for _, l := range links {
		name, target, _ := strings.Cut(l, " ")
		w.link(name, fill.Replace(target))
	}
	os.WriteFile(w.outside+"/kept", nil, 0o600)
	src := w.outside
	if !directory {
		src = w.outside + "/kept"
	}
	w.enclosed()
	w.OpenTree(src, cloneTree, 0, plan.SlotTree)
	w.Attach(plan.SlotTree, dst, plan.AttachLikeSource)
	w.stop()
	p := w.run()
	if strings.HasPrefix(want, "E") {
		got, _ := p.failed()
		equal(t, "failure", unix.ErrnoName(got.errno), want)
		equal(t, "kind", got.kind, plan.KindAttach)
	} else {
		p.called()
		p.mounted(fill.Replace(want))
		p.confined()
	}
	entries, _ := os.ReadDir(w.outside)
	equal(t, "entries outside", len(entries), 1)
	above, _ := os.ReadDir(filepath.Dir(w.root))
	equal(t, "entries beside the root", len(above), 2)
}

// confined: of the mounts that the host does not have, all lie below the root.
func (p *probe) confined() {
	p.t.Helper()
	own := (&probe{Child: &Child{Pid: os.Getpid()}, t: p.t}).mounts("/")
	for path := range p.mounts("/") {
		if _, ok := own[path]; !ok && path != p.w.root && !strings.HasPrefix(path, p.w.root+"/") {
			p.t.Errorf("a mount outside: %s", path)
		}
	}
}

// TestMagicLinks: with a procfs in the image, its magic links lead nowhere.
func TestMagicLinks(t *testing.T) {
	needRoot(t)
	for _, link := range []string{"/proc/self/root", "/proc/self/cwd", "/proc/self/fd/3", "/proc/thread-self/root", "/proc/self/exe"} {
		t.Run(link, func(t *testing.T) {
			w := newWorld(t)
			w.link("a", link)
			w.enclosed()
			w.procfs()
			w.tmpfs(0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/a/tmp", plan.AttachMakeDir)
			w.stop()
			got, _ := w.run().failed()
			equal(t, "failure", got, failure{plan.KindAttach, unix.ELOOP, plan.DetailPlace})
		})
	}
}

// TestHostilePaths: the other steps that take a path of the image stay in it, too.
func TestHostilePaths(t *testing.T) {
	needRoot(t)
	for _, r := range []struct {
		name string
		step func(*world)
	}{
		{"mkdir", func(w *world) { w.Mkdir("/a/new") }},
		{"open", func(w *world) { w.Open("/a", unix.O_RDONLY, plan.OpenInRoot, plan.SlotTmp) }},
		{"mask", func(w *world) { w.hidden(); w.Mask("/a") }},
		{"readonly", func(w *world) { w.Readonly("/a") }},
		{"copy_mode", func(w *world) { w.tmpfs(0, plan.SlotTree); w.CopyMode(plan.SlotTree, "/a") }},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.link("a", w.outside)
			w.mkdir(w.outside, 0o700) // what the link means inside
			os.Chmod(w.outside, 0o711)
			w.enclosed()
			r.step(w)
			w.stop()
			p := w.run()
			p.called()
			p.confined()
			equal(t, "open outside", slices.Contains(p.open(), w.outside), false)
			entries, _ := os.ReadDir(w.outside)
			equal(t, "entries outside", len(entries), 0)
		})
	}
}
