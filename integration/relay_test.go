package integration

import (
	"crypto/md5"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// counted is what `seq 1 n` shows on a terminal.
func counted(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		b.WriteString(strconv.Itoa(i))
		b.WriteString("\r\n")
	}
	return b.String()
}

const million = 150000 // numbers, for a megabyte of output

// TestRelay: bytes get through whatever the standard streams are.
func TestRelay(t *testing.T) {
	noTTY := differs("needs a terminal of its own")
	eof := peers{runc: noTTY}
	runScenes(t, []scene{
		{name: "much output to a screen", play: func(t *testing.T) {
			c := newContainer(t, withTTY, args("seq", "1", strconv.Itoa(million)))
			s := newScreen(t).run(c.command("run", "--bundle", c.bundle, c.id))
			s.ends(0)
			until(t, "all output", func() bool { return len(s.shown()) >= len(counted(million)) })
			if s.shown() != counted(million) {
				t.Error("the output is not as it was written")
			}
		}},
		{name: "much output to a pipe", peers: peers{runc: noTTY}, play: func(t *testing.T) {
			want(t, newContainer(t, withTTY, args("seq", "1", strconv.Itoa(million))).run(), 0, is(counted(million)), is(""))
		}},
		{name: "much output to a slow reader", peers: peers{runc: noTTY}, play: slowReader},
		{name: "the last output before the end", peers: peers{runc: noTTY}, play: func(t *testing.T) {
			for range 20 {
				want(t, newContainer(t, withTTY, args("seq", "1", "1500")).run(), 0, is(counted(1500)), is(""))
			}
		}},
		{name: "a reader that is gone", peers: peers{runc: noTTY}, play: goneReader},
		{name: "input from a pipe", peers: eof, play: func(t *testing.T) {
			c := newContainer(t, withTTY, args("sh", "-c", "cat; exit 6"))
			want(t, c.piped(t, "one\ntwo"), 6, like("one\r\ntwo(.|\n)*one\r\n(.|\n)*two$"), is(""))
		}},
		{name: "input for a shell", peers: eof, play: func(t *testing.T) {
			c := newContainer(t, withTTY, args("sh"))
			want(t, c.piped(t, "echo a$((1 + 1))b; exit 4\n"), 4, has("a2b"), is(""))
		}},
		{name: "the end of the input for a shell", peers: eof, play: func(t *testing.T) {
			c := newContainer(t, withTTY, args("sh"))
			want(t, c.piped(t, "sleep 0.2; echo a$((1 + 1))b\n"), 0, has("a2b"), is(""))
		}},
		{name: "much input, slowly read", play: muchInput},
		{name: "a workload that lets the terminal go, and takes it again", play: func(t *testing.T) {
			c := newContainer(t, withTTY, script("echo ready; exec </dev/null >/dev/null 2>&1; sleep 0.3; echo again >/dev/pts/0; exit 3"))
			s := newScreen(t).run(c.command("run", "--bundle", c.bundle, c.id))
			s.ends(3)
			s.expect("ready\r\nagain\r\n")
		}},
		{name: "waiting costs nothing", play: idle},
	})
}

// piped runs the container with text as its input, from a pipe that then ends.
func (c *container) piped(t *testing.T, text string) result {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w.WriteString(text)
	w.Close()
	defer r.Close()
	cmd := c.command("run", "--bundle", c.bundle, c.id)
	cmd.stdin = r
	return cmd.run(t)
}

// pipedOut starts a command whose output goes to a pipe that the caller reads.
func pipedOut(t *testing.T, c command) (*running, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	defer w.Close()
	c.adapt = func(cmd *exec.Cmd) { cmd.Stdout = w }
	return c.start(t), r
}

