package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// hostile is one image with links, and one path of config.json that goes through them.
type hostile struct {
	name  string
	links []string // "NAME TARGET" below the rootfs; OUTSIDE is a directory of the host, BESIDE a new name
	path  string
	want  string // where the path leads inside, or part of an error
}

var hostilePaths = []hostile{
	{"no link", nil, "/mnt/a", "/mnt/a"},
	{"dots", nil, "/../../../../../..OUTSIDE", "OUTSIDE"},
	{"dots behind a directory", nil, "/mnt/../../../../tmp/BESIDE", "/tmp/BESIDE"},
	{"absolute", []string{"a OUTSIDE"}, "/a", "OUTSIDE"},
	{"absolute, in the middle", []string{"a OUTSIDE"}, "/a/b", "OUTSIDE/b"},
	{"absolute, its target missing", []string{"a OUTSIDE/new"}, "/a", "OUTSIDE/new"},
	{"the root", []string{"a /"}, "/a/BESIDE", "/BESIDE"},
	{"up and out", []string{"a ../../../../../../../../../..OUTSIDE"}, "/a/b", "OUTSIDE/b"},
	{"up, from below", []string{"var/a ../../../../../..OUTSIDE"}, "/var/a/b", "OUTSIDE/b"},
	{"the parent", []string{"a .."}, "/a/BESIDE", "/BESIDE"},
	{"dots behind a link", []string{"a /var/deep", "var/deep ../mnt"}, "/a/../BESIDE", "/BESIDE"},
	{"dangling, relative", []string{"a BESIDE/c"}, "/a", "/BESIDE/c"},
	{"dangling, twice", []string{"a /BESIDE/x", "BESIDE OUTSIDE"}, "/a/y", "OUTSIDE/x/y"},
	{"a loop", []string{"a a"}, "/a", "too many levels of symbolic links"},
	{"two in a loop", []string{"a /b", "b a"}, "/a/c", "too many levels of symbolic links"},
	{"a loop that grows", []string{"a a/a"}, "/a", "too many levels of symbolic links"},
	{"magic: root", []string{"a /proc/self/root"}, "/a/tmp", "too many levels of symbolic links"},
	{"magic: root of a thread", []string{"a /proc/thread-self/root"}, "/a/tmp", "too many levels of symbolic links"},
	{"magic: root of PID 1", []string{"a /proc/1/root"}, "/a/tmp", "too many levels of symbolic links"},
	{"magic: cwd", []string{"a /proc/self/cwd"}, "/a/b", "too many levels of symbolic links"},
	{"magic: a descriptor", []string{"a /proc/self/fd/4"}, "/a", "too many levels of symbolic links"},
	{"magic: behind two links", []string{"a BESIDE", "BESIDE proc/self/root"}, "/a/tmp", "too many levels of symbolic links"},
}

// TestS10: whatever links the image holds, what config.json names is looked up and made
// inside (CVE-2019-18837). nsenter's TestHostileLinks has more forms of links.
func TestS10(t *testing.T) {
	for _, way := range []struct {
		name string
		edit func(path, source string) func(*specs.Spec)
		see  func(*hostile) string // a script that succeeds if the path was used
	}{
		{"tmpfs", func(path, _ string) func(*specs.Spec) { return tmpfs(path) }, mountedOn},
		{"bind", func(path, source string) func(*specs.Spec) { return bindHere(path, source) }, mountedOn},
		{"bind of a file", func(path, source string) func(*specs.Spec) { return bindHere(path, source+"/kept") }, mountedOn},
		{"device", func(path, _ string) func(*specs.Spec) {
			return func(s *specs.Spec) {
				s.Linux.Devices = []specs.LinuxDevice{{Path: path + "/dev", Type: "c", Major: 1, Minor: 3}}
			}
		}, func(h *hostile) string { return "test -c " + h.want + "/dev" }},
		{"cwd", func(path, _ string) func(*specs.Spec) { return cwd(path) }, func(h *hostile) string { return "test $(/bin/pwd -P) = " + h.want }},
	} {
		for _, h := range hostilePaths {
			t.Run(way.name+": "+h.name, func(t *testing.T) { h.try(t, way.edit, way.see) })
		}
	}
}

func mountedOn(h *hostile) string { return `grep -q ' ` + h.want + ` ' /proc/self/mountinfo` }

func bindHere(path, source string) func(*specs.Spec) {
	return addMount(specs.Mount{Destination: path, Type: "bind", Source: source, Options: []string{"bind"}})
}

func (h hostile) try(t *testing.T, edit func(path, source string) func(*specs.Spec), see func(*hostile) string) {
	needBinary(t, peers{runc: differs("makes its own choice of where a hostile link leads")})
	watch(t)
	c := newContainer(t)
	outside := c.bundle + "/outside"
	for _, dir := range []string{outside, c.bundle + "/source"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		c.write(filepath.Base(dir)+"/kept", "")
	}
	fill := strings.NewReplacer("OUTSIDE", outside, "BESIDE", c.id).Replace
	h.path, h.want = fill(h.path), fill(h.want)
	c.links(h.links, fill)
	before := listTree(outside)
	c.config(writable, script(see(&h)), edit(h.path, c.bundle+"/source"))
	r := c.run()
	if strings.HasPrefix(h.want, "/") {
		want(t, r, 0, is(""), is(""))
	} else {
		want(t, r, 1, is(""), has(h.want))
	}
	if f := faults(before, listTree(outside)); len(f) > 0 {
		t.Errorf("the host's directory changed:\n%s", strings.Join(f, "\n"))
	}
	for _, dir := range []string{"/", os.TempDir() + "/"} {
		if _, err := os.Lstat(dir + c.id); err == nil {
			t.Errorf("made on the host: %s", dir+c.id)
		}
	}
	c.onlyAdded()
}

// links makes links in the rootfs; a directory that stands there gives way.
func (c *container) links(list []string, fill func(string) string) {
	c.t.Helper()
	for _, l := range list {
		name, target, _ := strings.Cut(fill(l), " ")
		path := filepath.Join(c.rootfs(), name)
		os.Remove(path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			c.t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			c.t.Fatal(err)
		}
	}
	c.before = listTree(c.rootfs())
}

// onlyAdded accepts what a test has made below the rootfs, as long as all that was there is
// as it was.
func (c *container) onlyAdded() {
	c.t.Helper()
	after := listTree(c.rootfs())
	for _, f := range faults(c.before, after) {
		if strings.HasPrefix(f, "- ") {
			c.t.Errorf("rootfs changed: %s", f)
		}
	}
	c.before = after
}
