package integration

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// duel is two commands at the same time on one id.
type duel struct {
	name string
	make func(*testing.T) *container
	a, b func(*container) command
	ok   func(a, b result) bool
	peers
}

const rounds = 20

// TestRaces: no hang (the deadline), no crash (no Go traceback), one clear winner where
// there has to be one, and nothing left (the census of each round).
func TestRaces(t *testing.T) {
	rt := func(args ...string) func(*container) command {
		return func(c *container) command { return c.command(append(args, c.id)...) }
	}
	create := func(c *container) command { return c.command("create", "--bundle", c.bundle, c.id) }
	exec := func(c *container) command { return c.command("exec", c.id, "true") }
	kill := func(c *container) command { return c.command("kill", c.id, "KILL") }
	any := func(a, b result) bool { return true }
	one := func(a, b result) bool { return (a.code == 0) != (b.code == 0) }
	forced := func(_, b result) bool { return b.code == 0 }
	hangs := peers{runc: differs("the second start hangs")}
	both := peers{runc: differs("takes no locks: both win, or both fail")}
	duels := []duel{
		{"start, start", func(t *testing.T) *container { return newCreated(t) }, rt("start"), rt("start"), one, hangs},
		{"create, create", func(t *testing.T) *container { return newContainer(t, args("sleep", "300")) }, create, create, one, both},
		{"delete, delete", func(t *testing.T) *container { return newStopped(t) }, rt("delete"), rt("delete"), one, both},
		{"delete --force, delete --force", func(t *testing.T) *container { return newRunning(t) }, rt("delete", "--force"), rt("delete", "--force"), forced, peers{}},
		{"kill, delete", func(t *testing.T) *container { return newRunning(t) }, kill, rt("delete"), any, peers{}},
		{"kill, delete --force", func(t *testing.T) *container { return newRunning(t) }, kill, rt("delete", "--force"), forced, peers{}},
		{"exec, delete --force", func(t *testing.T) *container { return newRunning(t) }, exec, rt("delete", "--force"), forced, peers{}},
		{"start, delete --force", func(t *testing.T) *container { return newCreated(t) }, rt("start"), rt("delete", "--force"), forced, peers{}},
		{"create, delete --force", func(t *testing.T) *container { return newContainer(t, args("sleep", "300")) }, create, rt("delete", "--force"), any, peers{}},
		{"pause, delete --force", func(t *testing.T) *container { return newRunning(t) }, rt("pause"), rt("delete", "--force"), forced, peers{runc: differs("a pause right after delete's kill keeps init from dying")}},
		{"state, delete --force", func(t *testing.T) *container { return newRunning(t) }, rt("state"), rt("delete", "--force"), forced, peers{}},
		{"list, delete --force", func(t *testing.T) *container { return newRunning(t) },
			func(c *container) command { return c.command("list") }, rt("delete", "--force"), func(a, b result) bool { return a.code == 0 && b.code == 0 }, peers{}},
	}
	for _, d := range duels {
		t.Run(d.name, func(t *testing.T) {
			needBinary(t, d.peers)
			watch(t)
			for i := 0; i < rounds && !t.Failed(); i++ {
				d.round(t)
			}
		})
	}
}

func (d duel) round(t *testing.T) {
	c := d.make(t)
	ra, rb := d.a(c).start(t), d.b(c).start(t)
	a, b := ra.wait(t), rb.wait(t)
	if !d.ok(a, b) || crashed(a) || crashed(b) {
		t.Errorf("%v\n\n%v", a, b)
	}
	c.delete("--force").must(t)
	if left := cgroupDirs(c.id); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func crashed(r result) bool {
	return strings.Contains(r.stderr, "goroutine ") || strings.Contains(r.stderr, "panic:") ||
		r.code == 128+int(unix.SIGSEGV) || r.code == 128+int(unix.SIGABRT)
}
