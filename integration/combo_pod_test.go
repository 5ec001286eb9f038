package integration

import (
	"fmt"
	"os"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// A comboPod is a set of namespaces that a container joins.
type comboPod struct {
	name string
	hold func(*testing.T) (holder, func(*specs.Spec))
	as   plain

	many bool // 1000 is mapped
}

func comboPods(t *testing.T) []comboPod {
	t.Helper()
	rootlessWorld(t)
	ann := newPlain(t, annUID)
	joins := func(kinds ...specs.LinuxNamespaceType) func(*testing.T) (holder, func(*specs.Spec)) {
		return func(t *testing.T) (holder, func(*specs.Spec)) {
			h := hold(t, kinds...)
			return h, join(h.pid, kinds...)
		}
	}
	return []comboPod{
		{name: "pod", hold: joins(pod()...), many: true},
		{name: "pod with one pid namespace", hold: joins(append(pod(), specs.PIDNamespace)...), many: true},
		{name: "pid", hold: joins(specs.PIDNamespace), many: true},
		{name: "mount", hold: joins(specs.MountNamespace), many: true},
		{name: "user and mount", hold: joins(specs.UserNamespace, specs.MountNamespace), many: true},
		{name: "time", hold: joins(specs.TimeNamespace), many: true},
		{name: "pod and a time namespace", many: true, hold: func(t *testing.T) (holder, func(*specs.Spec)) {
			h := hold(t, pod()...)
			return h, edits(join(h.pid, pod()...), aDay)
		}},
		{name: "own user namespace", many: true, hold: func(t *testing.T) (holder, func(*specs.Spec)) {
			return holder{pid: os.Getpid()}, addNamespace(specs.UserNamespace, "/proc/1/ns/user")
		}},
		{name: "rootless pod", as: ann, hold: func(t *testing.T) (holder, func(*specs.Spec)) {
			h := holdAs(t, ann, "--net", "--ipc", "--uts")
			return h, edits(join(h.pid, pod()...), rootlessMounts)
		}},
	}
}

func TestComboPod(t *testing.T) {
	needBinary(t, peers{runc: differs("1.1 wants mappings that the namespace has already")})
	var scenes []scene
	for _, p := range comboPods(t) {
		scenes = append(scenes,
			scene{name: p.name + ": hooks and exec", play: p.hooks},
			scene{name: p.name + ": terminal", play: p.terminal},
			scene{name: p.name + ": streams", play: p.streams},
			scene{name: p.name + ": fds", play: p.listen},
		)
	}
	runScenes(t, scenes)
}

// container is one whose configuration has it join the pod.
func (p comboPod) container(t *testing.T) (*container, func(...func(*specs.Spec))) {
	t.Helper()
	c := newContainer(t)
	if p.as.uid != 0 {
		c.belongsTo(p.as)
	}
	return c, func(list ...func(*specs.Spec)) {
		_, joins := p.hold(t) // each time: a joined mount namespace has the container's root afterwards
		c.config(append([]func(*specs.Spec){args("sleep", "300"), joins}, list...)...)
	}
}

// hooks: those inside see the namespaces of init; the same holds for exec.
func (p comboPod) hooks(t *testing.T) {
	h, joins := p.hold(t)
	c := newContainer(t)
	if p.as.uid != 0 {
		c.belongsTo(p.as)
	}
	all := []func(*specs.Spec){args("sleep", "300"), joins, c.shared()}
	for _, k := range hookKinds {
		all = append(all, k.set(k.sh(c, "{ "+tellFacts+"; } >@/"+k.name+" && echo x >/dev/stderr")))
	}
	c.config(all...)
	var init facts
	c.create().must(t)
	pid := c.state().Pid
	init = factsOf(fmt.Sprint(pid))
	c.start().must(t)
	wantInit := facts{"uid_map": init["uid_map"], "gid_map": init["gid_map"]}
	for _, n := range nsKinds {
		wantInit["ns/"+n.file] = init["ns/"+n.file]
	}
	got := readFacts(c.sh(tellFacts).must(t).stdout)
	got.checkNamespacesOf(t, c)
	got.check(t, wantInit)
	c.delete("--force").must(t)
	for _, k := range hookKinds {
		got := readFacts(c.sharedFile(k.name))
		if k.inside {
			got.check(t, wantInit)
			continue
		}
		for _, n := range nsKinds {
			got.check(t, facts{"ns/" + n.file: ownNamespace(n.file)})
		}
	}
	if !alive(h.pid) {
		t.Error("the holder is gone")
	}
}

func (p comboPod) terminal(t *testing.T) {
	c, config := p.container(t)
	uids := []uint32{0, 1000}
	if !p.many {
		uids = uids[:1]
	}
	for _, uid := range uids {
		config(terminal, asUser(uid), script("stat -c %u $(tty) /dev/console; echo x >/dev/tty; echo done; sleep 300"))
		socket, master := c.console()
		openTo(t, socket)
		c.create("--console-socket", socket).must(t)
		f := master()
		c.start().must(t)
		if got := readTTY(f); got != fmt.Sprintf("%d\r\n%d\r\nx\r\ndone\r\n", uid, uid) {
			t.Errorf("%q", got)
		}
		os.Remove(socket)
		s := newScreen(t)
		before := s.stat()
		s.run(c.command("exec", "--tty", "--user", fmt.Sprint(uid), c.id, "sh", "-c", "stat -c %u $(tty); stty size; echo y >/dev/tty; exit 4"))
		s.ends(4)
		s.expect(fmt.Sprintf("%d\r\n24 80\r\ny\r\n", uid))
		s.ownedAs(before)
		c.delete("--force").must(t)
	}
}

// streams can be opened again by whoever the process is.
func (p comboPod) streams(t *testing.T) {
	c, config := p.container(t)
	again := "echo out >/dev/stdout; echo err >/dev/stderr"
	edit := asUser(0)
	if p.many {
		edit = asUser(1000)
	}
	config(edit, script(again))
	want(t, c.throughPipe("run", "--bundle", c.bundle, c.id).run(t), 0, is("out\n"), has("err\n"))
	config(edit)
	c.create().must(t)
	c.start().must(t)
	want(t, c.throughPipe("exec", c.id, "sh", "-c", again).run(t), 0, is("out\n"), has("err\n"))
	c.delete("--force").must(t)
}

// throughPipe gives the runtime pipes that its caller has made: nobody else may give them away.
func (c *container) throughPipe(args ...string) command {
	runtime := c.binary()
	cmd := command{args: []string{"sh", "-c", `{ { "$@" 2>&1 >&3 | cat >&2; } 3>&1 | cat; }`, "sh"}, dir: it.base}
	if c.caller.uid != 0 {
		runtime[0] = c.caller.bin
	}
	cmd.args = append(append(cmd.args, runtime...), args...)
	return c.caller.command(cmd)
}

func (p comboPod) listen(t *testing.T) {
	c, config := p.container(t)
	config(script(listens))
	want(t, c.activated(twoNames, leaks(t, 4), "run", "--preserve-fds", "1", "--bundle", c.bundle, c.id).run(t), 0, is(listened), match{})
	config()
	c.create().must(t)
	c.start().must(t)
	want(t, c.activated(twoNames, leaks(t, 4), "exec", "--preserve-fds", "1", c.id, "sh", "-c", listens).run(t), 0, is(listened), match{})
	c.delete("--force").must(t)
}

// TestComboSharedPid: two containers share a pid namespace.
func TestComboSharedPid(t *testing.T) {
	both := func(end func(*container)) func(*testing.T) {
		return func(t *testing.T) {
			h := hold(t, specs.PIDNamespace)
			a, b := newRunning(t, join(h.pid, specs.PIDNamespace)), newRunning(t, join(h.pid, specs.PIDNamespace))
			mine, theirs := a.sleeper(), b.sleeper()
			end(a)
			until(t, "the end of what was in the first", func() bool { return !alive(mine) })
			if !alive(theirs) || !alive(h.pid) {
				t.Error("another died, too")
			}
			b.wantStatus("running")
			want(t, b.sh("echo on"), 0, is("on\n"), is(""))
			b.delete("--force").must(t)
			if !alive(h.pid) {
				t.Error("the holder is gone")
			}
		}
	}
	runScenes(t, []scene{
		{name: "delete --force", play: both(func(c *container) { c.delete("--force").must(c.t) })},
		{name: "kill --all and delete", play: both(func(c *container) {
			c.rt("kill", "--all", c.id, "KILL").must(c.t)
			c.untilStatus("stopped")
			c.delete().must(c.t)
		})},
		{name: "kill and delete", play: both(func(c *container) {
			c.kill("KILL").must(c.t)
			c.untilStatus("stopped")
			c.delete().must(c.t)
		})},
		{name: "a failing hook", peers: peers{runc: differs("leaves the hook's children")}, play: func(t *testing.T) {
			h := hold(t, specs.PIDNamespace)
			b := newRunning(t, join(h.pid, specs.PIDNamespace))
			for _, k := range []hookKind{createContainer, startContainer} {
				a := newContainer(t)
				a.config(args("sleep", "300"), join(h.pid, specs.PIDNamespace), a.shared(), k.set(k.sh(a, "setsid sleep 1000 & exit 1")))
				want(t, a.until(k, false), 1, is(""), has("exit status 1"))
				until(t, "no hook", func() bool { return !anybody("sleep 1000") })
			}
			b.wantStatus("running")
			b.delete("--force").must(t)
		}},
	})
}
