package integration

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// screen is a terminal as a user has it, with a command in its foreground.
type screen struct {
	t             *testing.T
	master, slave *os.File
	before        unix.Termios
	*running
	lock sync.Mutex
	text string // all that was shown
	done chan struct{}
}

func withTTY(s *specs.Spec) { s.Process.Terminal = true }

// newScreen is a terminal of 24 rows and 80 columns.
func newScreen(t *testing.T) *screen {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, master: os.NewFile(uintptr(fd), "master"), done: make(chan struct{})}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	peer, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		t.Fatal(errno)
	}
	s.slave = os.NewFile(peer, "slave")
	s.resize(24, 80)
	s.before = s.modes()
	go s.read()
	t.Cleanup(s.close)
	return s
}

func (s *screen) close() {
	s.master.Close()
	s.slave.Close()
	<-s.done
}

func (s *screen) read() {
	defer close(s.done)
	b := make([]byte, 64<<10)
	for {
		n, err := s.master.Read(b)
		s.lock.Lock()
		s.text += string(b[:n])
		s.lock.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *screen) shown() string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.text
}

func (s *screen) modes() unix.Termios {
	s.t.Helper()
	t, err := unix.IoctlGetTermios(int(s.slave.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *t
}

func (s *screen) resize(rows, columns uint16) {
	s.t.Helper()
	if err := unix.IoctlSetWinsize(int(s.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		s.t.Fatal(err)
	}
}

// run starts a command as the session's leader, on the terminal; some of its streams may
// be somewhere else.
func (s *screen) run(c command, instead ...func(*exec.Cmd)) *screen {
	s.t.Helper()
	caller := c.adapt
	c.adapt = func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
		if caller != nil {
			caller(cmd)
		}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = s.slave, s.slave, s.slave
		cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
		for _, f := range instead {
			f(cmd)
		}
	}
	s.running = c.start(s.t)
	return s
}

func (s *screen) keys(text string) {
	s.t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) expect(text string) {
	s.t.Helper()
	for end := time.Now().Add(deadline); !strings.Contains(s.shown(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("never shown: %q\nshown: %q\n%s", text, s.shown(), diagnosis())
		}
	}
}

func (s *screen) raw() bool { return s.modes().Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) == 0 }

func (s *screen) untilRaw(want bool) {
	s.t.Helper()
	until(s.t, fmt.Sprintf("raw mode: %v", want), func() bool { return s.raw() == want })
}

// restored: the terminal is as it was, bit by bit.
func (s *screen) restored() {
	s.t.Helper()
	until(s.t, "the terminal as it was", func() bool { return s.modes() == s.before })
}

// ends waits for the command, which has to restore the terminal before it ends.
func (s *screen) ends(code int) {
	s.t.Helper()
	r := s.wait(s.t)
	if now := s.modes(); now != s.before {
		s.t.Errorf("the terminal is not as it was:\n%+v\n%+v", s.before, now)
	}
	if r.code != code {
		s.t.Errorf("%v\nwant exit %d, shown: %q", r, code, s.shown())
	}
}

// runOn runs the container in the foreground on a new screen, up to the prompt "ready".
func (c *container) runOn() *screen {
	c.t.Helper()
	s := newScreen(c.t).run(c.command("run", "--bundle", c.bundle, c.id))
	s.expect("ready")
	s.untilRaw(true)
	return s
}

// sizes is a workload that shows the size of its terminal for each line it reads.
const sizes = "echo ready; while read x; do stty size; test \"$x\" = q && exit 7; done"

func TestTerminal(t *testing.T) {
	rtKeepsSize := differs("sets the caller's size, whatever config.json says")
	noJob := peers{runc: differs("passes TSTP, TTIN and TTOU on, and is no job of a shell")}
	runScenes(t, []scene{
		{name: "raw, and restored at the end", play: func(t *testing.T) {
			s := newContainer(t, withTTY, script(sizes)).runOn()
			s.keys("q\r")
			s.expect("24 80\r\n")
			s.ends(7)
		}},
		{name: "resize", play: func(t *testing.T) {
			s := newContainer(t, withTTY, script("trap 'stty size; exit 7' WINCH; echo ready; while :; do sleep 0.1; done")).runOn()
			s.resize(30, 90)
			s.expect("30 90\r\n")
			s.ends(7)
		}},
		{name: "the size of config.json comes first", peers: peers{runc: rtKeepsSize}, play: func(t *testing.T) {
			s := newContainer(t, terminal, script(sizes)).runOn()
			s.keys("a\r")
			s.expect("33 99\r\n")
			s.resize(30, 90)
			s.keys("q\r")
			s.expect("30 90\r\n")
			s.ends(7)
		}},
		{name: "ctrl-C is the workload's", play: func(t *testing.T) {
			s := newContainer(t, withTTY, script(`trap 'echo "g"ot; exit 9' INT; echo ready; while :; do sleep 0.1; done`)).runOn()
			s.keys("\x03")
			s.expect("got\r\n")
			s.ends(9)
		}},
		{name: "job control inside", play: jobsInside},
		{name: "TERM", play: func(t *testing.T) {
			s := newContainer(t, withTTY, script(`trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done`)).runOn()
			s.cmd.Process.Signal(unix.SIGTERM)
			s.ends(5)
		}},
		{name: "hang-up", play: hangUp(nil)},
		{name: "hang-up, which nohup keeps from the runtime", peers: peers{runc: differs("waits for ever")}, play: hangUp([]string{"/bin/sh", "-c", `trap '' HUP; exec "$@"`, "sh"})},
		{name: "kill -9 of the runtime", peers: peers{runc: differs("leaves the terminal raw")}, play: killedInTerminal},
		{name: "stopped and continued", peers: noJob, play: suspended},
		{name: "started in the background", peers: noJob, play: background},
		{name: "a continuation alone", peers: peers{runc: differs("passes CONT on")}, play: continued},
		{name: "what is open inside", play: func(t *testing.T) {
			s := newContainer(t, withTTY, script("echo ready; for f in /proc/1/fd/*; do readlink $f; done; tty; ls -1 /dev/pts; read x")).runOn()
			s.expect("ready\r\n" + strings.Repeat("/dev/pts/0\r\n", 4) + "0\r\nptmx\r\n")
			s.keys("\r")
			s.ends(0)
		}},
		{name: "belongs to the user", play: func(t *testing.T) {
			s := newContainer(t, withTTY, user(1000, 1000), script("echo ready; stat -c '%u:%g %t' /dev/pts/0 /dev/console; echo x >/dev/tty; read x")).runOn()
			s.expect("1000:5 88\r\n1000:5 88\r\nx\r\n")
			s.keys("\r")
			s.ends(0)
		}},
		{name: "execve fails", play: func(t *testing.T) {
			c := newContainer(t, withTTY, args("/nosuch"))
			s := newScreen(t).run(c.command("run", "--bundle", c.bundle, c.id))
			s.ends(1)
			s.expect("no such file or directory")
		}},
	})
}

func jobsInside(t *testing.T) {
	s := newContainer(t, withTTY, args("sh", "-i")).prompt()
	s.keys("sleep 100\r")
	s.expect("sleep 100\r\n")
	until(t, "the job", func() bool { return strings.Contains(diagnosis(), ": sleep 100") })
	s.keys("\x1a")
	s.expect("[1]+  Stopped")
	s.keys("exit\r")
	s.expect("stopped jobs")
	s.keys("exit 3\r")
	s.ends(3)
}

// prompt is runOn for an interactive shell.
func (c *container) prompt() *screen {
	c.t.Helper()
	s := newScreen(c.t).run(c.command("run", "--bundle", c.bundle, c.id))
	s.expect("/ # ")
	s.untilRaw(true)
	return s
}

// hangUp closes the window; the container's session has to hear of it.
func hangUp(before []string) func(t *testing.T) {
	return func(t *testing.T) {
		c := newContainer(t, withTTY, writable, script("trap 'echo hup >/tmp/hup; exit 4' HUP; echo ready; while :; do sleep 0.1; done"))
		c.made = []string{"/tmp/hup", "/tmp"}
		run := c.command("run", "--bundle", c.bundle, c.id)
		run.args = append(before, run.args...)
		s := newScreen(t).run(run)
		s.expect("ready")
		s.untilRaw(true)
		s.master.Close()
		r := s.wait(t)
		if b, err := os.ReadFile(c.rootfs() + "/tmp/hup"); err != nil || string(b) != "hup\n" {
			t.Errorf("%q, %v", b, err)
		}
		if r.code != 4 {
			t.Errorf("exit %d", r.code)
		}
	}
}

func killedInTerminal(t *testing.T) {
	c := newContainer(t, withTTY, script("echo ready; sleep 300"))
	s := c.runOn()
	s.cmd.Process.Kill()
	<-s.running.done
	s.restored()
	c.delete("--force").must(t)
}

// shell is a real one with job control, which starts the runtime as a job. dash never sets
// the terminal: what is restored, the runtime has restored.
func (c *container) shell() *screen {
	c.t.Helper()
	sh := c.command()
	sh.args, sh.env = []string{"/bin/dash", "-i"}, []string{"PS1=$ ", "PATH=" + os.Getenv("PATH")}
	s := newScreen(c.t).run(sh)
	s.expect("$ ")
	return s
}

func (c *container) line(flags string) string {
	return strings.Join(c.command("run", "--bundle", c.bundle, c.id).args, " ") + flags + "\r"
}

// job is the pid of the runtime, a child of the shell.
func (s *screen) job() (found process) {
	for _, p := range processes() {
		if p.parent == s.cmd.Process.Pid {
			found = p
		}
	}
	return found
}

func (s *screen) untilStopped() {
	s.t.Helper()
	until(s.t, "a stopped job", func() bool { return s.job().state == "T" })
}

func suspended(t *testing.T) {
	c := newContainer(t, withTTY, script(sizes))
	s := c.shell()
	s.keys(c.line(""))
	s.expect("ready")
	s.untilRaw(true)
	unix.Kill(s.job().pid, unix.SIGTSTP)
	s.untilStopped()
	s.restored()
	s.expect("Stopped")
	s.resize(30, 90)
	s.keys("fg\r")
	s.untilRaw(true)
	s.keys("q\r")
	s.expect("30 90\r\n")
	s.restored()
	s.keys("echo code $?; exit\r")
	s.expect("code 7")
	s.ends(0)
}

func background(t *testing.T) {
	c := newContainer(t, withTTY, script(sizes))
	s := c.shell()
	s.keys(c.line(" &"))
	s.untilStopped()
	if s.modes() != s.before {
		t.Error("a job in the background has changed the terminal")
	}
	s.keys("fg\r")
	s.expect("ready")
	s.untilRaw(true)
	s.keys("q\r")
	s.restored()
	s.keys("echo code $?; exit\r")
	s.expect("code 7")
	s.ends(0)
}

// continued: after a SIGSTOP, of which nobody can know beforehand, the shell may have set
// the terminal.
func continued(t *testing.T) {
	s := newContainer(t, withTTY, script(sizes)).runOn()
	s.cmd.Process.Signal(unix.SIGSTOP)
	until(t, "the stop", func() bool { p, _ := readProcess(s.cmd.Process.Pid); return p.state == "T" })
	unix.IoctlSetTermios(int(s.slave.Fd()), unix.TCSETS, &s.before)
	s.resize(40, 100)
	s.cmd.Process.Signal(unix.SIGCONT)
	s.untilRaw(true)
	s.keys("q\r")
	s.expect("40 100\r\n")
	s.ends(7)
}
