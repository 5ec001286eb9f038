package integration

import (
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// foreignUser: a namespace can be opened by its file only where the process is the caller's.
const foreignUser = verdict("exec cannot open the namespaces of a process that is another user's by then")

func TestComboLife(t *testing.T) {
	runCombos(t, []comboScene{
		{name: "exec in created, kill, delete", subIDs: foreignUser, play: func(t *testing.T, by comboCaller) { comboLife(t, by, nil) }},
		{name: "with a cgroup namespace", subIDs: foreignUser, play: func(t *testing.T, by comboCaller) {
			comboLife(t, by, edits(without(specs.CgroupNamespace), addNamespace(specs.CgroupNamespace, "")))
		}},
		{name: "delete --force while a hook hangs", play: comboHang, peers: peers{runc: rtOnly, crun: rtOnly}},
		{name: "TERM while a hook hangs", play: comboTerm, peers: peers{runc: differs("hooks outlive it"), crun: rtOnly}},
		{name: "preserved fds", play: func(t *testing.T, by comboCaller) {
			c := by.container(t, asUser(by.user()), script("ls /proc/self/fd | tr '\\n' ' '; cat <&4"))
			cmd := c.command("run", "--preserve-fds", "2", "--bundle", c.bundle, c.id)
			cmd.extra = leaks(t, 4)
			want(t, cmd.run(t), 0, is("0 1 2 3 4 5 fd 4\n"), match{})
		}},
		{name: "pause", group: true, play: func(t *testing.T, by comboCaller) {
			if by.who == byUser {
				needDelegated(t)
			}
			c := by.container(t, args("sleep", "300"), idleHooks)
			c.create().must(t)
			c.start().must(t)
			c.rt("pause", c.id).must(t)
			c.wantStatus("paused")
			want(t, c.exec(nil, "true"), 255, is(""), has("paused"))
			c.rt("resume", c.id).must(t)
			want(t, c.sh("echo on"), 0, is("on\n"), match{})
			c.rt("pause", c.id).must(t)
			c.delete("--force").must(t)
		}},
	})
}

// idleHooks has a hook of each kind that does nothing.
func idleHooks(s *specs.Spec) {
	for _, k := range hookKinds {
		k.set(specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", "true"}})(s)
	}
}

func comboLife(t *testing.T, by comboCaller, edit func(*specs.Spec)) {
	c := by.container(t, args("sleep", "300"), asUser(by.user()), edit)
	c.create("--pid-file", c.bundle+"/pid").must(t)
	init := factsOf(c.read(c.bundle + "/pid"))
	for _, status := range []string{"created", "running"} {
		c.wantStatus(status)
		r := c.exec([]string{"--user", "0"}, "sh", "-c", tellFacts).must(t)
		got := readFacts(r.stdout)
		for _, n := range nsKinds {
			got.check(t, facts{"ns/" + n.file: init["ns/"+n.file]})
		}
		got.check(t, facts{"uid_map": init["uid_map"], "gid_map": init["gid_map"], "setgroups": init["setgroups"]})
		if status == "created" {
			c.start().must(t)
		}
	}
	want(t, c.delete(), 1, is(""), has("not stopped"))
	c.kill("KILL").must(t)
	c.untilStatus("stopped")
	want(t, c.start(), 1, is(""), has("stopped"))
	c.delete().must(t)
}

func comboHang(t *testing.T, by comboCaller) {
	for _, k := range []hookKind{createContainer, startContainer} {
		c := by.container(t)
		by.config(c, args("sleep", "300"), asUser(by.user()), c.shared(), k.set(k.hang(c)), poststop.set(poststop.sh(c, "echo poststop >>@/out")))
		r := c.hold(k, false)
		c.delete("--force").must(t)
		if r := r.wait(t); r.code == 0 || !strings.Contains(r.stderr, k.name+" hook 0") {
			t.Error(r)
		}
		c.wantOut("poststop\n")
		if anybody("sleep 1000") {
			t.Error("the hook lives on")
		}
	}
}

func comboTerm(t *testing.T, by comboCaller) {
	for _, k := range hookKinds {
		c := by.container(t)
		by.config(c, args("sleep", "300"), asUser(by.user()), c.shared(), k.set(k.sh(c, "[ -e @/in ] && exit; touch @/in; exec sleep 1000")))
		r := c.hold(k, false)
		r.cmd.Process.Signal(unix.SIGTERM)
		if got := r.wait(t); (got.code == 0) != (k.by == "delete") || !strings.Contains(got.stderr, "SIGTERM") {
			t.Errorf("%s: %v", k.name, got)
		}
		if left := c.records(); len(left) > 0 {
			t.Errorf("%s: left: %v", k.name, left)
			c.delete("--force")
		}
	}
}
