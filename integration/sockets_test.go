package integration

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// activated is a command as systemd starts it: LISTEN_PID is its own pid, unless env says otherwise.
func (c *container) activated(env string, extra []*os.File, args ...string) command {
	cmd := c.command(args...)
	cmd.args = append([]string{"sh", "-c", "export LISTEN_PID=$$ " + env + `; exec "$@"`, "sh"}, cmd.args...)
	cmd.extra = extra
	return cmd
}

// showListen prints the variables, the fds, and what fd 4 holds.
const showListen = `echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; ls /proc/$$/fd; test ! -e /proc/$$/fd/4 || cat <&4`

func TestListenFDs(t *testing.T) {
	const none = "\n0\n1\n2\n"
	for _, row := range []struct {
		name  string
		env   string
		flags string
		out   string
		edit  func(*specs.Spec)
		code  int
		fails string
		peers
	}{
		{name: "none", out: none},
		{name: "two", env: "LISTEN_FDS=2", out: "2 1\n0\n1\n2\n3\n4\nfd 4\n"},
		{name: "names", env: "LISTEN_FDS=2 LISTEN_FDNAMES=web:admin", out: "2 1 web:admin\n0\n1\n2\n3\n4\nfd 4\n", peers: peers{runc: differs("1.1 drops the names")}},
		{name: "before the preserved ones", env: "LISTEN_FDS=1", flags: "--preserve-fds 2", out: "1 1\n0\n1\n2\n3\n4\n5\nfd 4\n"},
		{name: "zero", env: "LISTEN_FDS=0", out: none},
		{name: "another process's", env: "LISTEN_FDS=2 LISTEN_PID=1", out: none},
		{name: "nobody's", env: "LISTEN_FDS=2 LISTEN_PID=", out: none},
		{name: "config.json's own are replaced", env: "LISTEN_FDS=1", out: "1 1\n0\n1\n2\n3\n",
			edit: func(s *specs.Spec) { s.Process.Env = append(s.Process.Env, "LISTEN_FDS=7", "LISTEN_PID=8") }},
		{name: "another user", env: "LISTEN_FDS=2", out: "2 1\n0\n1\n2\n3\n4\nfd 4\n", edit: user(1000, 1000)},
		{name: "a word", env: "LISTEN_FDS=two", code: 1, fails: `LISTEN_FDS="two": not a number`, peers: peers{runc: differs("ignores it")}},
		{name: "a negative number", env: "LISTEN_FDS=-1", code: 1, fails: `LISTEN_FDS="-1": not a number`, peers: peers{runc: differs("ignores it")}},
		{name: "a bad pid", env: "LISTEN_FDS=1 LISTEN_PID=x", code: 1, fails: `LISTEN_PID="x": not a number`, peers: peers{runc: differs("ignores it")}},
		{name: "more than there are", env: "LISTEN_FDS=60", code: 1, fails: "LISTEN_FDS counts it, but it is not open", peers: peers{runc: differs("passes on what it opened itself")}},
		{name: "far more", env: "LISTEN_FDS=2147483647", flags: "--preserve-fds 2147483647", code: 1, fails: "LISTEN_FDS counts it", peers: peers{runc: differs("is at it for more than 20 s")}},
		{name: "more preserved than there are", env: "LISTEN_FDS=3", flags: "--preserve-fds 60", code: 1, fails: "--preserve-fds asks for it, but it is not open", peers: peers{runc: differs("passes on what it opened itself")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, row.peers)
			watch(t)
			c := newContainer(t, script(showListen), row.edit)
			args := append([]string{"run", "--bundle", c.bundle}, strings.Fields(row.flags)...)
			want(t, c.activated(row.env, leaks(t, 7), append(args, c.id)...).run(t), row.code, is(row.out), has(row.fails))
		})
	}
}

