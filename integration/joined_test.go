package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// join has the container enter a process's namespaces, each through its file below /proc.
func join(pid int, kinds ...specs.LinuxNamespaceType) func(*specs.Spec) {
	return func(s *specs.Spec) {
		for _, kind := range kinds {
			addNamespace(kind, holder{pid: pid}.path(kind))(s)
		}
		if ns := namespaceOf(s, specs.UTSNamespace); ns != nil && ns.Path != "" {
			s.Hostname = ""
		}
	}
}

// waits makes the workload one that ends when it is told to.
func waits(s *specs.Spec) { args("sleep", "300")(s) }

func pod() []specs.LinuxNamespaceType {
	return []specs.LinuxNamespaceType{specs.UserNamespace, specs.NetworkNamespace, specs.IPCNamespace, specs.UTSNamespace}
}

const (
	mappedUIDs = "0 100000 65536"
	mappedGIDs = "0 200000 65536"
)

func TestJoined(t *testing.T) {
	old := peers{runc: differs("1.1 wants mappings that the namespace has already")}
	runScenes(t, []scene{
		{name: "user, all else new", peers: old, play: func(t *testing.T) { playJoined(t, specs.UserNamespace) }},
		{name: "user, with mappings", play: joinMapped},
		{name: "a pod", peers: old, play: func(t *testing.T) { playJoined(t, pod()...) }},
		{name: "a pod with one pid namespace", peers: old, play: func(t *testing.T) { playJoined(t, append(pod(), specs.PIDNamespace)...) }},
		{name: "pid, all else new", play: joinPid},
		{name: "a container's", peers: old, play: shareWithContainer},
		{name: "rootless: a pod", peers: old, play: rootlessPod},
		{name: "rootless: a user namespace of another's", peers: old, play: rootlessForeign},
		{name: "the caller's own user namespace", peers: peers{runc: differs("fails in setns")}, play: joinOwn},
	})
}

// playJoined compares init and an exec with the holder of the namespaces.
func playJoined(t *testing.T, kinds ...specs.LinuxNamespaceType) {
	h := hold(t, kinds...)
	c := newRunning(t, join(h.pid, kinds...))
	checkJoined(t, c, facts{"uid_map": mappedUIDs, "gid_map": mappedGIDs, "setgroups": "allow", "CapEff": "0000000020000420"})
	want(t, c.sh("stat -L -c %u /dev/shm /dev/pts/ptmx /proc/self"), 0, is("0\n0\n0\n"), match{})
	want(t, c.exec([]string{"--user", "1000:1000"}, "grep", "-E", "^(Uid|CapEff)", "/proc/self/status"), 0,
		like(`Uid:\s1000\s1000\s1000\s1000\nCapEff:\s0+$`), match{})
	c.delete("--force").must(t)
	if !alive(h.pid) {
		t.Error("the holder is gone")
	}
}

// joinMapped: managers repeat the mappings of the namespace that they have the container join.
func joinMapped(t *testing.T) {
	h := hold(t, specs.UserNamespace)
	c := newContainer(t, script(tellFacts), mapped, join(h.pid, specs.UserNamespace))
	r := c.run().must(t)
	readFacts(r.stdout).check(t, facts{"uid_map": mappedUIDs, "gid_map": mappedGIDs, "Uid": "0 0 0 0", "ns/user": nsID(t, specs.UserNamespace, h.path(specs.UserNamespace))})
}

func checkJoined(t *testing.T, c *container, expect facts) {
	t.Helper()
	got := readFacts(c.sh(tellFacts).must(t).stdout)
	got.checkNamespacesOf(t, c)
	got.check(t, expect)
	if got["pid"] == "1" {
		t.Error("pid 1")
	}
}

// checkNamespacesOf is checkNamespaces for an exec; new namespaces have to be init's.
func (f facts) checkNamespacesOf(t *testing.T, c *container) {
	t.Helper()
	f.checkNamespaces(t, c.spec())
	init := factsOf(fmt.Sprint(c.state().Pid))
	for _, k := range nsKinds {
		f.check(t, facts{"ns/" + k.file: init["ns/"+k.file]})
	}
}

