package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const (
	readyOnly  = verdict("passes READY=1 on and nothing else")
	neverReady = verdict("1.1 waits for READY=1 when the workload has ended")
)

// TestNotifyRun: `run` in the foreground passes on what the workload says, and nothing that
// it may not say.
func TestNotifyRun(t *testing.T) {
	for _, row := range []struct {
		name  string
		sh    string
		lines string // what the manager hears
		out   string
		edit  func(*specs.Spec)
		peers
	}{
		{name: "nothing", sh: "true", peers: peers{runc: neverReady}},
		{name: "ready", sh: "say READY=1", lines: "READY=1"},
		{name: "another user", sh: "say READY=1", lines: "READY=1", edit: user(1000, 1000)},
		{name: "one after the other", sh: "say READY=1 RELOADING=1 READY=1 STOPPING=1", lines: "READY=1|RELOADING=1|READY=1|STOPPING=1", peers: peers{runc: readyOnly}},
		{name: "all that may pass", sh: "say \"$(printf 'READY=1\\nSTATUS=50 %% d\\303\\266ne\\nMONOTONIC_USEC=12\\nWATCHDOG=1\\n')\"",
			lines: "READY=1 STATUS=50 % döne MONOTONIC_USEC=12 WATCHDOG=1", peers: peers{runc: readyOnly}},
		{name: "what must not pass", sh: `say MAINPID=7 MAINPIDFDID=7 FDSTORE=1 FDSTOREREMOVE=1 FDNAME=x FDPOLL=0 NOTIFYACCESS=all BUSERROR=x WATCHDOG_USEC=1 WATCHDOG=trigger ` +
			`EXTEND_TIMEOUT_USEC=9 X_OWN=1 READY=0 READY=11 READY " READY=1" MONOTONIC_USEC=1x MONOTONIC_USEC= ERRNO=2`, peers: peers{runc: neverReady}},
		{name: "in one with what may", sh: "say \"$(printf 'MAINPID=7\\nREADY=1\\nFDSTORE=1')\"", lines: "READY=1", peers: peers{runc: differs("1.1 looks at the first line only")}},
		{name: "a terminal's escapes", sh: "say \"$(printf 'STATUS=\\033[2J')\" \"$(printf 'STATUS=a\\rb')\" \"$(printf 'STATUS=\\200')\"", peers: peers{runc: neverReady}},
		{name: "empty datagrams", sh: "say -e -e STATUS=x -e", lines: "STATUS=x", peers: peers{runc: readyOnly}},
		{name: "the longest", sh: "say -n 4096", lines: "READY=1"},
		{name: "too long", sh: "say -n 4097 STATUS=next", lines: "STATUS=next", peers: peers{runc: readyOnly}},
		{name: "a barrier without an fd", sh: "say BARRIER=1 READY=1", lines: "READY=1"},
		{name: "a barrier", sh: "say STATUS=x -b STATUS=y", lines: "STATUS=x|STATUS=y", out: "passed\n", peers: peers{runc: readyOnly}},
		{name: "the place", sh: "echo $NOTIFY_SOCKET; stat -c '%a %u %F' /run/notify $NOTIFY_SOCKET; touch /run/notify/x 2>/dev/null || echo ro; say READY=1",
			lines: "READY=1", out: "/run/notify/notify.sock\n755 0 directory\n777 0 socket\nro\n"},
		{name: "the place has no devices", sh: "grep -c ' /run/notify [^ ]* ro,nosuid,nodev,noexec' /proc/mounts; say READY=1", lines: "READY=1", out: "1\n"},
		{name: "below a tmpfs", sh: "say READY=1", lines: "READY=1",
			edit: addMount(specs.Mount{Destination: "/run", Type: "tmpfs", Source: "tmpfs"})},
		{name: "config.json's own is replaced", sh: "echo $NOTIFY_SOCKET; say READY=1", lines: "READY=1", out: "/run/notify/notify.sock\n",
			edit: func(s *specs.Spec) { s.Process.Env = append(s.Process.Env, "NOTIFY_SOCKET=/nosuch") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, row.peers)
			watch(t)
			c := saying(t, row.sh, row.edit)
			m := newManager(t, c.bundle+"/host.sock")
			want(t, c.notified(m.name, "run", "--bundle", c.bundle, c.id).run(t), 0, is(row.out), is(""))
			got := m.lines()
			if it.kind == "runc" { // says that it is the main process itself, in a second datagram
				got = regexp.MustCompile(`\|MAINPID=[0-9]+`).ReplaceAllString(got, "")
			}
			if got != row.lines {
				t.Errorf("the manager heard %q, want %q", got, row.lines)
			}
		})
	}
}

