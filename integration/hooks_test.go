package integration

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// hook runs a host's shell; $L is a file in the bundle.
func (c *container) hook(text string) specs.Hook {
	return specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", text}, Env: []string{"PATH=/usr/bin:/bin", "L=" + c.bundle + "/hooks.log"}}
}

func (c *container) hookLog() string {
	b, _ := os.ReadFile(c.bundle + "/hooks.log")
	return string(b)
}

// hookKinds fills the kinds whose programs are the host's.
func (c *container) hookKinds(text func(kind string) string) func(*specs.Spec) {
	one := func(kind string) []specs.Hook { return []specs.Hook{c.hook(text(kind))} }
	return func(s *specs.Spec) {
		s.Hooks = &specs.Hooks{CreateRuntime: one("createRuntime"), CreateContainer: one("createContainer"), Poststart: one("poststart"), Poststop: one("poststop")}
	}
}

func echo(kind string) string { return "echo " + kind + " >>$L" }

func TestHooks(t *testing.T) {
	needBinary(t, peers{})
	early := peers{runc: differs("1.1 runs poststart at create")}
	runScenes(t, []scene{
		{name: "order", peers: early, play: func(t *testing.T) {
			c := newContainer(t)
			c.config(args("sleep", "300"), c.hookKinds(echo))
			c.create().must(t)
			c.wantLog("createRuntime\ncreateContainer\n")
			c.start().must(t)
			c.wantLog("createRuntime\ncreateContainer\npoststart\n")
			c.delete("--force").must(t)
			c.wantLog("createRuntime\ncreateContainer\npoststart\npoststop\n")
		}},
		{name: "state on stdin", peers: early, play: hookState},
		{name: "state and list may be called", play: hookCallsBack},
		{name: "a failure ends create", play: func(t *testing.T) { hookFails(t, "createRuntime", "exit 3", "exit status 3") }},
		{name: "a failure in createContainer ends create", play: func(t *testing.T) { hookFails(t, "createContainer", "exit 3", "exit status 3") }},
		{name: "time-out", play: hookTimeout},
		{name: "startContainer runs inside", play: func(t *testing.T) {
			c := newContainer(t)
			inside := specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", "hostname >/log"}}
			c.config(writable, args("cat", "/log"), func(s *specs.Spec) { s.Hooks = &specs.Hooks{StartContainer: []specs.Hook{inside}} })
			c.made = []string{"/log"}
			want(t, c.run(), 0, is("runc\n"), is(""))
		}},
	})
}

func (c *container) wantLog(want string) {
	c.t.Helper()
	if got := c.hookLog(); got != want {
		c.t.Errorf("hooks so far: %q, want %q", got, want)
	}
}

func hookState(t *testing.T) {
	c := newContainer(t)
	c.config(args("sleep", "300"), c.hookKinds(func(kind string) string { return "cat >>$L; echo >>$L" }))
	c.create().must(t)
	pid := c.state().Pid
	c.start().must(t)
	c.delete("--force").must(t)
	status := []string{"creat", "creat", "running", "stopped"} // creating, or created as runc has it
	lines := strings.Fields(c.hookLog())
	if len(lines) != len(status) {
		t.Fatalf("%q", c.hookLog())
	}
	for i, line := range lines {
		var s state
		if err := json.Unmarshal([]byte(line), &s); err != nil || s.ID != c.id || !strings.HasPrefix(s.Status, status[i]) || s.Bundle != c.bundle {
			t.Errorf("%v, status should be %s: %s", err, status[i], line)
		}
		if i == 0 && s.Pid != pid {
			t.Errorf("pid %d in %s", pid, line)
		}
	}
}

func hookCallsBack(t *testing.T) {
	c := newContainer(t)
	call := it.bin + " --root " + c.root + " "
	then := " && "
	if it.kind == "runc" { // has no record yet, or any more
		then = "; "
	}
	c.config(c.hookKinds(func(string) string {
		return call + "list | grep -q " + c.id + then + call + "state " + c.id + " >/dev/null" + then + "echo done >>$L"
	}))
	c.run().must(t)
	c.wantLog("done\ndone\ndone\ndone\n")
}

func hookFails(t *testing.T, kind, text, message string) {
	c := newContainer(t)
	c.config(c.hookKinds(func(k string) string {
		if k == kind {
			return text
		}
		return echo(k)
	}))
	want(t, c.create(), 1, is(""), has(message))
	if left := c.records(); len(left) > 0 {
		t.Errorf("left: %v", left)
		c.delete("--force")
	}
	if log := c.hookLog(); strings.Contains(log, "poststart") {
		t.Errorf("went on: %q", log)
	}
}

func hookTimeout(t *testing.T) {
	c := newContainer(t)
	h := c.hook("exec sleep 100")
	h.Timeout = ptr(1)
	c.config(func(s *specs.Spec) { s.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{h}} })
	want(t, c.create(), 1, is(""), like("(?i)time|deadline|killed"))
}