func joinPid(t *testing.T) {
	h := hold(t, specs.PIDNamespace)
	c := newRunning(t, join(h.pid, specs.PIDNamespace))
	checkJoined(t, c, facts{"Uid": "0 0 0 0"})
	want(t, c.sh("cat /proc/1/comm; tr '\\0' ' ' </proc/1/cmdline"), 0, is("sleep\nsleep 300 "), match{})
	c.kill("KILL").must(t)
	c.untilStatus("stopped")
	c.delete().must(t)
	if !alive(h.pid) {
		t.Error("the holder is gone")
	}
}

// shareWithContainer: the second container lives on when the first is deleted.
func shareWithContainer(t *testing.T) {
	a := newRunning(t, mapped)
	b := newRunning(t, join(a.state().Pid, pod()...), func(s *specs.Spec) { s.Linux.UIDMappings, s.Linux.GIDMappings = nil, nil })
	ids := `for n in user net ipc uts; do readlink /proc/self/ns/$n; done; hostname`
	if x, y := a.sh(ids).must(t).stdout, b.sh(ids).must(t).stdout; x != y {
		t.Errorf("%q and %q", x, y)
	}
	for _, apart := range []string{"readlink /proc/self/ns/pid", "readlink /proc/self/ns/mnt"} {
		if x, y := a.sh(apart).must(t).stdout, b.sh(apart).must(t).stdout; x == y {
			t.Errorf("share %q", x)
		}
	}
	a.delete("--force").must(t)
	want(t, b.sh("id -u; cat /sys/class/net/lo/flags; hostname"), 0, is("0\n0x9\nrunc\n"), match{})
	b.delete("--force").must(t)
}

func rootlessPod(t *testing.T) {
	ann := newPlain(t, annUID)
	h := holdAs(t, ann, "--net", "--ipc", "--uts")
	c := newContainer(t, waits, join(h.pid, pod()...), rootlessMounts)
	c.belongsTo(ann)
	c.create().must(t)
	c.start().must(t)
	one := fmt.Sprintf("0 %d 1", annUID)
	checkJoined(t, c, facts{"uid_map": one, "gid_map": one, "setgroups": "deny", "Uid": "0 0 0 0", "CapEff": "0000000020000420"})
	c.delete("--force").must(t)
}

// rootlessMounts leaves out what one id, or a caller without cgroups, cannot have.
func rootlessMounts(s *specs.Spec) {
	s.Linux.Resources = &specs.LinuxResources{}
	var keep []specs.Mount
	for _, m := range s.Mounts {
		if m.Destination == "/dev/pts" {
			m.Options = []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}
		}
		if m.Type != "cgroup" {
			keep = append(keep, m)
		}
	}
	s.Mounts = keep
}

// rootlessForeign: of a namespace that is owned by another uid one may not become root.
func rootlessForeign(t *testing.T) {
	h := holdAs(t, newPlain(t, bobUID))
	c := newContainer(t, without("cgroup"), addNamespace(specs.UserNamespace, h.file(t, specs.UserNamespace)), rootlessMounts)
	c.belongsTo(newPlain(t, annUID))
	want(t, c.run(), 1, match{}, where("/linux/namespaces/5"))
}

// joinOwn: setns(2) refuses a user namespace that one is in; the container is in it anyway.
func joinOwn(t *testing.T) {
	c := newContainer(t, script(equal("user")), addNamespace(specs.UserNamespace, "/proc/1/ns/user"))
	c.run().must(t)
}

