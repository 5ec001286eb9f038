package integration

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// sayLater says READY=1 when the test makes the file /go.
const sayLater = "until test -e /mnt/go; do sleep 0.02; done; say READY=1; sleep 300"

func (c *container) letGo() {
	c.t.Helper()
	c.made = append(c.made, "/mnt/go")
	if err := os.WriteFile(c.rootfs()+"/mnt/go", nil, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// newNotified is a created container and the manager it was created under.
func newNotified(t *testing.T, sh string) (*container, *manager) {
	t.Helper()
	c := saying(t, sh)
	m := newManager(t, c.bundle+"/host.sock")
	c.notified(m.name, "create", "--bundle", c.bundle, c.id).run(t).must(t)
	return c, m
}

// TestNotifyStart: start and run --detach wait for READY=1.
func TestNotifyStart(t *testing.T) {
	runScenes(t, []scene{
		{name: "start waits", play: startWaits},
		{name: "start waits for the manager", peers: peers{runc: differs("1.1 has no barrier")}, play: startBarrier},
		{name: "READY=1 and the end", play: func(t *testing.T) {
			c, m := newNotified(t, "say READY=1")
			c.notified(m.name, "start", c.id).run(t).must(t)
			if _, _, ok := m.find("MAINPID="); !ok {
				t.Errorf("%q", m.lines())
			}
			c.untilStatus("stopped")
			c.delete().must(t)
		}},
		{name: "READY=1 and the end before start looks", peers: peers{runc: differs("1.1 looks for the process only")}, play: func(t *testing.T) {
			c, m := newNotified(t, "until test -e /mnt/go; do sleep 0.02; done; say STATUS=x READY=1")
			r := c.notified(m.name, "start", c.id).start(t)
			r.until(t, "running", func() bool { return c.state().Status == "running" })
			until(t, "the wait", func() bool { p, _ := readProcess(r.cmd.Process.Pid); return p.state == "S" })
			r.cmd.Process.Signal(unix.SIGSTOP)
			c.letGo()
			c.untilStatus("stopped")
			r.cmd.Process.Signal(unix.SIGCONT)
			want(t, r.wait(t), 0, is(""), is(""))
			if _, _, ok := m.find("READY=1"); !ok {
				t.Errorf("%q", m.lines())
			}
			c.delete().must(t)
		}},
		{name: "a real systemd-notify", peers: peers{runc: readyOnly}, play: systemdNotify},
		{name: "an end without READY=1", play: func(t *testing.T) {
			c, m := newNotified(t, "say STATUS=no; exit 3")
			want(t, c.notified(m.name, "start", c.id).run(t), 0, is(""), is(""))
			if _, _, ok := m.find("READY"); ok {
				t.Errorf("%q", m.lines())
			}
			c.untilStatus("stopped")
			c.delete().must(t)
		}},
		{name: "a zombie without READY=1", peers: peers{runc: differs("waits until somebody reaps it")}, play: func(t *testing.T) {
			c, m := newNotified(t, "exit 3")
			it.procs.rest.Lock()
			r := c.notified(m.name, "start", c.id).run(t)
			it.procs.rest.Unlock()
			want(t, r, 0, is(""), is(""))
			c.delete().must(t)
		}},
		{name: "a failed execve", peers: peers{runc: differs("does not hear of it")}, play: func(t *testing.T) {
			c := saying(t, "")
			c.put("bare", "\x01\x02\x03\x04", 0o755)
			c.config(args("/bare"))
			m := newManager(t, c.bundle+"/host.sock")
			c.notified(m.name, "create", "--bundle", c.bundle, c.id).run(t).must(t)
			want(t, c.notified(m.name, "start", c.id).run(t), 1, is(""), has("exec format error"))
			c.delete("--force").must(t)
		}},
		{name: "the status before READY=1", peers: peers{runc: readyOnly}, play: func(t *testing.T) {
			c, m := newNotified(t, "say STATUS=warm MAINPID=1; say READY=1; sleep 300")
			c.notified(m.name, "start", c.id).run(t).must(t)
			if got, line := m.lines(), fmt.Sprintf("STATUS=warm|READY=1 MAINPID=%d", c.state().Pid); got != line {
				t.Errorf("%q, want %q", got, line)
			}
			c.delete("--force").must(t)
		}},
		{name: "the container's own barrier", play: func(t *testing.T) {
			c := saying(t, "say READY=1 -b && echo >/mnt/done", writable)
			c.made = append(c.made, "/mnt/done")
			m := newManager(t, c.bundle+"/host.sock")
			c.notified(m.name, "create", "--bundle", c.bundle, c.id).run(t).must(t)
			c.notified(m.name, "start", c.id).run(t).must(t)
			c.untilStatus("stopped")
			if _, err := os.Stat(c.rootfs() + "/mnt/done"); err != nil {
				t.Error("the barrier failed: ", err)
			}
			c.delete().must(t)
		}, peers: peers{runc: differs("1.1 is gone by then, mostly")}},
		{name: "created without", peers: peers{runc: differs("fails")}, play: func(t *testing.T) {
			c := newCreated(t)
			m := newManager(t, c.bundle+"/host.sock")
			want(t, c.notified(m.name, "start", c.id).run(t), 0, is(""), has("NOTIFY_SOCKET was not set when the container was created"))
			c.wantStatus("running")
			c.delete("--force").must(t)
		}},
		{name: "started without", play: func(t *testing.T) {
			c, _ := newNotified(t, sayLater)
			c.start().must(t)
			c.wantStatus("running")
			c.delete("--force").must(t)
		}},
		{name: "the manager is gone", peers: peers{runc: differs("fails, and the container runs")}, play: func(t *testing.T) {
			c, _ := newNotified(t, sayLater)
			want(t, c.notified("/nosuch", "start", c.id).run(t), 0, is(""), has("/nosuch: no such file"))
			c.wantStatus("running")
			c.delete("--force").must(t)
		}},
		{name: "not an address", peers: peers{runc: differs("fails with another text")}, play: func(t *testing.T) {
			c, _ := newNotified(t, sayLater)
			want(t, c.notified("x", "start", c.id).run(t), 1, is(""), has("NOTIFY_SOCKET x"))
			c.wantStatus("created")
			c.delete().must(t)
		}},
		{name: "run --detach waits", play: detachWaits},
		{name: "run --detach ended by a signal", peers: peers{runc: differs("goes on waiting")}, play: func(t *testing.T) {
			c := saying(t, sayLater)
			m := newManager(t, c.bundle+"/host.sock")
			r := c.notified(m.name, "run", "--detach", "--bundle", c.bundle, c.id).start(t)
			r.until(t, "running", func() bool {
				return len(c.records()) > 0 && c.rt("state", c.id).code == 0 && c.state().Status == "running"
			})
			r.cmd.Process.Signal(unix.SIGTERM)
			want(t, r.wait(t), 1, is(""), has("SIGTERM"))
			c.wantStatus("running")
			c.delete("--force").must(t)
		}},
		{name: "a killed start", play: func(t *testing.T) {
			c, m := newNotified(t, sayLater)
			r := c.notified(m.name, "start", c.id).start(t)
			r.until(t, "running", func() bool { return c.state().Status == "running" })
			r.cmd.Process.Kill()
			<-r.done
			c.wantStatus("running")
			c.delete("--force").must(t)
		}},
		{name: "a killed run", play: func(t *testing.T) {
			c := saying(t, sayLater)
			m := newManager(t, c.bundle+"/host.sock")
			cmd := c.notified(m.name, "run", "--bundle", c.bundle, c.id)
			cmd.files = true
			r := cmd.start(t)
			r.until(t, "running", func() bool { return c.rt("state", c.id).code == 0 && c.state().Status == "running" })
			r.cmd.Process.Kill()
			<-r.done
			c.delete("--force").must(t)
		}},
		{name: "a create that is killed at the directory", peers: peers{runc: rtOnly}, play: func(t *testing.T) {
			c := saying(t, sayLater)
			m := newManager(t, c.bundle+"/host.sock")
			cmd := c.notified(m.name, "create", "--bundle", c.bundle, c.id)
			cmd.args = append([]string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=fchmodat:signal=KILL:when=1"}, cmd.args...)
			if r := cmd.run(t); r.code != 137 {
				t.Errorf("it was not killed: %v", r)
			}
			if _, err := os.Stat(c.root + "/" + c.id + "/notify"); err != nil {
				t.Error("killed too early: ", err)
			}
			c.delete().must(t)
		}},
		{name: "delete --force ends the wait", play: func(t *testing.T) {
			c, m := newNotified(t, sayLater)
			r := c.notified(m.name, "start", c.id).start(t)
			r.until(t, "running", func() bool { return c.state().Status == "running" })
			c.delete("--force").must(t)
			want(t, r.wait(t), 0, is(""), is(""))
		}},
	})
}

// startWaits: others can have the container meanwhile.
func startWaits(t *testing.T) {
	c, m := newNotified(t, sayLater)
	r := c.notified(m.name, "start", c.id).start(t)
	r.until(t, "running", func() bool { return c.state().Status == "running" })
	c.sh("true").must(t)
	c.rt("pause", c.id).must(t)
	c.rt("resume", c.id).must(t)
	select {
	case <-r.done:
		t.Fatalf("did not wait: %v", r.result(t))
	case <-time.After(100 * time.Millisecond):
	}
	c.letGo()
	want(t, r.wait(t), 0, is(""), is(""))
	wantMain(t, c, m, r)
	c.delete("--force").must(t)
}

// wantMain: READY=1 came from the command, and the container's init is the new main process.
func wantMain(t *testing.T, c *container, m *manager, r *running) {
	t.Helper()
	if s, _, ok := m.find("READY=1"); !ok || s.from != r.cmd.Process.Pid {
		t.Errorf("READY=1 from %d, %v; the command was %d", s.from, ok, r.cmd.Process.Pid)
	}
	if _, line, _ := m.find("MAINPID="); line != fmt.Sprint("MAINPID=", c.state().Pid) {
		t.Errorf("%q, the init is %d", line, c.state().Pid)
	}
}

// startBarrier: the manager has to know the new main process before it sees the end of this.
func startBarrier(t *testing.T) {
	c, m := newNotified(t, "say READY=1; sleep 300")
	m.hold = true
	r := c.notified(m.name, "start", c.id).start(t)
	r.until(t, "the barrier", func() bool { _, _, ok := m.find("BARRIER=1"); return ok })
	select {
	case <-r.done:
		t.Errorf("did not wait: %v", r.result(t))
	case <-time.After(100 * time.Millisecond):
	}
	if s, _, _ := m.find("READY=1"); !slices.Contains(s.lines, fmt.Sprint("MAINPID=", c.state().Pid)) {
		t.Errorf("%q: not in one datagram", s.lines)
	}
	m.release()
	want(t, r.wait(t), 0, is(""), is(""))
	c.delete("--force").must(t)
}

func detachWaits(t *testing.T) {
	c := saying(t, sayLater)
	m := newManager(t, c.bundle+"/host.sock")
	r := c.notified(m.name, "run", "--detach", "--bundle", c.bundle, c.id).start(t)
	r.until(t, "running", func() bool { return c.rt("state", c.id).code == 0 && c.state().Status == "running" })
	c.sh("true").must(t)
	select {
	case <-r.done:
		t.Fatalf("did not wait: %v", r.result(t))
	case <-time.After(100 * time.Millisecond):
	}
	c.letGo()
	want(t, r.wait(t), 0, is(""), is(""))
	wantMain(t, c, m, r)
	c.delete("--force").must(t)
}

// systemdNotify: libsystemd itself, with its barrier, in a container with the host's /usr.
func systemdNotify(t *testing.T) {
	if _, err := os.Stat("/usr/bin/systemd-notify"); err != nil {
		skip(t, err.Error())
	}
	c := saying(t, "systemd-notify --ready --status=up && echo told; sleep 300",
		addMount(specs.Mount{Destination: "/usr", Source: "/usr", Type: "bind", Options: []string{"rbind", "ro"}}),
		func(s *specs.Spec) { s.Process.Env = []string{"PATH=/bin:/usr/bin"} })
	for _, dir := range []string{"lib", "lib64"} {
		if err := os.Symlink("usr/"+dir, c.rootfs()+"/"+dir); err != nil {
			t.Fatal(err)
		}
	}
	c.before = listTree(c.rootfs())
	c.made = append(c.made, "/usr")
	m := newManager(t, c.bundle+"/host.sock")
	made := c.notified(m.name, "create", "--bundle", c.bundle, c.id).start(t)
	<-made.done
	r := c.notified(m.name, "start", c.id).start(t)
	want(t, r.wait(t), 0, is(""), is(""))
	wantMain(t, c, m, r)
	if s, _, ok := m.find("STATUS=up"); !ok {
		t.Errorf("%q %v", m.lines(), s)
	}
	until(t, "the barrier's end", func() bool { return made.printed() == "told\n" })
	c.delete("--force").must(t)
	want(t, made.result(t), 0, is("told\n"), is(""))
}
