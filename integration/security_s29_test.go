package integration

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// innocent is a process that got the pid of another one.
type innocent struct {
	t    *testing.T
	born string
	cmd  *exec.Cmd
}

// recycle gives pid, which must be free, to a new process. The file is that of our own pid
// namespace; it says which pid was the last that was given out (proc_sys_kernel(5)).
func recycle(t *testing.T, pid int) *innocent {
	t.Helper()
	until(t, "the pid is free", func() bool { it.procs.reap(); return unix.Kill(pid, 0) == unix.ESRCH })
	time.Sleep(20 * time.Millisecond) // start times count in ticks of 10 ms
	for range 50 {
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(fmt.Sprint(pid-1)), 0); err != nil {
			skip(t, "needs ns_last_pid (CONFIG_CHECKPOINT_RESTORE): "+err.Error())
		}
		cmd := exec.Command("sleep", "300")
		must(t, it.procs.start(cmd))
		if cmd.Process.Pid == pid {
			p, _ := readProcess(pid)
			i := &innocent{t, p.born, cmd}
			t.Cleanup(i.end)
			return i
		}
		cmd.Process.Kill()
		it.procs.wait(cmd)
	}
	t.Fatalf("pid %d was not given out again", pid)
	return nil
}

func (i *innocent) end() {
	i.cmd.Process.Kill()
	it.procs.wait(i.cmd)
}

// unharmed: the same process, neither killed nor stopped.
func (i *innocent) unharmed(after string) {
	i.t.Helper()
	p, ok := readProcess(i.cmd.Process.Pid)
	if !ok || p.born != i.born || strings.Contains("ZXTt", p.state) {
		i.t.Fatalf("after %s: %+v", after, p)
	}
}

// TestS29: the init is dead and its pid is another's. No command takes that one
// for the init.
func TestS29(t *testing.T) {
	const notRunning = "container not running"
	commands := []struct {
		line string
		code int
		text string
	}{
		{"kill ID KILL", 1, notRunning}, {"kill ID TERM", 1, notRunning}, {"kill ID STOP", 1, notRunning}, {"kill --all ID KILL", 0, ""},
		{"exec ID true", 255, "cannot exec in a stopped container"}, {"pause ID", 1, notRunning}, {"resume ID", 1, "container not paused"},
		{"start ID", 1, "cannot start a container that has stopped"}, {"ps ID", 0, ""}, {"list", 0, ""}, {"delete ID", 0, ""}, {"delete --force ID", 0, ""},
	}
	dead := func(make func(*testing.T, ...func(*specs.Spec)) *container, edit func(*specs.Spec), lines ...string) func(*testing.T) {
		return func(t *testing.T) {
			c := make(t, edit)
			pid := c.state().Pid
			killPid(pid)
			i := recycle(t, pid)
			c.wantStatus("stopped")
			for _, cmd := range commands {
				if len(lines) > 0 && cmd.line != lines[0] {
					continue
				}
				want(t, c.rt(c.fill(cmd.line)...), cmd.code, match{}, has(cmd.text))
				i.unharmed(cmd.line)
			}
		}
	}
	none := func(*specs.Spec) {}
	runScenes(t, []scene{
		{name: "running", play: dead(newRunning, none), peers: peers{runc: differs("1.1 has another text for some")}},
		{name: "created", play: dead(newCreated, none), peers: peers{runc: differs("1.1 has another text for some")}},
		{name: "in a shared pid namespace", play: dead(newRunning, without("pid")), peers: peers{runc: differs("1.1 has another text for some")}},
		{name: "delete --force of running", play: dead(newRunning, none, "delete --force ID")},
		{name: "delete --force in a shared pid namespace", play: dead(newRunning, without("pid"), "delete --force ID")},
		{name: "the creator's pid", play: recycledCreator, peers: peers{runc: rtOnly, crun: rtOnly}},
	})
}

// recycledCreator: create was killed, and its pid is another's. Whoever holds the lock makes
// delete --force suspect the creator.
func recycledCreator(t *testing.T) {
	c := newContainer(t, args("sleep", "300"))
	cmd := c.command("create", "--bundle", c.bundle, c.id).start(t)
	cmd.wait(t).must(t)
	killPid(c.state().Pid)
	until(t, "the init's end", func() bool { return c.state().Status == "stopped" })
	dir := c.root + "/" + c.id
	must(t, os.Rename(dir+"/state.json", dir+"/intent"))
	i := recycle(t, cmd.cmd.Process.Pid)
	c.wantStatus("stopped")
	lock, err := os.Open(dir + "/lock")
	must(t, err)
	defer lock.Close()
	must(t, unix.Flock(int(lock.Fd()), unix.LOCK_EX))
	r := c.command("delete", "--force", c.id).start(t)
	time.Sleep(3500 * time.Millisecond) // it waits for the lock, kills the init, waits, kills the creator
	i.unharmed("delete --force")
	must(t, unix.Flock(int(lock.Fd()), unix.LOCK_UN))
	r.wait(t).must(t)
	i.unharmed("delete --force")
	if strings.Contains(c.rt("list").stdout, c.id) {
		t.Error("still listed")
	}
}