// TestNamespaceRefusals: the error names the entry, and nothing is left.
func TestNamespaceRefusals(t *testing.T) {
	const last = "/linux/namespaces/5"
	twice := func(s *specs.Spec) {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: "/proc/1/ns/net"})
	}
	rows := []row{
		{name: "twice", edit: twice, code: 1, fails: where(last)},
		{name: "twice, both new", code: 1, fails: where(last), edit: func(s *specs.Spec) {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.IPCNamespace})
		}},
		{name: "a directory", edit: addNamespace("cgroup", "/proc"), code: 1, fails: where(last)},
		{name: "a file", edit: addNamespace("user", "/etc/passwd"), code: 1, fails: where(last)},
		{name: "a link to nothing", prep: deadLink, edit: inBundle("cgroup", "link"), code: 1, fails: where(last)},
		{name: "a fifo", prep: fifo, edit: inBundle("cgroup", "fifo"), code: 1, fails: where(last), peers: peers{runc: differs("1.1 waits for a writer")}},
		{name: "relative", edit: addNamespace("cgroup", "proc/1/ns/cgroup"), code: 1, fails: where(last)},
		{name: "offsets with a joined time namespace", code: 1, fails: where("/linux/timeOffsets"),
			edit: edits(addNamespace("time", "/proc/1/ns/time"), offsets(specs.LinuxTimeOffset{Secs: 1}, specs.LinuxTimeOffset{}))},
	}
	for i, k := range nsKinds {
		wrong := nsKinds[(i+1)%len(nsKinds)]
		edit := addNamespace(k.spec, "/proc/1/ns/"+wrong.file)
		if k.spec == specs.UTSNamespace {
			edit = edits(edit, func(s *specs.Spec) { s.Hostname = "" })
		}
		pointer := last
		if i < 5 {
			pointer = "/linux/namespaces/4" // it takes the place of one of the five
		}
		rows = append(rows, row{name: string(k.spec) + " by the path of " + string(wrong.spec), edit: edit, code: 1, fails: where(pointer)})
	}
	runRows(t, under(without("cgroup"), rows)) // which only the default of cgroup v2 has
}

func setPath(kind specs.LinuxNamespaceType, path string) func(*specs.Spec) {
	return func(s *specs.Spec) { namespaceOf(s, kind).Path = path }
}

// inBundle gives a namespace the path of a file in the bundle, which the next container has.
func inBundle(kind specs.LinuxNamespaceType, name string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		addNamespace(kind, filepath.Join(it.base, fmt.Sprintf("%s-%d", it.prefix, it.next), name))(s)
	}
}

func deadLink(c *container) {
	if err := os.Symlink("/nosuch", filepath.Join(c.bundle, "link")); err != nil {
		c.t.Fatal(err)
	}
}

func fifo(c *container) {
	if err := unix.Mkfifo(filepath.Join(c.bundle, "fifo"), 0o666); err != nil {
		c.t.Fatal(err)
	}
}

// Without a mount namespace there is nothing to mount in but the caller's: the root is
// changed by chroot(2) alone.
func TestNoMountNamespace(t *testing.T) {
	bare := func(s *specs.Spec) {
		without("mount")(s)
		s.Mounts, s.Linux.MaskedPaths, s.Linux.ReadonlyPaths, s.Root.Readonly = nil, nil, nil, false
	}
	own := peers{runc: differs("mounts the root file system in the caller's mount namespace"), crun: differs("wants mounts")}
	refused := func(name, pointer string, edit func(*specs.Spec)) row {
		return row{name: name, edit: edits(bare, edit), code: 1, fails: has(pointer), peers: own}
	}
	runRows(t, []row{
		{name: "chroot", edit: bare, sh: "ls /; cat /etc/passwd | head -n 1", made: strings.Join(defaultNodes(), " "), peers: own,
			want: like(`(?s)^bin\ndev\netc\n.*root:x:0:0:root:/root:/bin/sh\n`)},
		refused("mounts", "/mounts", func(s *specs.Spec) { s.Mounts = defaultMounts() }),
		refused("masked paths", "/linux/maskedPaths", func(s *specs.Spec) { s.Linux.MaskedPaths = []string{"/etc/group"} }),
		refused("read-only paths", "/linux/readonlyPaths", func(s *specs.Spec) { s.Linux.ReadonlyPaths = []string{"/etc"} }),
		refused("read-only root", "/root/readonly", func(s *specs.Spec) { s.Root.Readonly = true }),
		refused("propagation", "/linux/rootfsPropagation", func(s *specs.Spec) { s.Linux.RootfsPropagation = "shared" }),
	})
}

