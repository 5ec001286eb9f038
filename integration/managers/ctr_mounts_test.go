//go:build managers

package managers

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// ctrMounts are rows about what a container sees of the host's files, and the host of its.
func ctrMounts() []row {
	return []row{
		{"--mount bind", func(t *testing.T, e *engine) {
			dir := e.place(t, "bind")
			once(t, e, []string{"--mount", "type=bind,src=" + dir + ",dst=/mnt,options=rbind:rw"}, "sh", "-c", "echo inside > /mnt/file").must(t)
			equal(t, "file", textOf(t, dir+"/file"), "inside")
		}},
		{"--mount ro", func(t *testing.T, e *engine) {
			dir := e.place(t, "ro")
			once(t, e, []string{"--mount", "type=bind,src=" + dir + ",dst=/mnt,options=rbind:ro"}, "touch", "/mnt/file").
				says(t, "Read-only file system").exits(t, 1)
		}},
		{"--mount of a file, at a place that is not there", func(t *testing.T, e *engine) {
			file := e.save(t, "one", "text\n", 0o644)
			equal(t, "file", once(t, e, []string{"--mount", "type=bind,src=" + file + ",dst=/a/b/c,options=bind:ro"}, "cat", "/a/b/c").must(t), "text")
		}},
		{"--mount of what is not there", func(t *testing.T, e *engine) {
			once(t, e, []string{"--mount", "type=bind,src=/not/there,dst=/mnt,options=rbind"}, "true").says(t, "no such file or directory").exits(t, 1)
		}},
		{"--mount tmpfs", func(t *testing.T, e *engine) {
			got := once(t, e, []string{"--mount", "type=tmpfs,src=tmpfs,dst=/mnt,options=size=1m:noexec"}, "sh", "-c", "df -k /mnt | tail -1; grep ' /mnt ' /proc/mounts")
			got.must(t)
			got.says(t, " 1024 ").says(t, "noexec")
		}},
		{"propagation private", func(t *testing.T, e *engine) { propagation(t, e, "rprivate", "", false, false) }},
		{"propagation rslave", func(t *testing.T, e *engine) { propagation(t, e, "rslave", "", true, false) }},
		{"propagation rshared", func(t *testing.T, e *engine) { propagation(t, e, "rshared", "shared", true, true) }},
		{"propagation rshared below a slave", func(t *testing.T, e *engine) { propagation(t, e, "shared", "rslave", true, false) }},
		{"--rootfs", func(t *testing.T, e *engine) {
			d := e.do("run", "--rm", "--runc-binary", e.bin, "--read-only", "--rootfs", it.rootfs, e.fresh(), "/bin/cat", "/var/data/seed")
			equal(t, "seed", d.must(t), "of the image")
		}},
	}
}

// place makes a directory for a row.
func (e *engine) place(t *testing.T, name string) string {
	t.Helper()
	dir := e.dir + "/" + name
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// propagation mounts on both sides of a volume, and looks at the other side each time. The
// volume is shared with the host only if the container's root is.
func propagation(t *testing.T, e *engine, kind, root string, goesIn, comesOut bool) {
	dir := e.place(t, "volume-"+kind)
	sharedMount(t, dir)
	for _, d := range []string{"/out", "/in"} {
		if err := os.Mkdir(dir+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := up(t, e, []string{"--rootfs-propagation", root, "--cap-add", "CAP_SYS_ADMIN", "--mount", "type=bind,src=" + dir + ",dst=/mnt,options=rbind:" + kind}, "sleep", "60")
	if err := unix.Mount("tmpfs", dir+"/out", "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	in := strings.Contains(c.inside(t, e, "cat", "/proc/self/mountinfo").must(t), " /mnt/out ")
	equal(t, "the host's mount is seen inside", fmt.Sprint(in), fmt.Sprint(goesIn))
	c.inside(t, e, "mount", "-t", "tmpfs", "x", "/mnt/in").must(t)
	out := strings.Contains(textOf(t, "/proc/self/mountinfo"), " "+dir+"/in ")
	equal(t, "the container's mount is seen outside", fmt.Sprint(out), fmt.Sprint(comesOut))
	e.do("task", "rm", "-f", c.id).must(t)
}

// sharedMount makes a directory a shared mount point until the row's end.
func sharedMount(t *testing.T, dir string) {
	t.Helper()
	err := unix.Mount(dir, dir, "", unix.MS_BIND, "")
	for _, flag := range []uintptr{unix.MS_PRIVATE, unix.MS_SHARED} { // not shared with what lies below it
		if err == nil {
			err = unix.Mount("", dir, "", flag, "")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unmountBelow(t, dir); unix.Unmount(dir, unix.MNT_DETACH) })
}
