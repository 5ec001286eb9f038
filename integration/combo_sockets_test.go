package integration

import (
	"os"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// listens has the fds and knows that they are for it.
const listens = "test $LISTEN_PID = $$ && echo $LISTEN_FDS $LISTEN_FDNAMES; cat <&4; test -e /proc/self/fd/5 && cat <&5"

const listened = "2 a:b\nfd 4\nfd 5\n"

func TestComboListen(t *testing.T) {
	noTime := peers{runc: differs("time namespaces came with 1.2")}
	own := peers{runc: differs("says 1")}
	shared := edits(without(specs.PIDNamespace), boundProc)
	none := func(*testing.T, comboCaller) func(*specs.Spec) { return func(*specs.Spec) {} }
	edit := func(e func(*specs.Spec)) func(*testing.T, comboCaller) func(*specs.Spec) {
		return func(*testing.T, comboCaller) func(*specs.Spec) { return e }
	}
	joined := func(t *testing.T, _ comboCaller) func(*specs.Spec) {
		return edits(join(hold(t, specs.PIDNamespace).pid, specs.PIDNamespace), boundProc)
	}
	var scenes []comboScene
	for _, w := range []struct {
		name  string
		world func(*testing.T, comboCaller) func(*specs.Spec)
		root  bool
		peers
	}{
		{name: "own pid namespace", world: none, peers: peers{runc: differs("1.1 drops the names")}},
		{name: "no pid namespace", world: edit(shared), peers: own},
		{name: "joined pid namespace", world: joined, root: true, peers: own},
		{name: "time namespace", world: edit(aDay), peers: noTime},
		{name: "time and no pid namespace", world: edit(edits(shared, aDay)), peers: noTime},
		{name: "no HOME to ask for", world: edit(edits(shared, func(s *specs.Spec) { s.Process.Env = append(s.Process.Env, "HOME=/x") })), peers: own},
	} {
		scenes = append(scenes,
			comboScene{name: "run, " + w.name, root: w.root, peers: w.peers, play: func(t *testing.T, by comboCaller) { listenRun(t, by, w.world(t, by)) }},
			comboScene{name: "create, " + w.name, root: w.root, peers: w.peers, play: func(t *testing.T, by comboCaller) { listenCreate(t, by, w.world(t, by)) }},
			comboScene{name: "exec, " + w.name, root: w.root, peers: peers{runc: differs("passes nothing on")}, play: func(t *testing.T, by comboCaller) { listenExec(t, by, w.world(t, by)) }},
		)
	}
	runCombos(t, scenes)
}

const twoNames = "LISTEN_FDS=2 LISTEN_FDNAMES=a:b"

func listenRun(t *testing.T, by comboCaller, edit func(*specs.Spec)) {
	c := by.container(t, user(by.user(), by.user()), script(listens), edit)
	want(t, c.activated(twoNames, leaks(t, 4), "run", "--preserve-fds", "1", "--bundle", c.bundle, c.id).run(t), 0, is(listened), match{})
}

func listenCreate(t *testing.T, by comboCaller, edit func(*specs.Spec)) {
	c := by.container(t, user(by.user(), by.user()), script(listens), edit)
	made := c.activated(twoNames, leaks(t, 4), "create", "--preserve-fds", "1", "--bundle", c.bundle, c.id).start(t)
	<-made.done
	c.start().must(t)
	c.untilStatus("stopped")
	want(t, made.result(t), 0, is(listened), match{})
	c.delete().must(t)
}

// listenExec: a first exec shows that the number is not always the same.
func listenExec(t *testing.T, by comboCaller, edit func(*specs.Spec)) {
	c := by.container(t, args("sleep", "300"), edit)
	c.create().must(t)
	for range 2 {
		want(t, c.activated(twoNames, leaks(t, 4), "exec", "--preserve-fds", "1", c.id, "sh", "-c", listens).run(t), 0, is(listened), match{})
		c.sh("true").must(t)
		if c.state().Status == "created" {
			c.start().must(t)
		}
	}
	c.delete("--force").must(t)
}

func TestComboNotify(t *testing.T) {
	noTime := peers{runc: differs("time namespaces came with 1.2")}
	place := "stat -c '%a %F' /run/notify $NOTIFY_SOCKET; touch /run/notify/x 2>/dev/null || echo ro; say READY=1; "
	const placed = "755 directory\n777 socket\nro\n"
	run := func(user uint32, edit func(*specs.Spec)) func(*testing.T, comboCaller) {
		return func(t *testing.T, by comboCaller) {
			c, m := by.saying(t, place, asUser(user), edit)
			want(t, c.notified(m.name, "run", "--bundle", c.bundle, c.id).run(t), 0, is(placed), match{})
			if _, _, ok := m.find("READY=1"); !ok {
				t.Errorf("%q", m.lines())
			}
		}
	}
	start := func(user uint32) func(*testing.T, comboCaller) {
		return func(t *testing.T, by comboCaller) {
			c, m := by.saying(t, "say READY=1; sleep 300", asUser(user))
			c.notified(m.name, "create", "--bundle", c.bundle, c.id).run(t).must(t)
			want(t, c.exec(nil, "ls", "/run/notify"), 0, is(""), match{})
			r := c.notified(m.name, "start", c.id).start(t)
			r.wait(t).must(t)
			wantMain(t, c, m, r)
			c.delete("--force").must(t)
		}
	}
	runCombos(t, []comboScene{
		{name: "run", play: run(0, nil)},
		{name: "run as a user", many: true, play: run(1000, nil)},
		{name: "run in a time namespace", play: run(0, aDay), peers: noTime},
		{name: "run without a pid namespace", play: run(0, edits(without(specs.PIDNamespace), boundProc))},
		{name: "start", play: start(0)},
		{name: "start as a user", many: true, subIDs: foreignUser, play: start(1000)},
		{name: "start waits for a startContainer hook", play: notifyAndHooks, peers: peers{runc: differs("1.1 runs poststart at create")}},
	})
}

func asUser(id uint32) func(*specs.Spec) { return user(id, id) }

// saying is a container that talks to a manager, with a rootfs of container root's.
func (by comboCaller) saying(t *testing.T, sh string, list ...func(*specs.Spec)) (*container, *manager) {
	t.Helper()
	c := saying(t, sh)
	by.takes(c)
	if by.as.uid == 0 && os.Geteuid() == 0 {
		ownedByMapped(c)
	}
	by.config(c, append(list, script(sh))...)
	m := newManager(t, c.bundle+"/host.sock")
	openTo(t, m.name)
	return c, m
}

// notifyAndHooks: hooks of start come before READY=1 is waited for, and have no NOTIFY_SOCKET.
func notifyAndHooks(t *testing.T, by comboCaller) {
	c, m := by.saying(t, "say READY=1; sleep 300")
	by.config(c, script("say READY=1; sleep 300"), c.shared(),
		startContainer.set(startContainer.sh(c, "echo start x$NOTIFY_SOCKET >>@/out; ls /run/notify >>@/out")),
		poststart.set(poststart.sh(c, "echo post x$NOTIFY_SOCKET >>@/out")))
	c.notified(m.name, "create", "--bundle", c.bundle, c.id).run(t).must(t)
	os.WriteFile(c.bundle+"/shared/out", nil, 0o666)
	os.Chmod(c.bundle+"/shared/out", 0o666)
	c.notified(m.name, "start", c.id).run(t).must(t)
	c.wantOut("start x\nnotify.sock\npost x\n")
	if _, _, ok := m.find("READY=1"); !ok {
		t.Errorf("%q", m.lines())
	}
	c.delete("--force").must(t)
}

func TestComboPidfdSocket(t *testing.T) {
	old := peers{runc: differs("1.1 has no --pidfd-socket"), crun: differs("has no --pidfd-socket")}
	play := func(edit func(*specs.Spec)) func(*testing.T, comboCaller) {
		return func(t *testing.T, by comboCaller) {
			c := by.container(t, args("sleep", "300"), edit)
			socket := c.bundle + "/pidfd.sock"
			get := c.receiver(socket)
			openTo(t, socket)
			c.create("--pidfd-socket", socket, "--pid-file", c.bundle+"/pid").must(t)
			name, fd := get()
			if pid := pidOf(t, fd); name != "standard" || pid != c.wantStatus("created").Pid || pid != pidFile(t, c.bundle+"/pid") {
				t.Errorf("%q, pid %d", name, pid)
			}
			c.start().must(t)
			c.exec([]string{"--detach", "--pidfd-socket", socket, "--pid-file", c.bundle + "/execpid"}, "sleep", "300").must(t)
			name, execFD := get()
			if pid := pidOf(t, execFD); name != "setns" || pid != pidFile(t, c.bundle+"/execpid") {
				t.Errorf("exec: %q, pid %d", name, pid)
			}
			if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
				t.Error(err)
			}
			c.untilStatus("stopped")
			c.delete().must(t)
		}
	}
	runCombos(t, []comboScene{
		{name: "as it is", play: play(nil), peers: old},
		{name: "time namespace", play: play(aDay), peers: old},
		{name: "hooks", play: play(idleHooks), peers: old},
	})
}