func TestSocketActivation(t *testing.T) {
	runScenes(t, []scene{
		{name: "create, start", play: activatedCreate},
		{name: "a namespace of pids that is not its own", peers: peers{runc: differs("says 1")}, play: func(t *testing.T) {
			c := newContainer(t, script("test $LISTEN_PID = $$ && echo ours"), without(specs.PIDNamespace))
			want(t, c.activated("LISTEN_FDS=1", leaks(t, 1), "run", "--bundle", c.bundle, c.id).run(t), 0, is("ours\n"), is(""))
		}},
		{name: "exec", peers: peers{runc: differs("passes nothing on")}, play: func(t *testing.T) {
			c := newRunning(t)
			show := `test $LISTEN_PID = $$ && LISTEN_PID=ours; ` + showListen
			want(t, c.activated("LISTEN_FDS=2 LISTEN_FDNAMES=a:b", leaks(t, 4), "exec", "--preserve-fds", "1", c.id, "sh", "-c", show).run(t),
				0, is("2 ours a:b\n0\n1\n2\n3\n4\n5\nfd 4\n"), is(""))
			want(t, c.activated("LISTEN_FDS=2 LISTEN_PID=1", leaks(t, 4), "exec", c.id, "sh", "-c", showListen).run(t), 0, is("\n0\n1\n2\n"), is(""))
			want(t, c.activated("LISTEN_FDS=x", nil, "exec", c.id, "true").run(t), 255, is(""), has("LISTEN_FDS"))
			want(t, c.activated("LISTEN_FDS=1", nil, "exec", c.id, "true").run(t), 255, is(""), has("fd 3: LISTEN_FDS counts it"))
			c.delete("--force").must(t)
		}},
	})
}

// activatedCreate: a client is served by a container that was given the listening socket.
func activatedCreate(t *testing.T) {
	c := saying(t, "say -l", user(1000, 1000))
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: c.bundle + "/service.sock", Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c.activated("LISTEN_FDS=1", []*os.File{f}, "create", "--bundle", c.bundle, c.id).run(t).must(t)
	c.start().must(t)
	conn, err := net.Dial("unix", c.bundle+"/service.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(deadline))
	if got, err := io.ReadAll(conn); string(got) != "hello" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	c.untilStatus("stopped")
	c.delete().must(t)
}

// receiver listens for --pidfd-socket; get gives the name and the pidfd that came.
func (c *container) receiver(path string) (get func() (string, int)) {
	c.t.Helper()
	here, err := os.Open(filepath.Dir(path))
	if err != nil {
		c.t.Fatal(err)
	}
	defer here.Close()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fmt.Sprintf("/proc/self/fd/%d/%s", here.Fd(), filepath.Base(path)), Net: "unix"})
	if err != nil {
		c.t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	c.t.Cleanup(func() { l.Close() })
	return func() (string, int) { return c.receive(l) }
}

func (c *container) receive(l *net.UnixListener) (string, int) {
	c.t.Helper()
	l.SetDeadline(time.Now().Add(deadline))
	conn, err := l.AcceptUnix()
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(deadline))
	data, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := conn.ReadMsgUnix(data, oob)
	if errors.Is(err, io.EOF) {
		return "", -1
	}
	if err != nil {
		c.t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) != 1 {
		c.t.Fatalf("%v, %d messages", err, len(messages))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		c.t.Fatalf("%v, fds %v", err, fds)
	}
	c.t.Cleanup(func() { unix.Close(fds[0]) })
	return string(data[:n]), fds[0]
}

