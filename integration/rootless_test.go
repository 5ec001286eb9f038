package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// plainSpec is the default config as `spec --rootless` changes it, for one user.
func plainSpec(p plain) func(*specs.Spec) {
	return func(s *specs.Spec) {
		mappedAs(p.uid)(s)
		without(specs.NetworkNamespace)(s)
		rootlessMounts(s)
		for i, m := range s.Mounts {
			if m.Destination == "/sys" {
				s.Mounts[i].Type, s.Mounts[i].Source, s.Mounts[i].Options = "none", "/sys", append([]string{"rbind"}, m.Options...)
			}
		}
	}
}

// subordinate maps root to ann, and the ids from 1 to her subordinate ones.
func subordinate(first uint32) func(*specs.Spec) {
	return func(s *specs.Spec) {
		list := []specs.LinuxIDMapping{idRange(0, annUID, 1), idRange(1, first, 65536)}
		s.Linux.UIDMappings, s.Linux.GIDMappings = list, list
	}
}

// newOf is a container of p's.
func newOf(t *testing.T, p plain, edits ...func(*specs.Spec)) *container {
	t.Helper()
	c := newContainer(t, append([]func(*specs.Spec){plainSpec(p)}, edits...)...)
	c.belongsTo(p)
	return c
}

// only makes a result of want's check for rt, and of nothing for peers.
func only(m match) match {
	if it.kind != "rt" {
		return match{}
	}
	return m
}

// checkQuiet: who may make no cgroups is not told so each time, in what may be a container's
// log. A limit would be an error.
func checkQuiet(t *testing.T, r result) {
	t.Helper()
	if it.kind == "rt" && r.stderr != "" {
		t.Errorf("%v\nwant no warning", r)
	}
}

