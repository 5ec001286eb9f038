package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// failing is a container that cannot be made.
type failing struct {
	name  string
	edit  func(*specs.Spec)
	prep  func(*container)
	fails match
}

// failures has a row for each kind of step that can be made to fail.
func failures() []failing {
	loop := func(c *container) { c.links([]string{"a a"}, func(s string) string { return s }) }
	linked := func(f func(*specs.LinuxResources)) func(*specs.Spec) {
		return func(s *specs.Spec) { f(s.Linux.Resources) }
	}
	on := func(f func(*specs.Linux)) func(*specs.Spec) { return func(s *specs.Spec) { f(s.Linux) } }
	typed := func(fs, source string) func(*specs.Spec) {
		return addMount(specs.Mount{Destination: "/mnt", Type: fs, Source: source})
	}
	return []failing{
		{"configuration", cwd("relative"), nil, has("cwd")},
		{"root: missing", func(s *specs.Spec) { s.Root.Path = "nosuch" }, nil, has("no such file")},
		{"root: a file", func(s *specs.Spec) { s.Root.Path = "config.json" }, nil, has("not a directory")},
		{"namespace: missing", addNamespace(specs.NetworkNamespace, "/proc/self/ns/nosuch"), nil, has("no such file")},
		{"namespace: of another kind", addNamespace(specs.NetworkNamespace, "/proc/self/ns/uts"), nil, has("a namespace of another kind")},
		{"open_tree: no source", bindHere("/mnt", "/nosuch"), nil, has("no such file")},
		{"fsopen: no such file system", typed("nosuchfs", "none"), nil, has("no such device")},
		{"fsconfig: bad value", tmpfs("/mnt", "size=zzz"), nil, like("size|invalid")},
		{"fsconfig: no device", typed("ext4", "/nosuch"), nil, like("nosuch|no such file")},
		{"attach: a directory on a file", bindHere("/etc/passwd", "/etc"), nil, has("not a directory")},
		{"attach: below a file", bindHere("/etc/passwd/x", "/etc"), nil, has("not a directory")},
		{"attach: a loop", bindHere("/a/x", "/etc"), loop, has("symbolic link")},
		{"attach: in procfs", bindHere("/lnk/self", "/etc"), procLink, has("/proc")},
		{"copy_mode: below a file", tmpfs("/etc/passwd/x"), nil, has("not a directory")},
		{"mkdir: on a file", cwd("/etc/passwd/x"), nil, has("not a directory")},
		{"mkdir: a loop", cwd("/a/x"), loop, has("symbolic link")},
		{"mknod: a file is there", deviceAt("/etc/passwd"), nil, has("file exists")},
		{"mknod: no directory", deviceAt("/etc/passwd/null"), nil, has("not a directory")},
		{"symlink: a directory is there", onlyMounts("/proc"), func(c *container) {
			must(c.t, os.Mkdir(c.rootfs()+"/dev/ptmx", 0o755))
			c.before = listTree(c.rootfs())
			c.made = strings.Fields(bareDevices)
		}, has("is a directory")},
		{"mask: a loop", on(func(l *specs.Linux) { l.MaskedPaths = []string{"/a"} }), loop, has("symbolic link")},
		{"readonly: a loop", on(func(l *specs.Linux) { l.ReadonlyPaths = []string{"/a"} }), loop, has("symbolic link")},
		{"sysctl: missing", on(func(l *specs.Linux) { l.Sysctl = map[string]string{"net.nosuch": "1"} }), nil, has("no such file")},
		{"sysctl: bad value", on(func(l *specs.Linux) { l.Sysctl = map[string]string{"net.ipv4.ip_forward": "zzz"} }), nil, has("invalid argument")},
		{"sethostname: too long", func(s *specs.Spec) { s.Hostname = strings.Repeat("x", 65) }, nil, has("hostname")},
		{"cgroup: no such cpu", linked(func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Cpus: "4000"} }), nil, has("cpuset")},
		{"cgroup: period", linked(func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Period: ptr(uint64(1)), Quota: ptr(int64(1))} }), nil, has("cpu")},
		{"cgroup: too little memory", linked(func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Limit: ptr(int64(4096))} }), nil, has("memory")},
		{"setrlimit: above nr_open", func(s *specs.Spec) {
			s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 1 << 40, Hard: 1 << 40}}
		}, nil, has("not permitted")},
		{"chdir: a file", cwd("/etc/passwd"), nil, has("not a directory")},
		{"find: missing", args("/nosuch"), nil, has("no such file")},
		{"find: not on PATH", args("nosuch"), nil, has("executable file not found")},
		{"find: a directory", args("/etc"), nil, has("is a directory")},
		{"find: not executable", args("/etc/passwd"), nil, has("permission denied")},
		{"seccomp: kills the init", edits(seccompKills, func(s *specs.Spec) { s.Process.NoNewPrivileges = false }), nil, has("died")},
	}
}

