package integration

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestComboEvents: rt waits for a reader as runc does, and holds nothing up meanwhile.
func TestComboEvents(t *testing.T) {
	runScenes(t, []scene{
		{name: "a reader that does not read", play: eventsFull},
		{name: "a reader that goes while the pipe is full", play: eventsFullGone, peers: peers{runc: differs("ends by SIGPIPE, or not")}},
		{name: "several, and the end of all", play: eventsMany, peers: peers{runc: differs("goes on until the cgroup is removed")}},
		{name: "deleted meanwhile", play: eventsDeleted, peers: peers{runc: differs("reports files that vanish")}},
		{name: "the groups are taken away", play: eventsGroupsGone, peers: peers{runc: rtOnly, crun: rtOnly}},
	})
}

// full starts `events` with a pipe that nobody reads, and waits until it is full.
func (c *container) full() (*running, *os.File) {
	c.t.Helper()
	r, out := pipedOut(c.t, c.command("events", "--interval=1ms", c.id))
	_, err := unix.FcntlInt(out.Fd(), unix.F_SETPIPE_SZ, 4096)
	c.do(err)
	last := 0
	until(c.t, "a full pipe", func() bool {
		before := last
		time.Sleep(patient(30 * time.Millisecond))
		last, err = unix.IoctlGetInt(int(out.Fd()), unix.TIOCINQ)
		c.do(err)
		return last > 0 && last == before
	})
	return r, out
}

func eventsFull(t *testing.T) {
	c := newRunning(t)
	r, out := c.full()
	c.rt("pause", c.id).must(t)
	c.rt("resume", c.id).must(t)
	c.delete("--force").must(t)
	time.Sleep(patient(50 * time.Millisecond))
	for s := bufio.NewScanner(out); s.Scan(); {
		if !strings.HasPrefix(s.Text(), `{"type":"stats","id":"`+c.id+`"`) || !strings.HasSuffix(s.Text(), "}") {
			t.Errorf("not whole: %s", s.Text())
		}
	}
	out.Close()
	want(t, r.wait(t), 0, match{}, is(""))
}

func eventsFullGone(t *testing.T) {
	c := newRunning(t)
	r, out := c.full()
	out.Close()
	got := r.wait(t)
	if got.stderr != "" && !strings.Contains(got.stderr, "broken pipe") {
		t.Errorf("%v", got)
	}
	c.delete("--force").must(t)
}

func eventsMany(t *testing.T) {
	c := newRunning(t)
	var all []*running
	for range 4 {
		all = append(all, c.stream("--interval=1ms"))
	}
	c.kill("KILL").must(t)
	for _, r := range all {
		want(t, r.wait(t), 0, match{}, is(""))
	}
	c.delete().must(t)
}

func eventsDeleted(t *testing.T) {
	for range 10 {
		c := newRunning(t)
		r := c.stream("--interval=1ms")
		c.delete("--force").must(t)
		want(t, r.wait(t), 0, match{}, is(""))
	}
}

// eventsGroupsGone: a container that lives on without its groups is no end.
func eventsGroupsGone(t *testing.T) {
	c := newRunning(t)
	needV1(c)
	r := c.stream("--interval=20ms")
	pid := c.state().Pid
	for _, dir := range cgroupDirs(c.id) {
		c.do(os.WriteFile(filepath.Dir(dir)+"/cgroup.procs", []byte(strconv.Itoa(pid)), 0), os.Remove(dir))
	}
	want(t, r.wait(t), 1, match{}, has("no such file or directory"))
	c.delete("--force").must(t)
}
