package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestComboHooks(t *testing.T) {
	noTime := peers{runc: differs("time namespaces came with 1.2")}
	scenes := []comboScene{
		{name: "kill -9 of the runtime", play: hooksKilled, peers: peers{runc: differs("hooks outlive it"), crun: rtOnly}},
		{name: "startContainer is another user", many: true, play: func(t *testing.T, by comboCaller) { comboRights(t, by, user(1000, 1000)) }},
		{name: "startContainer without no_new_privs", many: true, play: func(t *testing.T, by comboCaller) {
			comboRights(t, by, edits(user(1000, 1000), noNewPrivs(false)))
		}},
		{name: "startContainer is root", play: func(t *testing.T, by comboCaller) { comboRights(t, by, func(*specs.Spec) {}) }},
	}
	for _, k := range hookKinds {
		p := peers{}
		if k.name == "poststart" {
			p = peers{runc: differs("1.1 runs poststart at create")}
		}
		sees := func(edit func(*specs.Spec)) func(*testing.T, comboCaller) {
			return func(t *testing.T, by comboCaller) { k.sees(t, by, edit) }
		}
		fails := func(t *testing.T, by comboCaller) {
			k.fails(t, by, "echo out; echo err >/dev/stderr; exit 3", nil, `exit status 3 after .*, output "out\\+nerr"`)
		}
		late := func(t *testing.T, by comboCaller) {
			k.fails(t, by, "echo begun; sleep 100 & sleep 100", ptr(1), `within its timeout of 1s, output "begun"`)
		}
		scenes = append(scenes,
			comboScene{name: k.name, play: sees(func(*specs.Spec) {}), peers: p},
			comboScene{name: k.name + " and a time namespace", play: sees(aDay), peers: noTime},
			comboScene{name: k.name + " and a cgroup namespace", play: sees(edits(without(specs.CgroupNamespace), addNamespace(specs.CgroupNamespace, ""))), peers: p},
			comboScene{name: k.name + " and no pid namespace", play: sees(edits(without(specs.PIDNamespace), boundProc)), peers: p},
			comboScene{name: k.name + " fails", play: fails, peers: peers{runc: rtOnly, crun: rtOnly}},
			comboScene{name: k.name + " and a terminal", play: k.besideTerminal, peers: peers{runc: differs("1.1 runs poststart at create")}},
		)
		if k.inside || k.name == "poststop" {
			scenes = append(scenes, comboScene{name: k.name + " takes too long", play: late, peers: peers{runc: rtOnly, crun: rtOnly}})
		}
	}
	runCombos(t, scenes)
}

// sees checks what a hook finds itself to be, and that it can open its streams again.
func (k hookKind) sees(t *testing.T, by comboCaller, edit func(*specs.Spec)) {
	c := by.container(t)
	look := "cat >@/state; { " + tellFacts + "; cat /proc/self/timens_offsets; pwd; } >@/out; echo x >/dev/stdout && echo y >/dev/stderr && echo yes >@/streams"
	by.config(c, args("sleep", "300"), c.shared(), edit, k.set(k.sh(c, look)))
	var init facts
	c.life(func(pid int) { init = factsOf(fmt.Sprint(pid)) })
	k.checkSeen(t, by, init, readFacts(c.sharedFile("out")))
	if got := c.sharedFile("streams"); got != "yes\n" {
		t.Error("its streams cannot be opened")
	}
	if got := c.sharedFile("state"); !strings.Contains(got, `"id":"`+c.id+`"`) {
		t.Errorf("state %q", got)
	}
}

func (k hookKind) checkSeen(t *testing.T, by comboCaller, init, got facts) {
	t.Helper()
	whose, expect := factsOf("self"), facts{"Uid": quadruple(by.uid())}
	if k.inside {
		whose, expect = init, facts{"Uid": "0 0 0 0", "Gid": "0 0 0 0", "CapEff": "000001ffffffffff", "NoNewPrivs": "0"}
	}
	if k.image {
		expect["CapEff"], expect["CapBnd"], expect["NoNewPrivs"] = "0000000020000420", "0000000020000420", "1"
	}
	for _, n := range nsKinds {
		expect["ns/"+n.file] = whose["ns/"+n.file]
	}
	for _, name := range []string{"uid_map", "gid_map", "setgroups"} {
		expect[name] = whose[name]
	}
	got.check(t, expect)
}