func offsets(monotonic, boottime specs.LinuxTimeOffset) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.TimeOffsets = map[string]specs.LinuxTimeOffset{"monotonic": monotonic, "boottime": boottime}
	}
}

func TestTimeOffsets(t *testing.T) {
	old := peers{runc: differs("time namespaces came with 1.2"), crun: differs("1.8 ends early")}
	new := func(m, b specs.LinuxTimeOffset) func(*specs.Spec) {
		return edits(addNamespace(specs.TimeNamespace, ""), offsets(m, b))
	}
	day, back := specs.LinuxTimeOffset{Secs: 86400, Nanosecs: 7}, specs.LinuxTimeOffset{Secs: -3, Nanosecs: 500000000}
	show := "cat /proc/self/timens_offsets | tr -s ' '"
	runRows(t, []row{
		{name: "none", edit: addNamespace(specs.TimeNamespace, ""), sh: show, want: like(`^monotonic\s+0\s+0\nboottime\s+0\s+0\n$`), peers: old},
		{name: "both", edit: new(day, day), sh: show, want: like(`^monotonic\s+86400\s+7\nboottime\s+86400\s+7\n$`), peers: old},
		{name: "back", edit: new(back, back), sh: show, want: like(`^monotonic\s+-3\s+500000000\nboottime\s+-3\s+500000000\n$`), peers: old},
		{name: "one clock", sh: show, want: like(`^monotonic\s+0\s+0\nboottime\s+86400\s+7\n$`), peers: old,
			edit: edits(new(day, day), func(s *specs.Spec) { delete(s.Linux.TimeOffsets, "monotonic") })},
		{name: "with a user namespace", edit: edits(mapped, new(day, day)), sh: show, want: like(`^monotonic\s+86400\s+7\nboottime\s+86400\s+7\n$`), peers: old},
		{name: "before the boot", edit: new(specs.LinuxTimeOffset{}, specs.LinuxTimeOffset{Secs: -1 << 40}), code: 1, fails: where("/linux/timeOffsets"), peers: old},
		{name: "too many nanoseconds", edit: new(specs.LinuxTimeOffset{Nanosecs: 1e9}, day), code: 1, fails: where("/linux/timeOffsets/monotonic/nanosecs"), peers: old},
		{name: "of no clock", edit: edits(new(day, day), func(s *specs.Spec) { s.Linux.TimeOffsets["realtime"] = day }),
			code: 1, fails: where("/linux/timeOffsets/realtime"), peers: old},
		{name: "without a namespace", edit: offsets(day, day), code: 1, fails: where("/linux/timeOffsets"), peers: old},
	})
	runScenes(t, []scene{{name: "uptime, of init and of an exec", peers: old, play: playUptime}})
}

// playUptime: both are a day ahead of the host's clock.
func playUptime(t *testing.T) {
	file := "/proc/uptime"
	c := newContainer(t, script("cut -d. -f1 "+file), addNamespace(specs.TimeNamespace, ""), offsets(specs.LinuxTimeOffset{}, specs.LinuxTimeOffset{Secs: 86400}))
	checkUptime(t, c.run())
	c.config(waits, addNamespace(specs.TimeNamespace, ""), offsets(specs.LinuxTimeOffset{}, specs.LinuxTimeOffset{Secs: 86400}))
	c.create().must(t)
	checkUptime(t, c.exec(nil, "cut", "-d.", "-f1", file))
	readFacts(c.sh(tellFacts).must(t).stdout).checkNamespacesOf(t, c)
	c.delete("--force").must(t)
}

func checkUptime(t *testing.T, r result) {
	t.Helper()
	var own, got int64
	b, err := os.ReadFile("/proc/uptime")
	if err == nil {
		_, err = fmt.Sscan(string(b), &own)
	}
	if err == nil {
		_, err = fmt.Sscan(r.must(t).stdout, &got)
	}
	if ahead := got - own; err != nil || ahead < 86395 || ahead > 86405 {
		t.Errorf("%v\n%v: %d seconds ahead, want 86400", r, err, ahead)
	}
}