// seccompKills allows nothing. Without no_new_privs the init has some calls to make after it.
func seccompKills(s *specs.Spec) {
	s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActKillProcess, Architectures: []specs.Arch{specs.ArchX86_64},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"getpid"}, Action: specs.ActAllow}}}
}

// TestS31: whatever fails, create leaves nothing: no process, mount, cgroup, file, and, where
// one process does it many times, no descriptor.
func TestS31(t *testing.T) {
	for _, f := range failures() {
		t.Run(f.name, func(t *testing.T) {
			needBinary(t, peers{runc: differs("takes some of these, and has other texts")})
			watch(t)
			c := f.container(t)
			for _, r := range []result{c.create(), c.run(), c.create("--pid-file", c.bundle+"/pid")} {
				want(t, r, 1, is(""), f.fails)
			}
			if left := append(c.records(), cgroupDirs(c.id)...); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			if _, err := os.Lstat(c.bundle + "/pid"); err == nil {
				t.Error("a pid file")
			}
		})
	}
	runScenes(t, []scene{
		{name: "the pid file's directory is missing", play: func(t *testing.T) {
			c := newContainer(t, args("sleep", "300"))
			want(t, c.create("--pid-file", c.bundle+"/nosuch/pid"), 1, is(""), has("no such file"))
		}},
		{name: "the id is taken", play: func(t *testing.T) {
			c := newCreated(t)
			before := listTree(c.root)
			want(t, c.create(), 1, is(""), has("already exists"))
			if f := faults(before, listTree(c.root)); len(f) > 0 {
				t.Errorf("changed: %v", f)
			}
			c.delete("--force").must(t)
		}},
		{name: "many failures in one process", play: manyFailures, peers: peers{runc: rtOnly, crun: rtOnly}},
		{name: "many failed execs in one process", play: manyFailedExecs, peers: peers{runc: rtOnly, crun: rtOnly}},
		{name: "what run holds while the workload runs", play: heldByRun, peers: peers{runc: rtOnly, crun: rtOnly}},
	})
}

func (f failing) container(t *testing.T) *container {
	c := newContainer(t, args("sleep", "300"), f.edit)
	if f.prep != nil {
		f.prep(c)
	}
	return c
}

func manyFailures(t *testing.T) {
	var bundles []string
	for _, f := range failures() {
		c := f.container(t)
		bundles = append(bundles, c.bundle)
		defer func() { c.before = listTree(c.rootfs()) }() // what a failed create makes, the rows have seen
	}
	root := filepath.Join(filepath.Dir(bundles[0]), "again-state")
	defer os.RemoveAll(root)
	cmd := command{args: append([]string{program(t, "again"), "create", root, "5"}, bundles...), dir: it.base, files: true}
	out := cmd.run(t).must(t).stdout
	if strings.Contains(out, "leaves") || strings.Contains(out, "succeeded") || strings.Count(out, "done\n") != len(bundles) {
		t.Error(out)
	}
}

func manyFailedExecs(t *testing.T) {
	c := newRunning(t)
	for _, prog := range []string{"/nosuch", "nosuch", "/etc", "/etc/passwd"} {
		cmd := command{args: []string{program(t, "again"), "exec", c.root, "20", c.id, prog}, dir: it.base, files: true}
		want(t, cmd.run(t), 0, is("exec done\n"), is(""))
	}
	c.delete("--force").must(t)
}

// heldByRun: it stands for the workload as long as that lives, and holds nothing of the
// container: neither its lock nor a file or directory.
func heldByRun(t *testing.T) {
	c := newContainer(t, script("echo ready; exec sleep 300"))
	cmd := c.command("run", "--bundle", c.bundle, c.id)
	cmd.files = true
	r := cmd.start(t)
	r.until(t, "the workload", func() bool { return r.printed() != "" })
	dir := fmt.Sprintf("/proc/%d/fd/", r.cmd.Process.Pid)
	until(t, "no lock", func() bool { return len(held(t, dir, c.bundle)) == 0 }) // it goes when the start is through
	c.delete("--force").must(t)
	r.wait(t)
}

func held(t *testing.T, dir, bundle string) (list []string) {
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		target, _ := os.Readlink(dir + e.Name())
		info, err := os.Stat(dir + e.Name())
		if strings.HasPrefix(target, bundle) || err == nil && info.IsDir() {
			list = append(list, e.Name()+" "+target)
		}
	}
	return list
}
