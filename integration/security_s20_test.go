package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// noMount leaves out what config.json mounts on these, so that the image's own is seen.
func noMount(destinations ...string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Mounts = slices.DeleteFunc(s.Mounts, func(m specs.Mount) bool { return slices.Contains(destinations, m.Destination) })
	}
}

// TestS20: nothing that an image has at /dev/console, /dev/ptmx or /dev/pts leads a terminal
// out of the container (CVE-2025-52565). OUTSIDE is a directory of the host with the files
// victim and ptmx.
func TestS20(t *testing.T) {
	devices := []string{"/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"}
	plain := noMount(devices...)
	withPTS := noMount("/dev", "/dev/shm", "/dev/mqueue")
	refusedBy := func(text string) match { return has(text) }
	for _, row := range []struct {
		name  string
		links []string // in the image: "NAME TARGET"
		edit  func(*specs.Spec)
		fails match // zero: it has to work
		peers
	}{
		{name: "console, a link to the host", links: []string{"dev/console OUTSIDE/victim"}, edit: withPTS, fails: refusedBy("/process/terminal")},
		{name: "console, a dangling link", links: []string{"dev/console OUTSIDE/new"}, edit: withPTS, fails: refusedBy("/process/terminal")},
		{name: "console, a link to a device of the host", links: []string{"dev/console /proc/1/root/dev/null"}, edit: withPTS, fails: refusedBy("/process/terminal")},
		{name: "ptmx, a link to the host's", links: []string{"dev/ptmx /proc/1/root/dev/ptmx"}, edit: withPTS},
		{name: "pts, a link to the host's", links: []string{"dev/pts /proc/1/root/dev/pts"}, edit: plain, fails: refusedBy("no devpts is mounted there")},
		{name: "pts, a link to another directory", links: []string{"dev/pts OUTSIDE"}, edit: plain, fails: refusedBy("no devpts is mounted there")},
		{name: "pts/ptmx, a link", links: []string{"dev/pts/ptmx OUTSIDE/ptmx"}, edit: plain, fails: refusedBy("no devpts is mounted there")},
		{name: "pts/ptmx, covered", edit: addMount(specs.Mount{Destination: "/dev/pts/ptmx", Source: "/dev/null", Options: []string{"bind"}}), fails: refusedBy("invalid cross-device link")},
		{name: "no devpts", edit: noMount("/dev/pts"), fails: refusedBy("no devpts is mounted there")},
		{name: "pts, a directory of the host", edit: edits(noMount("/dev/pts"), addMount(specs.Mount{Destination: "/dev/pts", Source: "OUTSIDE", Options: []string{"bind"}})),
			fails: refusedBy("no devpts is mounted there")},
	} {
		row.peers = peers{runc: rtOnly, crun: rtOnly}
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, row.peers)
			watch(t)
			s20(t, row.links, row.edit, row.fails)
		})
	}
}

func s20(t *testing.T, links []string, edit func(*specs.Spec), fails match) {
	c := newContainer(t)
	outside := c.bundle + "/outside"
	os.Mkdir(outside, 0o755)
	for _, name := range []string{"victim", "ptmx"} {
		os.WriteFile(outside+"/"+name, []byte("kept"), 0o644)
	}
	for _, l := range links {
		name, target, _ := strings.Cut(strings.ReplaceAll(l, "OUTSIDE", outside), " ")
		path := filepath.Join(c.rootfs(), name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	before := listTree(outside)
	c.config(withTTY, writable, edit, script("tty; cat >/dev/null; exit 0"), func(s *specs.Spec) {
		for i := range s.Mounts {
			s.Mounts[i].Source = strings.ReplaceAll(s.Mounts[i].Source, "OUTSIDE", outside)
		}
	})
	c.before = nil
	r := c.run()
	if fails == (match{}) {
		want(t, r, 0, is("/dev/pts/0\r\n"), is(""))
	} else {
		want(t, r, 1, is(""), fails)
	}
	if left := faults(before, listTree(outside)); len(left) > 0 {
		t.Errorf("the host's files: %v", left)
	}
	c.before = listTree(c.rootfs()) // nodes and mount points of a /dev that is the image's
}

// TestConsoleBeneath: masked and read-only paths still cover what the terminal has put there.
func TestConsoleBeneath(t *testing.T) {
	masked := func(s *specs.Spec) { s.Linux.MaskedPaths = append(s.Linux.MaskedPaths, "/dev/console") }
	locked := func(s *specs.Spec) { s.Linux.ReadonlyPaths = append(s.Linux.ReadonlyPaths, "/dev/console") }
	own := peers{runc: differs("needs a terminal of its own")}
	runRows(t, []row{
		{name: "masked", edit: edits(withTTY, masked), sh: "stat -c %t:%T /dev/console", want: is("1:3\r\n"), peers: own},
		{name: "read-only", edit: edits(withTTY, locked), sh: "grep ' /dev/console ' /proc/self/mountinfo | wc -l; tail -n1 /proc/self/mountinfo >/dev/null; chmod 600 /dev/console",
			want: like("^2\r\n(.|\n)*Read-only"), code: 1, peers: own},
		{name: "devpts and its options", edit: withTTY, sh: "grep ' /dev/console ' /proc/self/mountinfo", want: like(`/0 /dev/console rw,nosuid,noexec.* - devpts devpts `), peers: own},
	})
}
