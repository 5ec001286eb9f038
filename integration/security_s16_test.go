package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// viaFD are the ways to name a descriptor of the process that becomes the workload.
func viaFD() []string {
	var paths []string
	for fd := 3; fd <= 64; fd++ {
		paths = append(paths, fmt.Sprint("/proc/self/fd/", fd))
	}
	for _, fd := range []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12} {
		paths = append(paths, fmt.Sprint("/proc/thread-self/fd/", fd), fmt.Sprint("/proc/1/fd/", fd), fmt.Sprint("/proc/self/fd/", fd, "/../.."),
			fmt.Sprint("/proc/self/task/1/fd/", fd), fmt.Sprint("/dev/fd/", fd))
	}
	return append(paths, "/proc/self/cwd", "/proc/self/cwd/..", "/proc/self/root/../..", "/proc/1/cwd", "/proc/1/root", "/proc/self/fd/7/../../../..")
}

// whereabouts prints the cwd as the kernel has it, and what of the host could be seen from it.
const whereabouts = "readlink /proc/self/cwd; ls -d ./kept ../kept ../../kept 2>/dev/null; true"

// TestS16: the cwd or the program is a descriptor of the host that was left open
// (CVE-2024-21626). It is refused, or it is harmless: a place in the container.
func TestS16(t *testing.T) {
	t.Run("cwd", func(t *testing.T) {
		throughFDs(t, func(c *container, path string) { c.config(cwd(path), script(whereabouts)) }, func(path string) []string { return []string{"--cwd", path} },
			func(string) []string { return []string{"sh", "-c", whereabouts} })
	})
	t.Run("program", func(t *testing.T) {
		throughFDs(t, func(c *container, path string) { c.config(args(path + "/kept")) }, func(string) []string { return nil },
			func(path string) []string { return []string{path + "/kept"} })
	})
	runScenes(t, []scene{
		{name: "a directory that is passed on is no cwd", play: passedDirectory},
		{name: "descriptors of a created init", peers: peers{runc: rtOnly, crun: rtOnly}, play: initDescriptors},
		{name: "a descriptor of the caller does not get in", play: leakedDirectory},
	})
}

