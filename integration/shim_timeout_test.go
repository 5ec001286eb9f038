package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cleanUpBound is how long delete --force may take after a create that has been killed. It
// waits a second for processes that no record knows (docs/protocol.md).
const cleanUpBound = 3 * time.Second

// A hang is a create that does not come to its end.
type hang struct {
	name  string
	prep  func(*container) // config.json, and what it takes
	args  func(*container) []string
	until func(*container) bool // it hangs now
}

func hangs() []hang {
	plainArgs := func(c *container) []string {
		return []string{"--root", c.root, "create", "--bundle", c.bundle, "--pid-file", c.bundle + "/pid", c.id}
	}
	mark := func(c *container) bool { return c.exists("shared/in") }
	hook := func(k hookKind, text string) func(*container) {
		return func(c *container) { c.config(args("sleep", "300"), c.shared(), k.set(k.sh(c, "touch @/in; "+text))) }
	}
	return []hang{
		{"hook of the host", hook(createRuntime, "exec sleep 1000"), plainArgs, mark},
		{"hook that ignores TERM", hook(hookKinds[0], "trap '' TERM INT; exec sleep 1000"), plainArgs, mark},
		{"hook inside", hook(createContainer, "exec sleep 1000"), plainArgs, mark},
		{"hook in a user namespace", func(c *container) {
			c.config(args("sleep", "300"), mapped, c.shared(), createContainer.set(createContainer.sh(c, "touch @/in; exec sleep 1000")))
			c.chownRootfs(100000, 200000)
		}, plainArgs, mark},
		{"log is a fifo", func(c *container) { c.fifo("log") }, func(c *container) []string {
			return append([]string{"--log", c.bundle + "/log", "--log-format", "json"}, plainArgs(c)...)
		}, nil},
	}
}

// fifo makes a fifo in the bundle that nobody reads from.
func (c *container) fifo(name string) {
	c.t.Helper()
	if err := unix.Mkfifo(filepath.Join(c.bundle, name), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// killings are the ways in which a create's time comes to its end: a manager kills it, or all
// that it has started, or dies itself.
func killings() map[string]func(s *shim, pid int) {
	return map[string]func(*shim, int){
		"the runtime is killed":           func(_ *shim, pid int) { unix.Kill(pid, unix.SIGKILL) },
		"its process group is killed":     func(_ *shim, pid int) { unix.Kill(-pid, unix.SIGKILL) },
		"the shim is killed":              func(s *shim, _ int) { s.cmd.Process.Kill() },
		"the shim is killed, then create": func(s *shim, pid int) { s.cmd.Process.Kill(); unix.Kill(pid, unix.SIGKILL) },
	}
}

// TestShimTimeOut: whatever a create hangs at and however it is ended, it ends, and then one
// delete --force takes all of it away within a bound.
func TestShimTimeOut(t *testing.T) {
	for _, h := range hangs() {
		for how, kill := range killings() {
			t.Run(h.name+"/"+how, func(t *testing.T) {
				needBinary(t, peers{runc: differs("hooks outlive it, cgroups stay"), crun: rtOnly})
				before := watch(t)
				c := newContainer(t, args("sleep", "300"))
				h.prep(c)
				s := newShim(t, plain{})
				pid := s.ask(order{Args: append([]string{it.bin}, h.args(c)...), Env: daemonEnv(), Group: true, Leave: true}).Pid
				until(t, "the create hangs", func() bool {
					if h.until == nil {
						return waitsFor(pid, "wait_for_partner")
					}
					return h.until(c)
				})
				kill(s, pid)
				until(t, "the create's end", func() bool { return !alive(pid) })
				c.cleaned(before, s)
			})
		}
	}
}

// waitsFor tells whether a thread of the process sleeps in a function of the kernel.
func waitsFor(pid int, function string) bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/wchan", pid))
	for _, f := range files {
		if b, _ := os.ReadFile(f); strings.Contains(string(b), function) {
			return true
		}
	}
	return false
}

// cleaned deletes by force, which leaves nothing, and not only nothing of the container's.
func (c *container) cleaned(before census, s *shim) {
	c.t.Helper()
	began := time.Now()
	want(c.t, c.delete("--force"), 0, is(""), is(""))
	if d := time.Since(began); d > patient(cleanUpBound) {
		c.t.Errorf("delete --force took %v", d)
	}
	want(c.t, c.rt("state", c.id), 1, is(""), has(gone))
	want(c.t, c.delete("--force"), 0, is(""), is(""))
	s.end()
	until(c.t, "only what was there before", func() bool { return len(alien(before)) == 0 })
}

// TestFrozenParent: what is born into a frozen group would neither run nor die. create says
// so, and does not become the one that hangs.
func TestFrozenParent(t *testing.T) {
	needBinary(t, peers{runc: differs("hangs"), crun: rtOnly})
	watch(t)
	c := newContainer(t)
	needV1(c)
	parent := "/sys/fs/cgroup/freezer/" + c.id + "-frozen"
	if err := os.Mkdir(parent, 0o755); err != nil {
		skip(t, "needs the freezer of v1: "+err.Error())
	}
	freeze := func(state string) {
		if err := os.WriteFile(parent+"/freezer.state", []byte(state), 0); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { unix.Rmdir(parent) })
	freeze("FROZEN")
	c.config(args("sleep", "300"), cgroupsPath("/"+c.id+"-frozen/"+c.id))
	want(t, c.create(), 1, is(""), has("a group above it, is frozen"))
	if left := c.records(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	freeze("THAWED")
	c.create().must(t)
	c.delete("--force").must(t)
}