func slowReader(t *testing.T) {
	c := newContainer(t, withTTY, args("seq", "1", "40000"))
	run, out := pipedOut(t, c.command("run", "--bundle", c.bundle, c.id))
	time.Sleep(300 * time.Millisecond)
	var got strings.Builder
	b := make([]byte, 16<<10)
	for {
		n, err := out.Read(b)
		got.Write(b[:n])
		if err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if r := run.wait(t); r.code != 0 || got.String() != counted(40000) {
		t.Errorf("%v\n%d bytes", r, got.Len())
	}
}

func goneReader(t *testing.T) {
	c := newContainer(t, withTTY, args("sh", "-c", "seq 1 50000; exit 8"))
	run, out := pipedOut(t, c.command("run", "--bundle", c.bundle, c.id))
	out.Read(make([]byte, 100))
	out.Close()
	want(t, run.wait(t), 8, match{}, is(""))
}

// muchInput: what a terminal cannot take yet waits, and so does who writes it.
func muchInput(t *testing.T) {
	c := newContainer(t, withTTY, script("stty raw -echo; echo ready; sleep 0.3; head -c 300000 | md5sum; stty sane; echo sane; read x"))
	s := c.runOn()
	b := []byte(strings.Repeat("0123456789", 30000))
	go s.master.Write(b)
	s.expect(fmt.Sprintf("%x", md5.Sum(b)))
	s.expect("sane")
	s.keys("\r")
	s.ends(0)
}

func idle(t *testing.T) {
	s := newContainer(t, withTTY, script("echo ready; exec </dev/null >/dev/null 2>&1; sleep 0.5; exit 3")).runOn()
	before := cpuTicks(t, s.cmd.Process.Pid)
	time.Sleep(300 * time.Millisecond)
	if used := cpuTicks(t, s.cmd.Process.Pid) - before; used > 5 {
		t.Errorf("%d ticks in 30", used)
	}
	s.ends(3)
}

// cpuTicks is utime and stime of proc_pid_stat(5).
func cpuTicks(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')'):]))
	u, _ := strconv.Atoi(f[12])
	s, _ := strconv.Atoi(f[13])
	return u + s
}

func TestExecTerminal(t *testing.T) {
	on := func(t *testing.T, c *container, flags []string, args ...string) *screen {
		return newScreen(t).run(c.command(append(with("exec", append([]string{"--tty"}, flags...), c.id), args...)...))
	}
	runScenes(t, []scene{
		{name: "exit code, size and restored modes", play: func(t *testing.T) {
			c := newRunning(t)
			s := on(t, c, nil, "sh", "-c", sizes)
			s.expect("ready")
			s.untilRaw(true)
			s.keys("q\r")
			s.expect("24 80\r\n")
			s.ends(7)
			c.delete("--force").must(t)
		}},
		{name: "killed", play: func(t *testing.T) {
			c := newRunning(t)
			on(t, c, nil, "sh", "-c", "kill -9 $$").ends(137)
			c.delete("--force").must(t)
		}},
		{name: "nothing of ours inside", play: func(t *testing.T) {
			c := newRunning(t)
			s := on(t, c, nil, "sh", "-c", "echo ready; read x; ls -1 /proc | grep -c '^[0-9]'; ls -l /proc/$$/fd | grep -c ptmx")
			s.expect("ready")
			s.untilRaw(true)
			s.keys("\r")
			s.expect("\r\n4\r\n0\r\n") // sleep, sh, ls, grep
			s.ends(1)
			c.delete("--force").must(t)
		}},
		{name: "a child in the background keeps the terminal", play: func(t *testing.T) {
			c := newRunning(t)
			began := time.Now()
			on(t, c, nil, "sh", "-c", "trap '' HUP; (sleep 5; true) & echo hi; exit 3").ends(3)
			if d := time.Since(began); d > 3*time.Second {
				t.Errorf("waited for %v", d)
			}
			c.delete("--force").must(t)
		}},
		{name: "no /dev/console of its own", play: func(t *testing.T) {
			c := newRunning(t)
			s := on(t, c, nil, "sh", "-c", "ls /dev/console; tty")
			s.ends(0)
			s.expect("No such file")
			c.delete("--force").must(t)
		}},
		{name: "a user", play: func(t *testing.T) {
			c := newRunning(t)
			s := on(t, c, []string{"--user", "1000"}, "sh", "-c", "stat -c %u $(tty); echo x >/dev/tty")
			s.ends(0)
			s.expect("1000\r\nx\r\n")
			c.delete("--force").must(t)
		}},
		{name: "the process file decides", play: execFileTerminal},
		{name: "a container with a terminal, exec without", play: func(t *testing.T) {
			c := newContainer(t, terminal, args("sleep", "300"))
			socket, master := c.console()
			c.create("--console-socket", socket).must(t)
			master()
			c.start().must(t)
			want(t, c.sh("tty; echo x >/dev/console"), 0, is("not a tty\n"), is(""))
			c.delete("--force").must(t)
		}},
	})
}