// throughFDs: create, run and exec, with directories of the host as fds 3 to 12 of the caller.
func throughFDs(t *testing.T, config func(*container, string), flags, argv func(path string) []string) {
	needBinary(t, peers{})
	needRoot(t)
	watch(t)
	running := newRunning(t)
	c := newContainer(t)
	host := c.bundle + "/outside"
	must(t, os.Mkdir(host, 0o755))
	must(t, os.WriteFile(host+"/kept", []byte("#!/bin/sh\necho kept\n"), 0o755))
	dirs := directories(t, host, 10)
	ask := func(c *container, args ...string) result {
		cmd := c.command(args...)
		cmd.extra = dirs
		return cmd.run(t)
	}
	refused := map[string]int{}
	for _, path := range viaFD() {
		config(c, path)
		for name, r := range map[string]result{
			"run":    ask(c, "run", "--bundle", c.bundle, c.id),
			"create": ask(c, "create", "--bundle", c.bundle, c.id),
			"exec":   ask(running, append(with("exec", flags(path), running.id), argv(path)...)...),
		} {
			if r.code != 0 {
				refused[name]++
			}
			if out := r.stdout; strings.Contains(out, "kept") || strings.Contains(out, "(unreachable)") || strings.Contains(out, it.base) {
				t.Errorf("%s %s:\n%v", name, path, r)
			}
		}
		c.delete("--force").must(t)
	}
	t.Logf("%d paths, refused: %v", len(viaFD()), refused)
	for _, name := range []string{"run", "create", "exec"} {
		if refused[name] < 62 {
			t.Errorf("%s: %d are refused", name, refused[name])
		}
	}
	running.delete("--force").must(t)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// directories are n open fds of one directory.
func directories(t *testing.T, path string, n int) []*os.File {
	t.Helper()
	var files []*os.File
	for range n {
		f, err := os.Open(path)
		must(t, err)
		t.Cleanup(func() { f.Close() })
		files = append(files, f)
	}
	return files
}

// passedDirectory: --preserve-fds hands a directory of the host over on purpose; as a cwd it
// would put the workload outside of its root. Nothing but getcwd(2) can tell.
func passedDirectory(t *testing.T) {
	running := newRunning(t)
	c := newContainer(t)
	for _, path := range []string{"/proc/self/fd/3", "/proc/self/fd/3/..", "/proc/thread-self/fd/3", "/dev/fd/3"} {
		for _, uid := range []string{"0", "1000"} {
			cmd := running.command("exec", "--preserve-fds", "1", "--user", uid, "--cwd", path, running.id, "sh", "-c", whereabouts)
			cmd.extra = directories(t, c.bundle, 1)
			want(t, cmd.run(t), 255, is(""), like("outside|no such file"))
		}
		c.config(cwd(path), script(whereabouts))
		cmd := c.command("run", "--preserve-fds", "1", "--bundle", c.bundle, c.id)
		cmd.extra = directories(t, c.bundle, 1)
		want(t, cmd.run(t), 1, is(""), match{})
	}
	running.delete("--force").must(t)
}

// leakedDirectory: neither the workload nor what exec adds has more than its standard streams.
// TestFileDescriptors has the same for files, and for --preserve-fds.
func leakedDirectory(t *testing.T) {
	c := newContainer(t, args("sleep", "300"))
	leaky := func(args ...string) result {
		cmd := c.command(args...)
		cmd.extra = directories(t, c.bundle, 5) // fd 3 to 7
		return cmd.run(t)
	}
	leaky("create", "--bundle", c.bundle, c.id).must(t)
	leaky("start", c.id).must(t)
	want(t, c.sh("ls /proc/1/fd"), 0, is("0\n1\n2\n"), is(""))
	want(t, leaky("exec", c.id, "sh", "-c", "ls /proc/$$/fd; true"), 0, is("0\n1\n2\n"), is(""))
	c.delete("--force").must(t)
}

// initDescriptors: what waits for start holds fifos and detached mounts, all close-on-exec,
// and no directory of the host but those.
func initDescriptors(t *testing.T) {
	c := newCreated(t)
	defer func() { c.delete("--force").must(t) }()
	pid := c.state().Pid
	until(t, "the init lets go of its socket", func() bool { // which it does after the answer that ends create
		target, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/3", pid))
		return !strings.HasPrefix(target, "socket:")
	})
	var root unix.Stat_t
	must(t, unix.Stat(c.rootfs(), &root))
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	must(t, err)
	kinds := map[string]int{}
	for _, e := range entries {
		fd, _ := strconv.Atoi(e.Name())
		if fd < 3 {
			continue
		}
		path := fmt.Sprintf("/proc/%d/fd/%d", pid, fd)
		kind := descriptorKind(t, path, &root)
		kinds[kind]++
		if kind == "other" {
			target, _ := os.Readlink(path)
			t.Errorf("fd %d is %s", fd, target)
		}
		info, _ := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, fd))
		if flags, _ := strconv.ParseInt(strings.Fields(string(info))[3], 8, 64); flags&unix.O_CLOEXEC == 0 {
			t.Errorf("fd %d is not close-on-exec:\n%s", fd, info)
		}
	}
	t.Logf("%v", kinds)
	if kinds["fifo"] == 0 || kinds["root"] != 1 {
		t.Errorf("the census is wrong: %v", kinds)
	}
}

// descriptorKind names what the init may hold.
func descriptorKind(t *testing.T, path string, root *unix.Stat_t) string {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Stat(path, &st))
	var fs unix.Statfs_t
	must(t, unix.Statfs(path, &fs))
	switch st.Mode & syscall.S_IFMT {
	case unix.S_IFIFO:
		return "fifo"
	case unix.S_IFCHR:
		if st.Rdev == unix.Mkdev(1, 3) {
			return "null"
		}
	case unix.S_IFDIR:
		if st.Dev == root.Dev && st.Ino == root.Ino {
			return "root"
		}
		if entries, _ := os.ReadDir(path); fs.Type == unix.TMPFS_MAGIC && len(entries) == 0 && fs.Files == 1 {
			return "hidden"
		}
	}
	return "other"
}
