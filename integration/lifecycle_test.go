package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestLifecycle(t *testing.T) {
	runScenes(t, []scene{
		{name: "create, start, end, delete", play: wholeLife, peers: peers{vm: true, crun: otherText}},
		{name: "delete --force of created", play: forceDelete(newCreated)},
		{name: "delete --force of running", play: forceDelete(newRunning), peers: inVM()},
		{name: "delete --force of stopped", play: forceDelete(newStopped)},
		{name: "delete --force of paused", peers: inVM(), play: func(t *testing.T) {
			c := newRunning(t)
			c.rt("pause", c.id).must(t)
			c.delete("--force").must(t)
		}},
		{name: "kill of created", play: func(t *testing.T) {
			c := newCreated(t)
			c.kill("KILL").must(t)
			c.untilStatus("stopped")
			c.delete().must(t)
		}},
		{name: "TERM of created", play: func(t *testing.T) {
			c := newCreated(t)
			c.kill("TERM").must(t)
			c.untilStatus("stopped")
			c.delete().must(t)
		}},
		{name: "kill by number, name, SIG name", play: killForms},
		{name: "pause and resume", play: pauseResume, peers: inVM()},
		{name: "annotations in state", play: annotationsInState},
		{name: "zombie and dead init", play: zombieInit},
		{name: "kill --all reaches what outlived init", peers: inVM(), play: outlived(func(c *container) { c.rt("kill", "--all", c.id, "KILL").must(c.t) })},
		{name: "delete --force reaches what outlived init", peers: peers{vm: true, runc: leavesGroup}, play: outlived(func(c *container) { c.delete("--force").must(c.t) })},
		{name: "init and exec re-parent to the subreaper", play: reparent},
	})
}

func wholeLife(t *testing.T) {
	c := newContainer(t, script("echo hi; sleep 300"))
	pid := filepath.Join(c.bundle, "pid")
	c.create("--pid-file", pid).must(t)
	s := c.wantStatus("created")
	if got := pidFile(t, pid); got != s.Pid {
		t.Errorf("pid file %d, state %d", got, s.Pid)
	}
	c.start().must(t)
	c.wantStatus("running")
	c.kill("KILL").must(t)
	c.untilStatus("stopped")
	if s := c.state(); s.Pid != 0 || s.ID != c.id || s.Bundle != c.bundle {
		t.Errorf("%+v", s)
	}
	c.delete().must(t)
	want(t, c.rt("state", c.id), 1, is(""), has("container does not exist"))
}

func forceDelete(make func(*testing.T, ...func(*specs.Spec)) *container) func(*testing.T) {
	return func(t *testing.T) { make(t).delete("--force").must(t) }
}

func killForms(t *testing.T) {
	for _, signal := range []string{"9", "KILL", "SIGKILL", "kill", "sigkill"} {
		c := newRunning(t)
		c.kill(signal).must(t)
		c.untilStatus("stopped")
		c.delete().must(t)
	}
	c := newRunning(t, script("trap 'exit 0' TERM; while :; do sleep 0.05; done"))
	until(t, "trap", func() bool { // TERM is the default; PID 1 has no other
		c.rt("kill", c.id)
		return c.state().Status == "stopped"
	})
	c.delete().must(t)
}

func pauseResume(t *testing.T) {
	c := newRunning(t)
	c.rt("pause", c.id).must(t)
	c.wantStatus("paused")
	c.rt("resume", c.id).must(t)
	c.wantStatus("running")
	c.sh("true").must(t)
	c.delete("--force").must(t)
	c = newCreated(t)
	c.rt("pause", c.id).must(t)
	c.rt("resume", c.id).must(t)
	c.wantStatus("created")
	c.delete("--force").must(t)
}

func annotationsInState(t *testing.T) {
	c := newCreated(t, func(s *specs.Spec) { s.Annotations = map[string]string{"org.x": "y z", "empty": ""} })
	s := c.state()
	if s.Annotations["org.x"] != "y z" || s.OCIVersion == "" || s.Rootfs != c.rootfs() {
		t.Errorf("%+v", s)
	}
	if _, err := time.Parse(time.RFC3339Nano, s.Created); err != nil {
		t.Error(err)
	}
	c.delete("--force").must(t)
}