func TestRootless(t *testing.T) {
	rootlessWorld(t)
	needIDTools(t)
	ann := newPlain(t, annUID)
	sub := subordinate(subIDs)
	const maps = "tr -s ' ' </proc/self/uid_map; tr -s ' ' </proc/self/gid_map; cat /proc/self/setgroups"
	runAs(t, ann, []row{
		{name: "one id", sh: "id; " + maps, want: is(fmt.Sprintf("uid=0(root) gid=0(root)\n 0 %d 1\n 0 %d 1\ndeny\n", annUID, annUID))},
		{name: "one id needs no tool", prep: hideTools(ann), sh: "id -u", want: is("0\n")},
		{name: "exit code", sh: "exit 7", code: 7},
		{name: "capabilities", edit: fullCaps, sh: "grep CapEff /proc/self/status", want: has("000001ffffffffff")},
		{name: "devices", sh: "echo x >/dev/null && head -c 3 /dev/zero | wc -c; stat -c %t:%T /dev/tty", want: is("3\n5:0\n")},
		{name: "own network", edit: addNamespace("network", ""), sh: "cat /sys/class/net/lo/flags; ls /sys/class/net; ifconfig lo | grep -c 127.0.0.1", want: like(`1\n$`)},
		{name: "sysfs of an own network", sh: "cat /sys/class/net/lo/flags; ls /sys/class/net", want: is("0x9\nlo\n"), edit: edits(addNamespace("network", ""), sysfs)},
		{name: "masked", sh: "wc -c </proc/keys; touch /sys/firmware/x 2>&1", code: 1, want: like(`(?s)^0\n.*Read-only file system`)},
		{name: "root is read-only", edit: fullCaps, sh: "touch /x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "subordinate ids", edit: sub, sh: maps + "; id -u", want: is(fmt.Sprintf(" 0 %d 1\n 1 %d 65536\n 0 %d 1\n 1 %d 65536\nallow\n0\n", annUID, subIDs, annUID, subIDs))},
		{name: "a subordinate user", edit: edits(sub, user(1000, 1000), extraGroups(2000)), sh: "id -u; id -G; stat -c %u /proc/self/", want: is("1000\n1000 2000\n1000\n"),
			peers: peers{runc: differs("refuses additional groups to any caller without root")}},
		{name: "oom_score_adj", sh: "cat /proc/self/oom_score_adj", want: is("300\n"), edit: func(s *specs.Spec) { s.Process.OOMScoreAdj = ptr(300) }},
		{name: "seccomp", edit: seccomp(specs.ActAllow, specs.ActErrno, "mkdir mkdirat"), sh: "mkdir /tmp/x 2>&1", code: 1, want: has("Operation not permitted")},
		{name: "seccomp without no_new_privs", edit: edits(seccomp(specs.ActAllow, specs.ActErrno, "mkdir mkdirat"), noNewPrivs(false)), sh: "mkdir /tmp/x 2>&1", code: 1, want: has("Operation not permitted")},
	})
}

// TestRootlessRefusals: the error names what was asked for, and nothing is left.
func TestRootlessRefusals(t *testing.T) {
	rootlessWorld(t)
	needIDTools(t)
	ann := newPlain(t, annUID)
	bob := newPlain(t, bobUID)
	sub := subordinate(subIDs)
	memory := resources(specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr(int64(64 << 20))}})
	pids := resources(specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr(int64(20))}})
	runAs(t, ann, []row{
		{name: "subordinate ids, no tool", prep: hideTools(ann), edit: sub, code: 1, fails: only(like(`new[ug]idmap`))},
		{name: "subordinate ids, no tool: the hint", prep: hideTools(ann), edit: sub, code: 1, fails: only(like(`\buidmap\b|shadow-utils`))},
		{name: "another's ids", edit: subordinate(400000), code: 1, fails: like(`new[ug]idmap.*not allowed`), peers: peers{runc: differs("keeps the tool's text to itself")}},
		{name: "another's ids: where", edit: subordinate(400000), code: 1, fails: only(like(`/linux/[ug]idMappings`))},
		{name: "another's groups", code: 1, fails: like(`newgidmap.*not allowed`), peers: peers{runc: differs("keeps the tool's text to itself")},
			edit: edits(sub, func(s *specs.Spec) {
				s.Linux.GIDMappings = []specs.LinuxIDMapping{idRange(0, annUID, 1), idRange(1, 400000, 9)}
			})},
		{name: "no subordinate ids", prep: as(bob), code: 1, fails: like(`new[ug]idmap.*not allowed`), peers: peers{runc: differs("keeps the tool's text to itself")},
			edit: func(s *specs.Spec) {
				s.Linux.UIDMappings = []specs.LinuxIDMapping{idRange(0, bobUID, 1), idRange(1, subIDs, 9)}
				s.Linux.GIDMappings = s.Linux.UIDMappings
			}},
		{name: "the id of another", edit: mappedAs(bobUID), code: 1, fails: only(like(`/linux/[ug]idMappings`))},
		{name: "user not mapped", edit: user(1000, 0), code: 1, fails: where("/process/user/uid")},
		{name: "groups where setgroups is denied", edit: extraGroups(0), code: 1, fails: where("/process/user/additionalGids")},
		{name: "no user namespace", edit: edits(without("user"), unmapped), code: 1, fails: where("/linux/namespaces")},
		{name: "limit: memory", edit: memory, code: 1, fails: where("/linux/resources")},
		{name: "limit: pids", edit: pids, code: 1, fails: where("/linux/resources")},
		{name: "a source that the caller may not read", prep: func(c *container) { c.belongsTo(ann); secret(c) },
			edit: bindSource("secret/deep", "rbind"), code: 1, fails: has("ermission denied")},
		{name: "a source that the caller may not read: where", prep: func(c *container) { c.belongsTo(ann); secret(c) },
			edit: bindSource("secret/deep", "rbind"), code: 1, fails: where("/mounts/6")},
		{name: "an idmapped mount", prep: func(c *container) { c.belongsTo(ann); owned("disk")(c) }, code: 1, fails: where("/mounts/6"),
			edit: idmapped([]specs.LinuxIDMapping{idRange(0, annUID, 1)}, "bind", "idmap"), peers: peers{runc: differs("came with 1.2")}},
		{name: "raised limit", code: 1, fails: where("/process/rlimits/0"), edit: func(s *specs.Spec) {
			s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 1024, Hard: aboveHard(t)}}
		}},
		{name: "lowered oom_score_adj", code: 1, fails: where("/process/oomScoreAdj"), edit: func(s *specs.Spec) { s.Process.OOMScoreAdj = ptr(-1000) },
			peers: peers{runc: differs("passes over it")}},
	})
}

// runAs runs rows as p's, on plainSpec, unless prep gives them to another.
func runAs(t *testing.T, p plain, rows []row) {
	for i, r := range rows {
		if r.prep == nil {
			rows[i].prep = as(p)
		}
	}
	runRows(t, under(plainSpec(p), rows))
}

func as(p plain) func(*container) { return func(c *container) { c.belongsTo(p) } }

