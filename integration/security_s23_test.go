package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestS23: the image's /dev, or what is in it, is a link (CVE-2026-41579, CVE-2026-47766):
// nothing is made or removed on the host, by run or by create and start.
func TestS23(t *testing.T) {
	bare := onlyMounts("/proc", "/sys")
	for _, row := range []struct {
		name  string
		links []string // OUTSIDE is a directory of the host with files that rt would make or replace
		edit  func(*specs.Spec)
		fails string // "" if the container runs
	}{
		{"absolute", []string{"dev OUTSIDE"}, nil, ""},
		{"relative", []string{"dev ../../../../../../../../..OUTSIDE"}, nil, ""},
		{"nested", []string{"dev /var/a", "var/a ../b", "b OUTSIDE"}, nil, ""},
		{"to the root", []string{"dev /"}, nil, ""},
		{"to itself", []string{"dev dev"}, nil, "symbolic link"},
		{"magic", []string{"dev /proc/self/root/dev"}, nil, "symbolic link"},
		{"to procfs", []string{"dev /proc"}, bare, "not permitted|no such file|file exists"},
		{"absolute, no mount", []string{"dev OUTSIDE"}, bare, ""},
		{"relative, no mount", []string{"dev ../../../../../../../../..OUTSIDE"}, bare, ""},
		{"nested, no mount", []string{"dev /var/a", "var/a ../b", "b OUTSIDE"}, bare, ""},
		{"magic, no mount", []string{"dev /proc/self/root/dev"}, bare, "symbolic link"},
		{"pts", []string{"dev/pts OUTSIDE", "dev/shm OUTSIDE", "dev/mqueue OUTSIDE"}, onlyMounts("/proc", "/dev/pts", "/dev/shm", "/dev/mqueue"), ""},
		{"ptmx", []string{"dev/ptmx OUTSIDE/ptmx", "dev/fd OUTSIDE", "dev/stdin OUTSIDE/stdin", "dev/core OUTSIDE/core"}, bare, ""},
		{"null", []string{"dev/null OUTSIDE/null"}, bare, "file exists"},
		{"zero", []string{"dev/zero OUTSIDE/new"}, bare, "file exists"},
		{"a device of linux.devices", []string{"var/d OUTSIDE"}, deviceAt("/var/d/new"), ""},
		{"and its name", []string{"var/d OUTSIDE/new"}, deviceAt("/var/d"), "file exists"},
		{"cgroup", []string{"sys OUTSIDE"}, onlyMounts("/proc", "/sys/fs/cgroup"), ""},
		{"cgroup, below a directory", []string{"sys/fs OUTSIDE"}, onlyMounts("/proc", "/sys/fs/cgroup"), ""},
		{"cgroup, a controller", []string{"sys/fs/cgroup/cpu OUTSIDE", "sys/fs/cgroup/memory OUTSIDE/null"}, onlyMounts("/proc", "/sys/fs/cgroup"), ""},
	} {
		for _, entry := range []struct {
			name string
			do   func(*container) result
		}{
			{"run", func(c *container) result { return c.run() }},
			{"create and start", createAndStart},
		} {
			t.Run(entry.name+": "+row.name, func(t *testing.T) {
				needBinary(t, peers{runc: differs("1.1.5 makes what it needs of such links")})
				watch(t)
				devOutside(t, row.links, row.edit, row.fails, entry.do)
			})
		}
	}
	t.Run("cgroup v1, shared hierarchies", sharedHierarchy)
}

func deviceAt(path string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.Devices = []specs.LinuxDevice{{Path: path, Type: "c", Major: 1, Minor: 3}}
	}
}

func createAndStart(c *container) result {
	r := c.create()
	if r.code == 0 {
		r = c.start()
		c.untilStatus("stopped")
	}
	c.delete("--force").must(c.t)
	return r
}

func devOutside(t *testing.T, links []string, edit func(*specs.Spec), fails string, do func(*container) result) {
	c := newContainer(t, writable, edit)
	outside := c.bundle + "/outside"
	must(t, os.Mkdir(outside, 0o755))
	for _, name := range []string{"ptmx", "console"} {
		c.write("outside/"+name, "the host's\n")
	}
	// What the links mean inside.
	must(t, os.MkdirAll(c.rootfs()+outside, 0o755))
	c.links(links, strings.NewReplacer("OUTSIDE", outside).Replace)
	before := listTree(outside)
	r := do(c)
	if fails == "" {
		want(t, r, 0, is(""), is(""))
	} else {
		want(t, r, 1, is(""), like(fails))
	}
	if f := faults(before, listTree(outside)); len(f) > 0 {
		t.Errorf("the host's directory changed:\n%s", strings.Join(f, "\n"))
	}
	c.before = listTree(c.rootfs()) // what the links mean inside may be used
}

// sharedHierarchy: where two controllers share a hierarchy, each has a link to it. No host
// with such a pair is needed: the test's own mount namespace gets one by that name.
func sharedHierarchy(t *testing.T) {
	needBinary(t, peers{runc: differs("looks for a hierarchy below the controller's own name")})
	watch(t)
	c := newContainer(t, onlyMounts("/proc", "/sys/fs/cgroup"), script("cd /sys/fs/cgroup; readlink cpu; readlink cpuacct; test -f cpu/cpu.shares && ls cpu,cpuacct | grep -c shares"))
	needV1(c)
	c.made = strings.Fields(bareDevices)
	outside := c.bundle + "/outside"
	must(t, os.Mkdir(outside, 0o755))
	must(t, os.MkdirAll(filepath.Join(c.rootfs(), "sys/fs/cgroup"), 0o755))
	c.links([]string{"sys/fs/cgroup/cpu " + outside, "sys/fs/cgroup/cpu,cpuacct " + outside, "sys/fs/cgroup/cpuacct " + outside + "/x"}, func(s string) string { return s })
	cmd := c.command("run", "--bundle", c.bundle, c.id)
	tree := c.bundle + "/cgroup"
	setup := `set -e; mkdir T; mount -t tmpfs none T; cd /sys/fs/cgroup
for d in *; do n=$d; [ $d != cpu ] || n=cpu,cpuacct; [ $d != cpuacct ] || n=acct; mkdir T/$n; mount --bind $d T/$n; done
mount --move T /sys/fs/cgroup; cd /; exec "$@"`
	cmd.args = append([]string{"unshare", "-m", "sh", "-c", strings.ReplaceAll(setup, "T", tree), "sh"}, cmd.args...)
	want(t, cmd.run(t), 0, is("cpu,cpuacct\ncpu,cpuacct\n1\n"), is(""))
	if !empty(outside) {
		t.Error("something was made on the host")
	}
	unix.Rmdir(tree)
}
