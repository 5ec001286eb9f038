package integration

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// slowly makes a command take its time for each write(2) to one of the files. -D: it is our
// child itself, and gets our signals.
func slowly(t *testing.T, cmd command, files ...string) command {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		skip(t, "needs strace")
	}
	trace := []string{"strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=write", "-e", "inject=write:delay_enter=50000:delay_exit=50000"}
	for _, f := range files {
		trace = append(trace, "-P", f)
	}
	cmd.args = append(trace, cmd.args...)
	return cmd
}

// everythingBut allows all devices but the one of extraNode. In cgroup v1 all are allowed on
// the way there.
const everythingBut = `"devices": [{"allow": true, "access": "rwm"}, {"allow": false, "type": "c", "major": 10, "minor": 250, "access": "rw"}]`

// TestUpdateOpens: nobody uses a device that is allowed on the way only, neither of an update
// nor of its way back.
func TestUpdateOpens(t *testing.T) {
	end := func(c *container, r *running) {
		r.until(c.t, "all devices", func() bool { return c.limit("devices.list") == "a *:* rwm" })
		r.cmd.Process.Signal(unix.SIGTERM)
	}
	for _, r := range []struct {
		name, more string
		during     func(*container, *running)
		code       int
		err        match
	}{
		{"done", "", func(*container, *running) {}, 0, is("")},
		{"interrupted", "", end, 1, has("update was interrupted: terminated; all former values are back")},
		{"refused", `, "cpu": {"burst": 60000}`, func(*container, *running) {}, 1, has("all former values are back")},
	} {
		t.Run(r.name, func(t *testing.T) {
			needBinary(t, peers{runc: rtOnly, crun: rtOnly})
			needRoot(t)
			watch(t)
			needV1(&container{t: t})
			const tries = "while :; do true </dev/extra; done 2>&1 | grep -m1 'No such dev' >/dev/shm/hit"
			c := newRunning(t, limited, extraNode(0o666, 0, 0), script(tries))
			before := c.limit("devices.list")
			file, devices := c.write("update.json", "{"+everythingBut+r.more+"}"), c.groupDir("devices")
			up := slowly(t, c.command("update", "--resources", file, c.id), devices+"/devices.allow", devices+"/devices.deny", c.groupDir("freezer")+"/freezer.state").start(t)
			r.during(c, up)
			want(t, up.wait(t), r.code, is(""), r.err)
			want(t, c.sh("cat /dev/shm/hit; true </dev/extra"), 1, is(""), has("Operation not permitted"))
			if got := c.limit("devices.list"); r.code != 0 && sorted(got) != sorted(before) {
				t.Errorf("devices were\n%s\nand are\n%s", before, got)
			}
			c.wantStatus("running")
			c.delete("--force").must(t)
		})
	}
}

// TestComboUpdate: whatever the container is doing, and whoever is its root.
func TestComboUpdate(t *testing.T) {
	runCombos(t, []comboScene{
		{name: "created, running and paused, with devices", group: true, play: func(t *testing.T, by comboCaller) {
			c := by.container(t, limited, args("sleep", "300"))
			needV1(c)
			c.create().must(t)
			for i, step := range []string{"created", "running", "paused", "running"} {
				if i > 0 {
					c.rt([]string{"", "start", "pause", "resume"}[i], c.id).must(t)
				}
				c.updateFile(fmt.Sprintf(`{"pids": {"limit": %d}, %s}`, 30+i, everythingBut)).must(t)
				c.wantStatus(step)
				c.wantLimits(fmt.Sprintf("pids.max=%d devices.list=a_*:*_rwm", 30+i))
				c.updateFile(`{"devices": [{"allow": false}]}`).must(t)
				c.wantStatus(step)
			}
			c.delete("--force").must(t)
		}, peers: peers{runc: differs("ignores devices in an update")}},
		{name: "no cgroup", play: func(t *testing.T, by comboCaller) {
			c := by.container(t, args("sleep", "300"))
			c.create().must(t)
			if by.as.uid != 0 {
				want(t, c.update("--pids-limit", "5"), 1, is(""), has("the container has no cgroup, and so no limits to change"))
			}
			c.delete("--force").must(t)
		}, peers: peers{runc: rtOnly, crun: rtOnly}},
	})
}

// TestUpdateRaces: see TestRaces. A group that is frozen for an update is never left so.
func TestUpdateRaces(t *testing.T) {
	rt := func(args ...string) func(*container) command {
		return func(c *container) command { return c.command(append(args, c.id)...) }
	}
	update := func(c *container) command {
		file := c.write("update.json", `{"pids": {"limit": 40}, `+everythingBut+"}")
		return c.command("update", "--resources", file, c.id)
	}
	both := func(a, b result) bool { return a.code == 0 && b.code == 0 }
	second := func(_, b result) bool { return b.code == 0 }
	running := func(t *testing.T) *container { return newRunning(t, limited) }
	for _, d := range []duel{
		{"update, update", running, update, update, both, peers{}},
		{"update, exec", running, update, func(c *container) command { return c.command("exec", c.id, "true") }, func(a, b result) bool { return a.code == 0 }, peers{}},
		{"update, pause", running, update, rt("pause"), both, peers{}},
		{"update, kill", running, update, func(c *container) command { return c.command("kill", c.id, "KILL") }, second, peers{}},
		{"update, delete --force", running, update, rt("delete", "--force"), second, peers{}},
		{"update, events", running, update, rt("events", "--stats"), both, peers{}},
		{"update, start", func(t *testing.T) *container { return newCreated(t, limited) }, update, rt("start"), both, peers{}},
	} {
		t.Run(d.name, func(t *testing.T) {
			needBinary(t, peers{runc: rtOnly, crun: rtOnly})
			watch(t)
			needV1(&container{t: t})
			for i := 0; i < rounds/2 && !t.Failed(); i++ {
				d.round(t)
			}
		})
	}
}

