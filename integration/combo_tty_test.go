package integration

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestComboTerminal(t *testing.T) {
	runCombos(t, []comboScene{
		{name: "run", play: func(t *testing.T, by comboCaller) { comboForeground(t, by, 0) }},
		{name: "run as a user", many: true, play: func(t *testing.T, by comboCaller) { comboForeground(t, by, 1000) }},
		{name: "create", play: func(t *testing.T, by comboCaller) { comboConsole(t, by, 0) }},
		{name: "create as a user", many: true, play: func(t *testing.T, by comboCaller) { comboConsole(t, by, 1000) }},
		{name: "exec", play: func(t *testing.T, by comboCaller) { comboExecTTY(t, by, 0) }},
		{name: "exec as a user", many: true, play: func(t *testing.T, by comboCaller) { comboExecTTY(t, by, 1000) }},
		{name: "exec --detach", play: comboExecConsole},
		{name: "kill -9 of the runtime", peers: peers{runc: differs("leaves the terminal raw")}, play: func(t *testing.T, by comboCaller) {
			c := by.container(t, withTTY, script("echo ready; sleep 300"))
			s := c.runOn()
			s.cmd.Process.Kill()
			<-s.running.done
			s.restored()
			c.delete("--force").must(t)
		}},
		{name: "root is not mapped", root: true, peers: peers{runc: differs("wants root mapped")}, play: func(t *testing.T, _ comboCaller) {
			c := newRunning(t, ids(idRange(1000, 100000, 1)), user(1000, 1000), ptsGroup)
			s := newScreen(t).run(c.command("exec", "--tty", c.id, "sh", "-c", "stat -c %u $(tty); echo x >/dev/tty"))
			s.ends(0)
			s.expect("1000\r\nx\r\n")
			c.delete("--force").must(t)
		}},
	})
}

// lookTTY shows a terminal's size, and who owns it; the fourth line goes by the controlling
// terminal.
const lookTTY = "tty; stat -c '%u:%g %t' $(tty); stty size; echo controlling >/dev/tty; "

// ownedAs fails if the terminal of the caller has come to belong to somebody else.
func (s *screen) ownedAs(before unix.Stat_t) {
	s.t.Helper()
	if now := s.stat(); now.Uid != before.Uid || now.Gid != before.Gid || now.Mode != before.Mode {
		s.t.Errorf("the caller's terminal was %d:%d %o, now it is %d:%d %o", before.Uid, before.Gid, before.Mode, now.Uid, now.Gid, now.Mode)
	}
}

func (s *screen) stat() (st unix.Stat_t) {
	s.t.Helper()
	if err := unix.Fstat(int(s.slave.Fd()), &st); err != nil {
		s.t.Fatal(err)
	}
	return st
}

func comboForeground(t *testing.T, by comboCaller, uid uint32) {
	c := by.container(t, withTTY, user(uid, uid), script("echo ready; read x; stat -c '%u:%g %t' /dev/console; "+lookTTY+
		"read x; n=0; until test \"$(stty size)\" = '30 90' -o $n = 300; do n=$((n+1)); sleep 0.01; done; stty size; exit 7")) // keys may overtake the signal
	screen := newScreen(t)
	before := screen.stat()
	s := screen.run(c.command("run", "--bundle", c.bundle, c.id))
	s.expect("ready")
	s.untilRaw(true)
	s.keys("a\r")
	owner := fmt.Sprintf("%d:%s 88\r\n", uid, by.tty)
	s.expect(owner + "/dev/pts/0\r\n" + owner + "24 80\r\ncontrolling\r\n")
	s.resize(30, 90)
	s.keys("b\r")
	s.expect("30 90\r\n")
	s.ends(7)
	s.ownedAs(before)
}

func comboConsole(t *testing.T, by comboCaller, uid uint32) {
	c := by.container(t, terminal, user(uid, uid), script("stat -c '%u:%g %t' /dev/console; "+lookTTY+"echo done; sleep 300"))
	socket, master := c.console()
	openTo(t, socket)
	c.create("--console-socket", socket, "--pid-file", c.bundle+"/pid").must(t)
	f := master()
	if got := pidFile(t, c.bundle+"/pid"); got != c.wantStatus("created").Pid {
		t.Errorf("pid file: %d", got)
	}
	c.start().must(t)
	owner := fmt.Sprintf("%d:%s 88\r\n", uid, by.tty)
	if got := readTTY(f); got != owner+"/dev/pts/0\r\n"+owner+"33 99\r\ncontrolling\r\ndone\r\n" {
		t.Errorf("%q", got)
	}
	want(t, c.sh("tty; echo x >/dev/console"), 0, is("not a tty\n"), match{})
	c.kill("KILL").must(t)
	c.untilStatus("stopped")
	c.delete().must(t)
}

func comboExecTTY(t *testing.T, by comboCaller, uid uint32) {
	c := by.container(t, args("sleep", "300"))
	c.create().must(t)
	for _, start := range []bool{false, true} { // in created, and in running
		if start {
			c.start().must(t)
		}
		s := newScreen(t)
		before := s.stat()
		s.run(c.command("exec", "--tty", "--user", fmt.Sprint(uid), c.id, "sh", "-c", lookTTY+"id -u; exit 5"))
		s.ends(5)
		s.expect(fmt.Sprintf("/dev/pts/0\r\n%d:%s 88\r\n24 80\r\ncontrolling\r\n%d\r\n", uid, by.tty, uid))
		s.ownedAs(before)
	}
	c.delete("--force").must(t)
}

func comboExecConsole(t *testing.T, by comboCaller) {
	c := by.container(t, args("sleep", "300"))
	c.create().must(t)
	c.start().must(t)
	socket, master := c.console()
	openTo(t, socket)
	c.exec([]string{"--tty", "--detach", "--console-socket", socket}, "sh", "-c", "tty; id -u; echo done; sleep 1").must(t)
	if got := readTTY(master()); got != "/dev/pts/0\r\n0\r\ndone\r\n" {
		t.Errorf("%q", got)
	}
	os.Remove(socket)
	c.delete("--force").must(t)
}