// hideTools gives p a host without newuidmap and newgidmap: neither on PATH, nor where they
// are looked for besides.
func hideTools(p plain) func(*container) {
	return func(c *container) {
		for _, name := range []string{"newuidmap", "newgidmap"} {
			path, err := exec.LookPath(name)
			if err == nil {
				err = unix.Mount("/dev/null", path, "", unix.MS_BIND, "")
			}
			if err != nil {
				c.t.Fatal(err)
			}
			c.t.Cleanup(func() { unix.Unmount(path, unix.MNT_DETACH) })
		}
		p.env = []string{"PATH=/nosuch"}
		c.belongsTo(p)
	}
}

// sysfs mounts /sys instead of binding the host's.
func sysfs(s *specs.Spec) {
	for i, m := range s.Mounts {
		if m.Destination == "/sys" {
			s.Mounts[i] = specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}}
		}
	}
}

func unmapped(s *specs.Spec) { s.Linux.UIDMappings, s.Linux.GIDMappings = nil, nil }

// aboveHard is more open files than the test itself may have.
func aboveHard(t *testing.T) uint64 {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	return l.Max + 1
}

func TestRootlessScenes(t *testing.T) {
	rootlessWorld(t)
	needIDTools(t)
	ann, bob := newPlain(t, annUID), newPlain(t, bobUID)
	runScenes(t, []scene{
		{name: "what spec writes", play: func(t *testing.T) { playSpec(t, ann) }},
		{name: "lifecycle", play: func(t *testing.T) { playLifecycle(t, ann) }},
		{name: "detached", play: func(t *testing.T) { playDetached(t, ann) }},
		{name: "exec", play: func(t *testing.T) { playExec(t, ann) }},
		{name: "exec with subordinate ids", peers: peers{runc: differs("refuses additional groups to any caller without root")}, play: func(t *testing.T) { playSubExec(t, ann) }},
		{name: "pause needs a cgroup", play: func(t *testing.T) { playPause(t, ann) }},
		{name: "two users", play: func(t *testing.T) { playTwo(t, ann, bob) }},
		{name: "root of a user namespace", play: func(t *testing.T) { playNested(t, ann) }},
		{name: "a user namespace in a user namespace", play: func(t *testing.T) { playNestedUser(t, ann) }},
	})
}