func TestNotifyForeground(t *testing.T) {
	runScenes(t, []scene{
		{name: "from the main process", play: mainProcess},
		{name: "a barrier waits for the manager", peers: peers{runc: readyOnly}, play: barrierWaits},
		{name: "an fd goes with a barrier only", peers: peers{runc: readyOnly}, play: func(t *testing.T) {
			c := saying(t, "say -f READY=1 -f STATUS=x")
			m := newManager(t, c.bundle+"/host.sock")
			want(t, c.notified(m.name, "run", "--bundle", c.bundle, c.id).run(t), 0, is(""), is(""))
			for _, s := range m.all() {
				if s.fds != nil {
					t.Errorf("%q came with an fd", s.lines)
				}
			}
			if got := m.lines(); got != "READY=1|STATUS=x" {
				t.Errorf("%q", got)
			}
		}},
		{name: "an abstract name", play: func(t *testing.T) { hears(t, "@"+it.prefix+"-manager") }},
		{name: "a long path", peers: peers{runc: differs("hears nothing of paths above 107 bytes")}, play: func(t *testing.T) {
			dir := filepath.Join(it.base, strings.Repeat("long", 30))
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			hears(t, dir+"/host.sock")
		}},
		{name: "a long state root", peers: peers{runc: differs("only paths of 107 bytes")}, play: func(t *testing.T) {
			c := saying(t, "say READY=1")
			c.root += strings.Repeat("/long", 30)
			m := newManager(t, c.bundle+"/host.sock")
			want(t, c.notified(m.name, "run", "--bundle", c.bundle, c.id).run(t), 0, is(""), is(""))
			if m.lines() != "READY=1" {
				t.Errorf("%q", m.lines())
			}
		}},
		{name: "under umask 077", peers: peers{runc: differs("the umask applies to the directory")}, play: func(t *testing.T) {
			c := saying(t, "say READY=1", user(1000, 1000))
			c.made = append(c.made, "/run/notify")
			m := newManager(t, c.bundle+"/host.sock")
			cmd := c.notified(m.name, "run", "--bundle", c.bundle, c.id)
			cmd.args = append([]string{"sh", "-c", `umask 077; exec "$@"`, "sh"}, cmd.args...)
			want(t, cmd.run(t), 0, is(""), is(""))
			if m.lines() != "READY=1" {
				t.Errorf("%q", m.lines())
			}
		}},
		{name: "nobody else gets in", play: func(t *testing.T) {
			c := saying(t, "sleep 300")
			m := newManager(t, c.bundle+"/host.sock")
			r := c.notified(m.name, "run", "--bundle", c.bundle, c.id).start(t)
			socket := c.root + "/" + c.id + "/notify/notify.sock"
			r.until(t, "the socket", func() bool { _, err := os.Stat(socket); return err == nil })
			sh := command{args: []string{"setpriv", "--reuid", "1000", "--clear-groups", "--regid", "1000", "stat", socket}}
			want(t, sh.run(t), 1, is(""), has("Permission denied"))
			c.untilStatus("running")
			c.delete("--force").must(t)
			r.wait(t)
		}, peers: peers{runc: differs("its root is 0711")}},
		{name: "links of the image stay inside", play: func(t *testing.T) {
			c := saying(t, "say READY=1; ls -d /mnt/notify")
			outside := c.bundle + "/outside"
			if err := os.Mkdir(outside, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/../../../../../../mnt", c.rootfs()+"/run"); err != nil {
				t.Fatal(err)
			}
			c.before = listTree(c.rootfs())
			c.made = []string{"/mnt/notify"}
			m := newManager(t, c.bundle+"/host.sock")
			want(t, c.notified(m.name, "run", "--bundle", c.bundle, c.id).run(t), 0, is("/mnt/notify\n"), is(""))
			if _, _, ok := m.find("READY=1"); !ok {
				t.Errorf("%q", m.lines())
			}
		}},
		{name: "a flood", play: flood},
		{name: "exec has none", play: func(t *testing.T) {
			c := newRunning(t)
			m := newManager(t, c.bundle+"/host.sock")
			want(t, c.notified(m.name, "exec", c.id, "sh", "-c", "echo x$NOTIFY_SOCKET").run(t), 0, is("x\n"), is(""))
			c.delete("--force").must(t)
		}},
		{name: "nobody listens", play: func(t *testing.T) {
			c := saying(t, "say READY=1; echo done")
			want(t, c.notified("/nosuch/host.sock", "run", "--bundle", c.bundle, c.id).run(t), 0, is("done\n"), has("/nosuch/host.sock: no such file"))
		}, peers: peers{runc: differs("says nothing")}},
		{name: "not an address", peers: peers{runc: differs("says nothing")}, play: func(t *testing.T) {
			for _, name := range []string{"relative", "@", "vsock:2:1234"} {
				c := newContainer(t)
				want(t, c.notified(name, "run", "--bundle", c.bundle, c.id).run(t), 1, is(""), has("NOTIFY_SOCKET "+name))
				want(t, c.notified(name, "create", "--bundle", c.bundle, c.id).run(t), 1, is(""), has("NOTIFY_SOCKET "+name))
			}
		}},
	})
}