// pidOf reads which process a pidfd is.
func pidOf(t *testing.T, fd int) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^Pid:\s+(\d+)$`).FindSubmatch(raw)
	if m == nil {
		t.Fatalf("not a pidfd: %s", raw)
	}
	pid, _ := strconv.Atoi(string(m[1]))
	return pid
}

func TestPidfdSocket(t *testing.T) {
	old := peers{runc: differs("1.1 has no --pidfd-socket"), crun: differs("has no --pidfd-socket")}
	runScenes(t, []scene{
		{name: "create", peers: old, play: func(t *testing.T) {
			c := newContainer(t, args("sleep", "300"))
			get := c.receiver(c.bundle + "/pidfd.sock")
			c.create("--pidfd-socket", c.bundle+"/pidfd.sock").must(t)
			name, fd := get()
			if pid := pidOf(t, fd); name != "standard" || pid != c.wantStatus("created").Pid {
				t.Errorf("%q, pid %d", name, pid)
			}
			if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
				t.Error(err)
			}
			c.untilStatus("stopped")
			c.delete().must(t)
		}},
		{name: "run", peers: old, play: func(t *testing.T) {
			c := newContainer(t, args("sleep", "300"))
			get := c.receiver(c.bundle + "/pidfd.sock")
			r := c.command("run", "--bundle", c.bundle, "--pidfd-socket", c.bundle+"/pidfd.sock", c.id).start(t)
			name, fd := get()
			c.untilStatus("running")
			if pid := pidOf(t, fd); name != "standard" || pid != c.state().Pid {
				t.Errorf("%q, pid %d", name, pid)
			}
			unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
			want(t, r.wait(t), 137, is(""), is(""))
		}},
		{name: "exec", peers: old, play: func(t *testing.T) {
			c := newRunning(t)
			get := c.receiver(c.bundle + "/pidfd.sock")
			c.exec([]string{"--detach", "--pidfd-socket", c.bundle + "/pidfd.sock", "--pid-file", c.bundle + "/pid"}, "sleep", "300").must(t)
			name, fd := get()
			if pid := pidOf(t, fd); name != "setns" || pid != pidFile(t, c.bundle+"/pid") {
				t.Errorf("%q, pid %d", name, pid)
			}
			c.delete("--force").must(t)
		}},
		{name: "a long path", peers: old, play: func(t *testing.T) {
			c := newContainer(t, args("sleep", "300"))
			dir := filepath.Join(c.bundle, strings.Repeat("d", 200))
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			get := c.receiver(dir + "/pidfd.sock")
			c.create("--pidfd-socket", dir+"/pidfd.sock").must(t)
			if _, fd := get(); pidOf(t, fd) != c.state().Pid {
				t.Error("another process")
			}
			c.delete("--force").must(t)
		}},
		{name: "it hangs up", peers: old, play: func(t *testing.T) {
			c := newContainer(t, args("sleep", "300"))
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: c.bundle + "/pidfd.sock", Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			r := c.command("create", "--bundle", c.bundle, "--pidfd-socket", c.bundle+"/pidfd.sock", c.id)
			// Slow enough that the listener is gone before the init is ready.
			r.args = append([]string{"strace", "-f", "-qq", "-o", "/dev/null", "--inject=mkdir,mkdirat:delay_enter=300000:when=1"}, r.args...)
			started := r.start(t)
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			l.Close()
			want(t, started.wait(t), 1, is(""), has("send the pidfd to "+c.bundle+"/pidfd.sock: broken pipe"))
		}},
		{name: "a create that fails later says nothing", peers: old, play: func(t *testing.T) {
			c := newContainer(t, args("nosuch"))
			get := c.receiver(c.bundle + "/pidfd.sock")
			want(t, c.create("--pidfd-socket", c.bundle+"/pidfd.sock"), 1, is(""), has("executable file not found"))
			if name, fd := get(); fd >= 0 {
				t.Errorf("%q, fd %d", name, fd)
			}
		}},
	})
}

// TestPidfdSocketErrors: found before anything is made.
func TestPidfdSocketErrors(t *testing.T) {
	for _, row := range []struct {
		name, path, text string
	}{
		{"absent", "nosuch.sock", "nosuch.sock: no such file or directory"},
		{"absent, in a long path", strings.Repeat("d", 200) + "/nosuch.sock", "nosuch.sock: no such file or directory"},
		{"a file", "config.json", "config.json: it is not a socket"},
		{"a directory", "rootfs", "rootfs: it is not a socket"},
		{"nobody listens", "dead.sock", "dead.sock: nobody listens"},
		{"datagrams", "dgram.sock", "dgram.sock: the listener's is another type of socket"},
	} {
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, peers{runc: differs("1.1 has no --pidfd-socket"), crun: differs("has no --pidfd-socket")})
			watch(t)
			c := newContainer(t)
			dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: c.bundle + "/dead.sock", Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			dead.SetUnlinkOnClose(false)
			dead.Close()
			dgram, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: c.bundle + "/dgram.sock", Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			defer dgram.Close()
			path := c.bundle + "/" + row.path
			want(t, c.create("--pidfd-socket", path), 1, is(""), has("--pidfd-socket: connect to "+c.bundle))
			want(t, c.run("--pidfd-socket", path), 1, is(""), has(row.text))
			if _, err := os.Stat(c.root); err == nil {
				t.Error("the state directory was made")
			}
			running := newRunning(t)
			want(t, running.exec([]string{"--pidfd-socket", path}, "true"), 255, is(""), has(row.text))
			running.delete("--force").must(t)
		})
	}
}

// TestNoSocketsForNothing: who asks for none of this makes no system call for it.
func TestNoSocketsForNothing(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	watch(t)
	c := newContainer(t, args("true"))
	file := c.bundle + "/strace"
	cmd := c.command("run", "--bundle", c.bundle, c.id)
	cmd.args = append([]string{"strace", "-f", "-qq", "-o", file, "-e", "trace=connect,bind,fchmodat,chmod,getpid,unlink,unlinkat,rmdir,openat"}, cmd.args...)
	want(t, cmd.run(t), 0, is(""), is(""))
	trace, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bad := regexp.MustCompile(`(?m)^.* (connect|bind|fchmodat|chmod)\(.*$|^.*(notify|/status").*$`).FindString(string(trace)); bad != "" || !strings.Contains(string(trace), "lock") {
		t.Errorf("%q in\n%s", bad, trace)
	}
}