// execFileTerminal is how containerd and CRI-O ask for one.
func execFileTerminal(t *testing.T) {
	c := newRunning(t)
	file := c.write("process.json", `{"terminal": true, "consoleSize": {"height": 33, "width": 99},
		"args": ["sh", "-c", "tty; stty size; echo done; sleep 1"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}`)
	socket, master := c.console()
	c.exec([]string{"--process", file, "--detach", "--console-socket", socket}).must(t)
	f := master()
	if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err != nil || size.Row != 33 || size.Col != 99 {
		t.Errorf("size %+v, %v", size, err)
	}
	if got := readTTY(f); got != "/dev/pts/0\r\n33 99\r\ndone\r\n" {
		t.Errorf("%q", got)
	}
	plain := c.write("plain.json", `{"args": ["tty"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}`)
	want(t, c.exec([]string{"--tty", "--process", plain}), 1, is("not a tty\n"), match{})
	c.delete("--force").must(t)
}

// TestTerminalMisuse: each wrong combination is told before anything is made.
func TestTerminalMisuse(t *testing.T) {
	notSocket := func(c *container) string { return c.write("plain", "") }
	nowhere := func(c *container) string { return c.bundle + "/nosuch" }
	none := func(*container) string { return "" }
	refused := peers{runc: differs("says that the connection was refused")}
	listens := func(c *container) string { path, _ := c.console(); return path }
	for _, row := range []struct {
		name    string
		edit    func(*specs.Spec)
		command string
		socket  func(*container) string
		err     string
		peers
	}{
		{"create without a socket", withTTY, "create", none, "console", peers{}},
		{"run --detach without a socket", withTTY, "run --detach", none, "console", peers{}},
		{"create, a socket without a terminal", nil, "create", listens, "console", peers{}},
		{"run --detach, a socket without a terminal", nil, "run --detach", listens, "console", peers{}},
		{"a socket that does not exist", withTTY, "create", nowhere, "no such file", peers{}},
		{"a socket that is a file", withTTY, "create", notSocket, "socket", refused},
		{"a socket that is a directory", withTTY, "create", func(c *container) string { return c.bundle }, "socket", refused},
	} {
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, row.peers)
			watch(t)
			c := newContainer(t, row.edit)
			flags := strings.Fields(row.command + " --bundle " + c.bundle)
			if socket := row.socket(c); socket != "" {
				flags = append(flags, "--console-socket", socket)
			}
			r := c.rt(append(flags, c.id)...)
			if r.code != 1 || !strings.Contains(strings.ToLower(r.stderr), row.err) {
				t.Errorf("%v\nwant %q", r, row.err)
			}
			if _, err := os.Stat(c.root + "/" + c.id); err == nil {
				t.Error("a state directory was made")
			}
		})
	}
}

func TestConsoleSocket(t *testing.T) {
	runScenes(t, []scene{
		{name: "a long path", play: func(t *testing.T) {
			c := newContainer(t, terminal)
			socket, master := c.console()
			long := c.bundle + "/" + strings.Repeat("d", 200)
			if err := os.Mkdir(long, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(socket, long+"/s"); err != nil {
				t.Fatal(err)
			}
			c.create("--console-socket", long+"/s").must(t)
			master()
			c.delete("--force").must(t)
		}, peers: peers{runc: differs("takes 107 bytes")}},
		{name: "nobody listens", play: func(t *testing.T) {
			c := newContainer(t, terminal)
			socket, _ := c.console()
			// The kernel knows a socket by its inode: a bound one that does not listen refuses.
			os.Remove(socket)
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			if err := unix.Bind(fd, &unix.SockaddrUnix{Name: socket}); err != nil {
				t.Fatal(err)
			}
			want(t, c.create("--console-socket", socket), 1, is(""), has("connection refused"))
		}},
		{name: "the session ends with the master", play: func(t *testing.T) {
			c := newContainer(t, terminal, script("trap 'exit 0' HUP; echo done; while :; do sleep 0.1; done"))
			socket, master := c.console()
			c.create("--console-socket", socket).must(t)
			f := master()
			c.start().must(t)
			if got := readTTY(f); got != "done\r\n" {
				t.Errorf("%q", got)
			}
			f.Close()
			c.untilStatus("stopped")
			c.delete().must(t)
		}},
		{name: "run --detach", play: func(t *testing.T) {
			c := newContainer(t, terminal, script("stty size; echo done; sleep 1"))
			socket, master := c.console()
			c.run("--detach", "--console-socket", socket).must(t)
			if got := readTTY(master()); got != "33 99\r\ndone\r\n" {
				t.Errorf("%q", got)
			}
			c.delete("--force").must(t)
		}},
	})
}
