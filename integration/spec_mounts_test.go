package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// onMount prints "options optional-fields fstype source super-options" of a mount point;
// the optional fields are proc_pid_mountinfo(5)'s, such as shared:N.
func onMount(point string) string {
	return `awk '$5=="` + point + `"{ for (i=6; i<=NF; i++) printf "%s ", $i; print "" }' /proc/self/mountinfo`
}

func TestDefaultMounts(t *testing.T) {
	runRows(t, []row{
		{name: "root", sh: onMount("/"), want: like(`^ro,`)},
		{name: "proc", sh: onMount("/proc"), want: like(`^rw,relatime - proc proc rw`)},
		{name: "dev", sh: onMount("/dev"), want: like(`^rw,nosuid - tmpfs tmpfs rw,.*size=65536k.*mode=755`)},
		{name: "dev pts", sh: onMount("/dev/pts"), want: like(`^rw,nosuid,noexec,relatime - devpts devpts rw,gid=5,mode=620,ptmxmode=666`)},
		{name: "dev shm", sh: onMount("/dev/shm"), want: like(`^rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k`)},
		{name: "dev mqueue", sh: onMount("/dev/mqueue"), want: like(`^rw,nosuid,nodev,noexec,relatime - mqueue mqueue rw`)},
		{name: "sys", sh: onMount("/sys"), want: like(`^ro,nosuid,nodev,noexec,relatime - sysfs sysfs r`)},
		{name: "no more than these", sh: `awk '$5!~"^/(proc|sys)(/|$)"{print $5}' /proc/self/mountinfo | sort`,
			want: is("/\n/dev\n/dev/mqueue\n/dev/pts\n/dev/shm\n")},
		{name: "shm is 1777", sh: "stat -c %a /dev/shm", want: is("1777\n")},
		{name: "sys is read-only", sh: "echo 1 >/sys/kernel/profiling 2>&1 || touch /sys/x 2>&1", code: 1, want: has("Read-only file system")},
	})
}

func TestCgroupMount(t *testing.T) {
	runRows(t, []row{
		{name: "one directory per v1 hierarchy", prep: needV1,
			sh: `for c in cpu cpuset memory devices freezer pids; do test -f /sys/fs/cgroup/$c/cgroup.procs || echo no $c; done`, want: is("")},
		{name: "read-only", prep: needV1, sh: `mkdir /sys/fs/cgroup/pids/x 2>&1`, code: 1, want: has("Read-only file system")},
		{name: "top is not writable", sh: `mkdir /sys/fs/cgroup/x 2>&1`, code: 1, want: like(`Read-only file system|Permission denied`)},
		{name: "own group only", prep: needV1, sh: `test "$(cat /sys/fs/cgroup/pids/cgroup.procs | head -n 1)" = 1`},
		{name: "file system and flags", prep: needV1, sh: onMount("/sys/fs/cgroup/pids"), want: like(`^ro,nosuid,nodev,noexec,relatime .*- cgroup \S+ rw,pids`)},
		{name: "cgroup namespace hides the path", edit: addNamespace(specs.CgroupNamespace, ""),
			sh: `grep pids /proc/self/cgroup || grep 0:: /proc/self/cgroup`, want: like(`:/$`)},
	})
}

func addNamespace(typ specs.LinuxNamespaceType, path string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		without(typ)(s)
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: typ, Path: path})
	}
}

// bind mounts the bundle's directory data on dst.
func bind(dst string, options ...string) func(*specs.Spec) {
	return addMount(specs.Mount{Destination: dst, Type: "bind", Source: "data", Options: options})
}

// data makes the directory data in the bundle, with a file.
func data(c *container) {
	if err := os.Mkdir(filepath.Join(c.bundle, "data"), 0o755); err != nil {
		c.t.Fatal(err)
	}
	c.write("data/file", "hello\n")
}

// dataTree is data with a tmpfs on data/sub.
func dataTree(c *container) {
	data(c)
	c.mount("tmpfs", "data/sub", "tmpfs", 0)
}