// fails: what was made is gone, the error is told, and the poststop hooks have run.
func (k hookKind) fails(t *testing.T, by comboCaller, text string, timeout *int, says string) {
	c := by.container(t)
	hook := k.sh(c, text)
	hook.Timeout = timeout
	list, code := edits(k.set(hook), poststop.set(poststop.sh(c, "echo poststop >>@/out"))), 1
	if k.by == "delete" {
		list, code = k.set(hook, poststop.sh(c, "echo poststop >>@/out")), 0
	}
	by.config(c, args("sleep", "300"), c.shared(), list)
	begin := time.Now()
	want(t, c.until(k, false), code, is(""), like(k.name+` hook 0 /bin/sh: .*`+says))
	if d := time.Since(begin); d > patient(4*time.Second) {
		t.Errorf("took %v", d)
	}
	c.wantOut("poststop\n")
	if left := c.records(); len(left) > 0 {
		t.Errorf("left: %v", left)
		c.delete("--force")
	}
	if anybody("sleep 100") {
		t.Error("what the hook started lives on")
	}
}

// besideTerminal: a hook has rt's pipe, never the container's terminal.
func (k hookKind) besideTerminal(t *testing.T, by comboCaller) {
	c := by.container(t)
	hook := k.sh(c, "test -t 0 -o -t 1 -o -t 2 && echo tty >@/out; { echo x >/dev/tty; } 2>/dev/null && echo controlling >>@/out; echo run >>@/out")
	by.config(c, terminal, script("stty size; echo done; sleep 300"), c.shared(), k.set(hook))
	socket, master := c.console()
	openTo(t, socket)
	c.create("--console-socket", socket).must(t)
	f := master()
	c.start().must(t)
	if got := readTTY(f); got != "33 99\r\ndone\r\n" {
		t.Errorf("%q", got)
	}
	c.delete("--force").must(t)
	c.wantOut("run\n")
}

// hooksKilled: hooks die with the runtime, whoever they have become.
func hooksKilled(t *testing.T, by comboCaller) {
	for _, k := range hookKinds {
		c := by.container(t)
		by.config(c, args("sleep", "300"), user(by.user(), by.user()), c.shared(), k.set(k.sh(c, "[ -e @/in ] && exit; touch @/in; exec sleep 1000")))
		r := c.hold(k, false)
		r.cmd.Process.Signal(unix.SIGKILL)
		r.wait(t)
		until(t, k.name+": no hook", func() bool { return !anybody("sleep 1000") })
		c.delete("--force").must(t)
	}
}

// comboRights compares what the kernel says of a startContainer hook with what it says of the
// workload and of an exec.
func comboRights(t *testing.T, by comboCaller, edit func(*specs.Spec)) {
	c := by.container(t)
	look := "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/self/status; ulimit -n; umask; readlink /proc/self/cwd"
	filter := seccomp(specs.ActAllow, specs.ActErrno, "mkdir mkdirat")
	by.config(c, script(look+"; sleep 300"), c.shared(), filter, edit, startContainer.set(startContainer.sh(c, "{ "+look+"; } >@/out")))
	made := c.command("create", "--bundle", c.bundle, c.id).start(t)
	<-made.done
	c.start().must(t)
	until(t, "the workload's words", func() bool { return strings.HasSuffix(made.printed(), "/\n") })
	c.wantOut(made.printed())
	want(t, c.sh(look), 0, is(made.printed()), match{})
	if !strings.Contains(made.printed(), "Seccomp:\t2\n") {
		t.Errorf("no filter: %s", made.printed())
	}
	c.delete("--force").must(t)
}
