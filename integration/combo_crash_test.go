package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A comboShape is a way to be made, and the flags of its `create`.
type comboShape struct {
	name string
	make func(*testing.T, comboCaller) (*container, []string)
}

// comboShapes have one fork (or two), hooks of all kinds, and a terminal.
func comboShapes() []comboShape {
	return []comboShape{
		{"plain", func(t *testing.T, by comboCaller) (*container, []string) {
			return by.container(t, args("sleep", "300")), nil
		}},
		{"two forks, hooks and a terminal", func(t *testing.T, by comboCaller) (*container, []string) {
			c := by.container(t, terminal, args("sleep", "300"), idleHooks, aDay)
			socket, _ := c.console()
			openTo(t, socket)
			return c, []string{"--console-socket", socket}
		}},
	}
}

// TestComboCrash: wherever `create` is ended, by whomever, nothing stays.
func TestComboCrash(t *testing.T) {
	needStrace(t, peers{runc: rtOnly, crun: rtOnly})
	for _, by := range comboCallers(t)[:2] { // newuidmap(1) has no rights under strace
		for _, shape := range comboShapes() {
			t.Run(by.name+"/"+shape.name, func(t *testing.T) { shape.crash(t, by) })
		}
	}
}

func (s comboShape) crash(t *testing.T, by comboCaller) {
	var points []point
	t.Run("good run", func(t *testing.T) {
		watch(t)
		points = s.points(t, by, 10)
	})
	killed := 0
	for i, p := range points {
		signal := []string{"SIGKILL", "SIGKILL", "SIGTERM"}[i%3]
		t.Run(fmt.Sprintf("%s %s %d", signal, p.call, p.n), func(t *testing.T) {
			before := watch(t)
			c, flags := s.make(t, by)
			r := c.strace(flags, "-o", "/dev/null", "-e", "trace="+p.call, "-e", fmt.Sprintf("inject=%s:signal=%s:when=%d", p.call, signal, p.n)).run(t)
			if r.code == 137 {
				killed++
			}
			if left := c.records(); signal == "SIGTERM" && r.code != 0 && len(left) > 0 {
				t.Errorf("%v\nleft: %v", r, left)
			}
			afterEnd(c, before, flags)
		})
	}
	if killed == 0 {
		t.Error("no create was killed")
	}
}

// strace is a traced create: see traced.
func (c *container) strace(flags []string, options ...string) command {
	cmd := c.command(with("create", append([]string{"--bundle", c.bundle}, flags...), c.id)...)
	cmd.args = append(append([]string{"strace", "-D", "-f", "-qq"}, options...), cmd.args...)
	return cmd
}

func (s comboShape) points(t *testing.T, by comboCaller, count int) (some []point) {
	t.Helper()
	c, flags := s.make(t, by)
	c.strace(flags, "-o", c.bundle+"/strace", "-e", "trace="+hostSteps).run(t).must(t)
	c.delete("--force").must(t)
	b, err := os.ReadFile(c.bundle + "/strace")
	if err != nil {
		t.Fatal(err)
	}
	all := callsOf(string(b))
	if len(all) < count {
		t.Fatalf("%d calls in a whole create:\n%s", len(all), b)
	}
	for i := range count {
		some = append(some, all[i*len(all)/count])
	}
	return some
}

// afterEnd is afterCrash, with the flags that the shape needs to be made again.
func afterEnd(c *container, before census, flags []string) {
	if r := c.rt("state", c.id); r.code != 0 && (r.code != 1 || !strings.Contains(r.stderr, gone)) {
		c.t.Error(r)
	}
	want(c.t, c.rt("list", "-q"), 0, like(`^(`+c.id+`\n)?$`), match{})
	c.delete("--force").must(c.t)
	until(c.t, "only what was there before", func() bool { return len(alien(before)) == 0 })
	c.create(flags...).must(c.t) // the id is free again
	c.delete("--force").must(c.t)
}

// alien is what a census has besides, but for sockets of the test's own.
func alien(before census) (list []string) {
	for _, line := range faults(before, takeCensus()) {
		if !strings.Contains(line, " fd ") && !strings.HasPrefix(line, "fd ") {
			list = append(list, line)
		}
	}
	return list
}

// TestComboKilledInHook: the creator dies while a hook runs.
func TestComboKilledInHook(t *testing.T) {
	runCombos(t, []comboScene{{name: "and a terminal", peers: peers{runc: differs("hooks outlive it"), crun: rtOnly}, play: func(t *testing.T, by comboCaller) {
		for _, k := range []hookKind{createRuntime, createContainer} {
			c := by.container(t)
			by.config(c, terminal, args("sleep", "300"), c.shared(), k.set(k.sh(c, "touch @/in; exec sleep 1000")), poststop.set(poststop.sh(c, "echo stopped >>@/out")))
			socket, _ := c.console()
			openTo(t, socket)
			r := c.command("create", "--bundle", c.bundle, "--console-socket", socket, c.id).start(t)
			r.until(t, "the hook", func() bool { return c.exists("shared/in") })
			r.cmd.Process.Signal(unix.SIGKILL)
			r.wait(t)
			until(t, "no hook", func() bool { return !anybody("sleep 1000") })
			c.delete("--force").must(t)
			c.wantOut("stopped\n")
			os.Remove(socket)
		}
	}}})
}

func (c *container) exists(name string) bool {
	_, err := os.Stat(c.bundle + "/" + name)
	return err == nil
}