// dataShared is data as a mount of its own, in a peer group.
func dataShared(c *container) {
	data(c)
	c.mount(filepath.Join(c.bundle, "data"), "data", "", unix.MS_BIND)
	if err := unix.Mount("", filepath.Join(c.bundle, "data"), "", unix.MS_SHARED, ""); err != nil {
		c.t.Fatal(err)
	}
}

// mount makes the directory dst of the bundle, and mounts on it until the test's end.
func (c *container) mount(src, dst, fs string, flags uintptr) {
	c.t.Helper()
	path := filepath.Join(c.bundle, dst)
	if err := os.MkdirAll(path, 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := unix.Mount(src, path, fs, flags, ""); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { unix.Unmount(path, unix.MNT_DETACH) })
}

func TestBindMounts(t *testing.T) {
	runRows(t, []row{
		{name: "rw", prep: data, edit: bind("/mnt", "bind"), sh: "cat /mnt/file && touch /mnt/new", want: is("hello\n")},
		{name: "ro", prep: data, edit: bind("/mnt", "bind", "ro"), sh: "touch /mnt/new 2>&1", code: 1, want: has("Read-only file system")},
		{name: "option bind without type", prep: data, sh: "cat /mnt/file", want: is("hello\n"),
			edit: addMount(specs.Mount{Destination: "/mnt", Source: "data", Options: []string{"rbind", "ro"}})},
		{name: "rbind brings submounts", prep: dataTree, edit: bind("/mnt", "rbind"), sh: onMount("/mnt/sub"), want: like(`- tmpfs tmpfs rw`)},
		{name: "bind does not", prep: dataTree, edit: bind("/mnt", "bind"), sh: onMount("/mnt/sub"), want: is("")},
		{name: "ro leaves submounts", prep: dataTree, edit: bind("/mnt", "rbind", "ro"), sh: "touch /mnt/sub/x; touch /mnt/x 2>&1", code: 1, want: has("Read-only")},
		{name: "rro is recursive", prep: dataTree, edit: bind("/mnt", "rbind", "rro"), sh: "touch /mnt/sub/x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "nosuid nodev noexec", prep: data, edit: bind("/mnt", "bind", "nosuid", "nodev", "noexec"), sh: onMount("/mnt"), want: like(`^rw,nosuid,nodev,noexec[ ,]`)},
		{name: "noexec holds", prep: exe("data/prog", "#!/bin/sh\n"), edit: bind("/mnt", "bind", "noexec"), sh: "/mnt/prog 2>&1", code: 126, want: has("Permission denied")},
		{name: "file on file", prep: data, sh: "cat /etc/group", want: is("hello\n"),
			edit: addMount(specs.Mount{Destination: "/etc/group", Type: "bind", Source: "data/file", Options: []string{"bind", "ro"}})},
		{name: "missing directory is made", prep: data, edit: edits(writable, bind("/a/b", "bind")), sh: "cat /a/b/file", want: is("hello\n"), made: "/a /a/b"},
		{name: "missing file is made", prep: data, sh: "cat /a/f", want: is("hello\n"), made: "/a /a/f",
			edit: addMount(specs.Mount{Destination: "/a/f", Type: "bind", Source: "data/file", Options: []string{"bind"}})},
		{name: "missing source", edit: bind("/mnt", "bind"), sh: "true", code: 1, fails: has("no such file or directory")},
		{name: "order: the later covers", prep: data, edit: edits(bind("/mnt", "bind"), tmpfs("/mnt")), sh: "ls /mnt", want: is("")},
	})
}

func exe(name, text string) func(*container) {
	return func(c *container) {
		os.MkdirAll(filepath.Dir(filepath.Join(c.bundle, name)), 0o755)
		if err := os.Chmod(c.write(name, text), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
}

func TestMountPropagation(t *testing.T) {
	root := func(p string) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Linux.RootfsPropagation = p }
	}
	runRows(t, []row{
		{name: "default is not shared", prep: dataShared, edit: bind("/mnt", "bind"), sh: onMount("/mnt"), want: like(`^\S+ (master:\d+ )?- `)},
		{name: "rprivate", prep: dataShared, edit: bind("/mnt", "bind", "rprivate"), sh: onMount("/mnt"), want: like(`^\S+ - `)},
		{name: "rslave", prep: dataShared, edit: bind("/mnt", "bind", "rslave"), sh: onMount("/mnt"), want: like(`^\S+ master:\d+ - `)},
		{name: "rslave, rootfs rslave", prep: dataShared, edit: edits(root("rslave"), bind("/mnt", "bind", "rslave")), sh: onMount("/mnt"), want: like(`^\S+ master:\d+ - `)},
		{name: "rshared, rootfs shared", prep: dataShared, edit: edits(root("shared"), bind("/mnt", "bind", "rshared")), sh: onMount("/mnt"), want: like(`^\S+ .*shared:\d+ .*- `)},
		{name: "rootfs shared", edit: root("shared"), sh: onMount("/"), want: like(`^\S+ .*shared:\d+ `),
			peers: peers{runc: differs("binds the rootfs from a parent that is private by then")}},
		{name: "rootfs unbindable", edit: root("unbindable"), sh: onMount("/"), want: like(`^\S+ unbindable `),
			peers: peers{runc: differs("cannot bind below an unbindable /")}},
		{name: "rootfs private", edit: root("private"), sh: onMount("/"), want: like(`^\S+ - `)},
		{name: "rootfs default", sh: onMount("/"), want: like(`^\S+ - `)},
	})
}

func tmpfs(dst string, options ...string) func(*specs.Spec) {
	return addMount(specs.Mount{Destination: dst, Type: "tmpfs", Source: "tmpfs", Options: options})
}

func TestTmpfs(t *testing.T) {
	runRows(t, []row{
		{name: "size and mode", edit: tmpfs("/mnt", "size=1m", "mode=1700"), sh: "stat -c %a /mnt;" + onMount("/mnt"), want: like(`(?s)^1700\n.*size=1024k`),
			peers: peers{runc: differs("1.1 gives it the mode of the directory below, also against mode=")}},
		{name: "size holds", edit: tmpfs("/mnt", "size=64k"), sh: "dd if=/dev/zero of=/mnt/f bs=1k count=100 2>&1", code: 1, want: has("No space left on device")},
		{name: "mode of what it covers", edit: tmpfs("/tmp"), sh: "stat -c %a /tmp", want: is("1777\n")},
		{name: "flags", edit: tmpfs("/mnt", "nosuid", "nodev", "noexec", "noatime"), sh: onMount("/mnt"), want: like(`^rw,nosuid,nodev,noexec,noatime - tmpfs`)},
		{name: "ro", edit: tmpfs("/mnt", "ro"), sh: "touch /mnt/x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "unknown option", edit: tmpfs("/mnt", "frobnicate"), sh: "true", code: 1, fails: like(`invalid argument|unknown option`)},
	})
}

// Only files that show nothing but numbers may be covered below /proc (lxcfs does so).
func TestMountsBelowProc(t *testing.T) {
	at := func(dst string) func(*specs.Spec) {
		return addMount(specs.Mount{Destination: dst, Type: "bind", Source: "data/file", Options: []string{"bind"}})
	}
	runRows(t, []row{
		{name: "uptime", prep: data, edit: at("/proc/uptime"), sh: "cat /proc/uptime", want: is("hello\n")},
		{name: "meminfo", prep: data, edit: at("/proc/meminfo"), sh: "cat /proc/meminfo", want: is("hello\n")},
		{name: "version", prep: data, edit: at("/proc/version"), sh: "true", code: 1, fails: has("/proc")},
		{name: "self/attr", edit: tmpfs("/proc/self/attr"), sh: "true", code: 1, fails: has("/proc"),
			peers: peers{runc: differs("1.1 mounts it")}},
		{name: "by way of a link", prep: procLink, edit: tmpfs("/lnk/self"), sh: "true", code: 1, fails: has("/proc")},
		{name: "tmpfs on proc itself", edit: tmpfs("/proc"), sh: "true", code: 1},
	})
}

func procLink(c *container) {
	if err := os.Symlink("/proc", filepath.Join(c.rootfs(), "lnk")); err != nil {
		c.t.Fatal(err)
	}
	c.before = listTree(c.rootfs())
}