// hears runs a container for a manager at name.
func hears(t *testing.T, name string) {
	c := saying(t, "say READY=1")
	m := newManager(t, name)
	want(t, c.notified(m.name, "run", "--bundle", c.bundle, c.id).run(t), 0, is(""), is(""))
	if _, _, ok := m.find("READY=1"); !ok {
		t.Errorf("%q", m.lines())
	}
}

// mainProcess: NotifyAccess=main takes messages of the process only that the manager has
// started, and that process stays the main one.
func mainProcess(t *testing.T) {
	c := saying(t, "say READY=1; sleep 300")
	m := newManager(t, c.bundle+"/host.sock")
	r := c.notified(m.name, "run", "--bundle", c.bundle, c.id).start(t)
	r.until(t, "READY=1", func() bool { _, _, ok := m.find("READY=1"); return ok })
	if s, _, _ := m.find("READY=1"); s.from != r.cmd.Process.Pid {
		t.Errorf("from %d, run is %d", s.from, r.cmd.Process.Pid)
	}
	if _, line, ok := m.find("MAINPID="); ok && line != fmt.Sprint("MAINPID=", r.cmd.Process.Pid) {
		t.Errorf("%s, run is %d", line, r.cmd.Process.Pid)
	}
	c.kill("KILL").must(t)
	want(t, r.wait(t), 137, is(""), is(""))
}

func barrierWaits(t *testing.T) {
	c := saying(t, "say READY=1 -b")
	m := newManager(t, c.bundle+"/host.sock")
	m.hold = true
	r := c.notified(m.name, "run", "--bundle", c.bundle, c.id).start(t)
	r.until(t, "the barrier", func() bool { _, _, ok := m.find("BARRIER=1"); return ok })
	time.Sleep(100 * time.Millisecond)
	if s := c.state().Status; s != "running" {
		t.Errorf("%s: the barrier did not wait", s)
	}
	m.release()
	want(t, r.wait(t), 0, is("passed\n"), is(""))
}

// flood: a container that never stops talking stops neither signals nor its end, and
// reaches the manager at a bounded rate.
func flood(t *testing.T) {
	c := saying(t, "say -x")
	m := newManager(t, c.bundle+"/host.sock")
	r := c.notified(m.name, "run", "--bundle", c.bundle, c.id).start(t)
	r.until(t, "READY=1", func() bool { return len(m.all()) > 3 })
	before := len(m.all())
	time.Sleep(500 * time.Millisecond)
	if n := len(m.all()) - before; n > 100 && it.kind == "rt" {
		t.Errorf("%d messages in half a second", n)
	}
	r.cmd.Process.Signal(unix.SIGTERM) // the shell, PID 1, would ignore it
	c.kill("KILL").must(t)
	want(t, r.wait(t), 137, is(""), is(""))
}