// playSpec runs what `spec --rootless` writes, with another workload.
func playSpec(t *testing.T, p plain) {
	c := newOf(t, p)
	path := filepath.Join(c.bundle, "config.json")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	c.rt("spec", "--rootless", "--bundle", c.bundle).must(t)
	s := c.spec()
	s.Process.Terminal, s.Process.Args = false, []string{"sh", "-c", "id -u; cat /proc/self/setgroups; " + onMount("/sys/fs/cgroup") + "| tail -n 1"}
	b, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(path, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := c.run()
	want(t, r, 0, like(`^0\ndeny\n`), match{})
	want(t, r, 0, only(like(`^ro,nosuid,nodev,noexec`)), match{})
	checkQuiet(t, r)
}

func playLifecycle(t *testing.T, p plain) {
	c := newOf(t, p, args("sleep", "300"))
	r := c.create().must(t)
	checkQuiet(t, r)
	c.wantStatus("created")
	want(t, c.sh("id -u"), 0, is("0\n"), match{})
	want(t, c.start(), 0, is(""), only(is("")))
	s := c.wantStatus("running")
	if got := factsOf(fmt.Sprint(s.Pid))["uid_map"]; got != fmt.Sprintf("0 %d 1", p.uid) {
		t.Errorf("uid_map %q", got)
	}
	want(t, c.delete(), 1, is(""), has("that is not stopped"))
	c.kill("TERM").must(t) // PID 1 without a handler stays
	c.wantStatus("running")
	want(t, c.kill("KILL"), 0, is(""), only(is("")))
	c.untilStatus("stopped")
	want(t, c.delete(), 0, is(""), only(is("")))
}

func playDetached(t *testing.T, p plain) {
	c := newOf(t, p, args("sleep", "300"))
	file := filepath.Join(c.bundle, "pid")
	checkQuiet(t, c.run("--detach", "--pid-file", file).must(t))
	if s := c.wantStatus("running"); s.Pid != pidFile(t, file) {
		t.Errorf("pid file: %d, state: %d", pidFile(t, file), s.Pid)
	}
	want(t, c.delete("--force"), 0, is(""), only(is("")))
	want(t, c.delete("--force"), 0, is(""), only(is("")))
}

func playExec(t *testing.T, p plain) {
	c := newOf(t, p, args("sleep", "300"), cwd("/home"))
	c.create().must(t)
	c.start().must(t)
	r := c.sh(tellFacts).must(t)
	want(t, r, 0, match{}, only(is("")))
	got, one := readFacts(r.stdout), fmt.Sprintf("0 %d 1", p.uid)
	got.checkNamespacesOf(t, c)
	got.check(t, facts{"uid_map": one, "gid_map": one, "setgroups": "deny", "Uid": "0 0 0 0", "Gid": "0 0 0 0", "CapEff": "0000000020000420", "NoNewPrivs": "1"})
	want(t, c.sh("pwd; exit 3"), 3, is("/home\n"), match{})
	want(t, c.exec([]string{"--user", "1000"}, "id"), 255, is(""), match{})
	want(t, c.exec([]string{"--additional-gids", "5"}, "id"), 255, is(""), match{})
	file := filepath.Join(c.bundle, "exec.pid")
	c.exec([]string{"--detach", "--pid-file", file}, "sleep", "300").must(t)
	if !alive(pidFile(t, file)) {
		t.Error("the detached exec is gone")
	}
	c.delete("--force").must(t)
}

func playSubExec(t *testing.T, p plain) {
	c := newOf(t, p, subordinate(subIDs), args("sleep", "300"), user(1000, 1000))
	c.create().must(t)
	c.start().must(t)
	want(t, c.exec([]string{"--user", "7:8", "--additional-gids", "9"}, "sh", "-c", "id -u; id -G; cat /proc/self/setgroups"), 0, is("7\n8 9\nallow\n"), match{})
	var st unix.Stat_t
	if err := unix.Stat(fmt.Sprintf("/proc/%d", c.state().Pid), &st); err != nil || st.Uid != subIDs+999 {
		t.Errorf("%v: init is uid %d on the host, want %d", err, st.Uid, subIDs+999)
	}
	c.kill("KILL").must(t)
	c.untilStatus("stopped")
	c.delete().must(t)
}

func playPause(t *testing.T, p plain) {
	c := newOf(t, p, args("sleep", "300"))
	c.create().must(t)
	c.start().must(t)
	want(t, c.rt("pause", c.id), 1, is(""), has("cgroup"))
	c.wantStatus("running")
	c.delete("--force").must(t)
}

// playTwo: the same id is two containers, in two state directories.
func playTwo(t *testing.T, ann, bob plain) {
	a := newOf(t, ann, args("sleep", "300"))
	b := newOf(t, bob, args("sleep", "300"))
	a.root, b.root = "", ""
	a.caller.env = append(a.caller.env, "XDG_RUNTIME_DIR="+runtimeDir(t, annUID))
	b.caller.env = append(b.caller.env, "XDG_RUNTIME_DIR="+runtimeDir(t, bobUID))
	b.id = a.id
	a.run("--detach").must(t)
	want(t, b.rt("list", "-q"), 0, is(""), match{})
	want(t, b.rt("state", b.id), 1, is(""), has("does not exist"))
	want(t, b.kill("KILL"), 1, is(""), has("does not exist"))
	b.run("--detach").must(t)
	if x, y := a.state().Pid, b.state().Pid; x == y {
		t.Errorf("both have pid %d", x)
	}
	b.delete("--force").must(t)
	want(t, a.rt("list", "-q"), 0, is(a.id+"\n"), match{})
	b.root = fmt.Sprintf("/run/user/%d/%s", annUID, it.kind)
	want(t, b.rt("state", a.id), 1, is(""), like(`ermission denied|does not exist`))
	want(t, b.delete("--force"), b.rt("delete", "--force", b.id).code, is(""), match{})
	a.wantStatus("running")
	a.delete("--force").must(t)
}

// nested has the caller be root of a user namespace, as podman without root is.
func nested(p plain) plain {
	p.own = true
	return p
}

func playNested(t *testing.T, p plain) {
	c := newContainer(t, script(tellFacts+"; echo x >/dev/null; stat -c '%t:%T' /dev/null"), rootlessMounts)
	c.belongsTo(nested(p))
	r := c.run().must(t)
	got := readFacts(r.stdout)
	one := fmt.Sprintf("0 %d 1", p.uid)
	got.check(t, facts{"uid_map": one, "gid_map": one, "Uid": "0 0 0 0", "pid": "1"})
	if got["ns/user"] == ownNamespace("user") || !strings.HasSuffix(r.stdout, "1:3\n") {
		t.Error(r)
	}
	checkQuiet(t, r)
}

func playNestedUser(t *testing.T, p plain) {
	c := newContainer(t, script("id -u; tr -s ' ' </proc/self/uid_map"), ids(idRange(0, 0, 1)), rootlessMounts)
	c.belongsTo(nested(p))
	want(t, c.run(), 0, is("0\n 0 0 1\n"), match{})
}