// TestUpdateKilled: what a killed update leaves works, and the next one repairs it.
func TestUpdateKilled(t *testing.T) {
	needStrace(t, peers{runc: rtOnly, crun: rtOnly})
	needV1(&container{t: t})
	killed := 0
	for n := 1; n <= 12; n++ {
		t.Run(fmt.Sprintf("write %d", n), func(t *testing.T) {
			watch(t)
			c := newRunning(t, limited)
			file := c.write("update.json", `{"memory": {"limit": 33554432, "swap": 50331648}, "cpu": {"quota": 20000, "shares": 99}, "pids": {"limit": 9}, `+everythingBut+"}")
			cmd := c.command("update", "--resources", file, c.id)
			cmd.args = append([]string{"strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=write", "-e", fmt.Sprintf("inject=write:signal=SIGKILL:when=%d", n)}, cmd.args...)
			if cmd.run(t).code == 137 {
				killed++
			}
			if c.state().Status == "paused" {
				c.rt("resume", c.id).must(t)
			}
			c.sh("true").must(t)
			c.updateFile(`{"devices": [{"allow": false}]}`, "--memory", "1m").must(t)
			c.update("--memory", "64M", "--memory-swap", "96M", "--cpu-share", "512", "--cpu-quota", "50000", "--pids-limit", "50").must(t)
			c.wantLimits(limitsBefore)
			want(t, c.sh("true </dev/null"), 0, is(""), is(""))
			c.wantStatus("running")
			c.delete("--force").must(t)
		})
	}
	if killed < 5 {
		t.Errorf("%d updates killed", killed)
	}
}

// TestUpdateHostile: what is no resources object is refused, soon, with nothing written (S27).
func TestUpdateHostile(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	needRoot(t)
	watch(t)
	needV1(&container{t: t})
	c := newRunning(t, limited)
	c.do(unix.Mkfifo(c.bundle+"/fifo", 0o600))
	for _, r := range []struct{ file, text string }{
		{c.bundle + "/fifo", "not a regular file"}, {c.bundle, "not a regular file"}, {"/dev/zero", "not a regular file"}, {c.bundle + "/none", "no such file"},
	} {
		want(t, c.update("--resources", r.file), 1, is(""), has(r.text))
	}
	for _, r := range []struct{ json, text string }{
		{strings.Repeat("[", 1<<20), "nested deeper than"},
		{`{"unified": ` + strings.Repeat(`{"a":`, 1<<18), "nested deeper than"},
		{`{"zzz": "` + strings.Repeat("z", 1<<24) + `"}`, "larger than"},
		{"", "update.json"}, {"null", "expected an object"}, {"[]", "expected an object"}, {`{"pids": {"limit": 9}} {}`, "data after the end"},
		{`{"pids": {"limit": 1e99}}`, "/pids/limit"}, {`{"pids": {"limit": 99999999999999999999}}`, "out of range"},
		{`{"cpu": {"cpus": "0\u0000"}}`, "/cpu/cpus"}, {`{"cpu": {"cpus": "0\n1"}}`, "/cpu/cpus"},
		{`{"unified": {"../../pids/x.max": "1"}}`, "/unified/..~1..~1pids~1x.max"}, {`{"unified": {"/etc/x.y": "1"}}`, "/unified/~1etc~1x.y"},
		{`{"unified": {"a/../b.c": "1"}}`, "/unified/"}, {`{"unified": {"": "1"}}`, "/unified"}, {`{"unified": {"memory.max\u0000": "1"}}`, "/unified"}, {`{"unified": {"..": "1"}}`, "/unified/.."},
	} {
		want(t, c.updateFile(r.json), 1, is(""), has(r.text))
	}
	c.wantLimits(limitsBefore)
	c.delete("--force").must(t)
}

// TestUpdateNoPids: 0 is no limit in a document before 1.3, and the kernel's 0 since then.
func TestUpdateNoPids(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	watch(t)
	needV1(&container{t: t})
	for version, limit := range map[string]string{"1.2.0": "50", "1.3.0": "0"} {
		c := newRunning(t, limited, func(s *specs.Spec) { s.Version = version })
		c.updateFile(`{"pids": {"limit": 0}}`).must(t)
		c.wantLimits("pids.max=" + limit)
		c.delete("--force").must(t)
	}
}