func zombieInit(t *testing.T) {
	c := newRunning(t)
	pid := c.state().Pid
	withZombie(c, pid)
	it.procs.reap()
	if _, ok := readProcess(pid); ok {
		t.Fatal("init was not our child to reap")
	}
	c.wantStatus("stopped")
	c.delete().must(t)
}

func withZombie(c *container, pid int) {
	it.procs.rest.Lock()
	defer it.procs.rest.Unlock()
	killPid(pid)
	until(c.t, "zombie", func() bool { p, ok := readProcess(pid); return ok && p.state == "Z" })
	c.wantStatus("stopped")
}

// outlived gives a container that shares the host's PID namespace, whose init is dead and
// whose children are not.
func outlived(end func(*container)) func(*testing.T) {
	return func(t *testing.T) {
		c := newRunning(t, without("pid"), script("sleep 300 & sleep 300 & wait"))
		dir := c.groupDir("pids")
		members := func() int {
			b, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
			return len(strings.Fields(string(b)))
		}
		until(t, "three processes", func() bool { return members() == 3 })
		killPid(c.state().Pid)
		c.untilStatus("stopped")
		if n := members(); n != 2 {
			t.Fatalf("%d processes left, want 2", n)
		}
		end(c)
		until(t, "no process", func() bool { return members() == 0 })
		c.delete("--force").must(t)
	}
}

func reparent(t *testing.T) {
	c := newCreated(t)
	pid := c.state().Pid
	file := filepath.Join(c.bundle, "pid")
	c.start().must(t)
	c.exec([]string{"--detach", "--pid-file", file}, "sleep", "300").must(t)
	for _, pid := range []int{pid, pidFile(t, file)} {
		if p, ok := readProcess(pid); !ok || p.parent != os.Getpid() {
			t.Errorf("parent of %+v is not us", p)
		}
	}
	c.delete("--force").must(t)
}

func TestRun(t *testing.T) {
	runScenes(t, []scene{
		{name: "detach", peers: inVM(), play: func(t *testing.T) {
			c := newContainer(t, args("sleep", "300"))
			file := filepath.Join(c.bundle, "pid")
			c.run("--detach", "--pid-file", file).must(t)
			if s := c.wantStatus("running"); s.Pid != pidFile(t, file) {
				t.Errorf("pid file differs from %d", s.Pid)
			}
			c.delete("--force").must(t)
		}},
		{name: "foreground exit code", peers: inVM(), play: func(t *testing.T) {
			want(t, newContainer(t, script("echo out; echo err >&2; exit 5")).run(), 5, is("out\n"), is("err\n"))
		}},
		{name: "foreground forwards TERM", play: func(t *testing.T) { forwards(t, unix.SIGTERM, 3) }},
		{name: "foreground forwards HUP", play: func(t *testing.T) { forwards(t, unix.SIGHUP, 4) }},
		{name: "foreground ends what outlives init", play: func(t *testing.T) {
			c := newContainer(t, without("pid"), script("sleep 300 & exit 6"))
			cmd := c.command("run", "--bundle", c.bundle, c.id)
			cmd.files = true                              // the sleeper keeps a pipe open
			want(t, cmd.run(t), 6, match{}, only(is(""))) // runc tells of a group that is busy for a moment
		}},
		{name: "keep", play: func(t *testing.T) {
			c := newContainer(t)
			c.run("--keep").must(t)
			c.wantStatus("stopped")
			c.delete().must(t)
		}},
	})
}

func forwards(t *testing.T, signal unix.Signal, code int) {
	c := newContainer(t, script("trap 'exit 3' TERM; trap 'exit 4' HUP; echo ready; while :; do sleep 0.05; done"))
	cmd := c.command("run", "--bundle", c.bundle, c.id)
	cmd.files = true
	r := cmd.start(t)
	r.until(t, "ready", func() bool { return r.printed() != "" })
	r.cmd.Process.Signal(signal)
	want(t, r.wait(t), code, is("ready\n"), is(""))
}
