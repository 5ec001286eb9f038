package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// hookFailure is a hook that does not do well, in any place that a hook may have.
type hookFailure struct {
	name string
	hook func(*container, hookKind) specs.Hook
	says match
	runc match
}

func hookFailures() []hookFailure {
	sh := func(text string) func(*container, hookKind) specs.Hook {
		return func(c *container, k hookKind) specs.Hook { return k.sh(c, text) }
	}
	path := func(p string) func(*container, hookKind) specs.Hook {
		return func(*container, hookKind) specs.Hook { return specs.Hook{Path: p} }
	}
	slow := func(text string) func(*container, hookKind) specs.Hook {
		return func(c *container, k hookKind) specs.Hook {
			h := k.sh(c, text)
			h.Timeout = ptr(1)
			return h
		}
	}
	return []hookFailure{
		{"exit status and output", sh("echo one; echo two >&2; exit 3"), like(`exit status 3 after \d.*, output "one\\+ntwo"`), has("exit status 3")},
		{"a signal", sh("kill -TERM $$; sleep 10"), has("killed by SIGTERM"), has("signal: terminated")},
		{"missing", path("/nosuch"), has("no such file or directory"), has("no such file or directory")},
		{"not executable", path("/etc/passwd"), has("permission denied"), has("permission denied")},
		{"no interpreter", path("/mnt/program"), has("no such file or directory"), has("no such file or directory")},
		{"time-out", slow("echo begun; exec sleep 100"), like(`within its timeout of 1s, output "begun"`), has("ran past specified timeout of 1.0s")},
		{"time-out of what it started", slow("sleep 100 & sleep 100 & wait"), has("within its timeout of 1s"), match{}},
		{"time-out of a hook that talks all the time", slow("exec yes"), has("within its timeout of 1s"), has("ran past")},
		{"much output", sh("head -c 3000000 /dev/zero | tr '\\0' x; echo end; exit 1"), like(`output "x{900}x*end"`), match{}},
		{"terminal sequences", sh("printf '\\033[31m\\a'; exit 1"), like(`output "\\+x1b\[31m\\+a"`), match{}},
	}
}

// TestHookFailures: up to poststart the container is gone, and its poststop hooks have run.
func TestHookFailures(t *testing.T) {
	for _, f := range hookFailures() {
		for _, k := range hookKinds {
			for _, run := range []bool{false, true} {
				if run && strings.HasPrefix(f.name, "time-out") { // a second each
					continue
				}
				t.Run(fmt.Sprintf("%s/%s, run %v", f.name, k.name, run), func(t *testing.T) {
					needBinary(t, f.verdict(k, run))
					watch(t)
					f.play(t, k, run)
				})
			}
		}
	}
}

func (f hookFailure) verdict(k hookKind, run bool) peers {
	switch {
	case f.name == "time-out of what it started":
		return peers{runc: differs("leaves what the hook started, and waits for it")}
	case f.name == "much output" || strings.HasSuffix(f.name, "all the time"):
		return peers{runc: differs("keeps and shows all of it")}
	case k.by == "delete":
		return peers{runc: differs("1.1 stops at the first poststop hook that fails")}
	case k.name == "poststart" && !run:
		return peers{runc: differs("1.1 runs poststart at create")}
	case k.image:
		return peers{runc: differs("1.1: start succeeds, and the container stays, stopped")}
	}
	return peers{}
}

func (f hookFailure) play(t *testing.T, k hookKind, run bool) {
	c := newContainer(t)
	note := func(text string) specs.Hook { return hookKinds[5].sh(c, "cat /dev/null; echo "+text+" >>@/out") }
	edit := edits(k.set(f.hook(c, k), k.sh(c, "echo second >>@/out")), hookKinds[5].set(note("poststop")))
	if k.by == "delete" {
		edit = k.set(note("first"), f.hook(c, k), note("poststop"))
	}
	c.config(args("sleep", "300"), c.shared(), edit)
	c.program(k, "#!/nosuch\n")
	begin := time.Now()
	r := c.until(k, run)
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
	f.check(c, k, r)
}

// until runs the commands up to the one that runs hooks of the kind.
func (c *container) until(k hookKind, run bool) result {
	c.t.Helper()
	if run {
		r := c.run("--detach")
		if k.by == "delete" {
			r = c.delete("--force")
		}
		return r
	}
	r := c.create()
	if k.by == "start" {
		r = c.start()
	}
	if k.by == "delete" {
		r = c.delete("--force")
	}
	return r
}

func (f hookFailure) check(c *container, k hookKind, r result) {
	c.t.Helper()
	says, code, log, i := f.says, 1, "poststop\n", "0"
	if it.kind == "runc" {
		says = f.runc
	}
	if k.by == "delete" {
		code, log, i = 0, "first\npoststop\n", "1"
	}
	want(c.t, r, code, is(""), says)
	if it.kind == "rt" {
		want(c.t, r, code, is(""), like(k.name+" hook "+i+" /.*"))
		want(c.t, r, code, is(""), has("(config.json: /hooks/"+k.name+"/"+i+")"))
	}
	if n := len(r.stderr); n > 4000 {
		c.t.Errorf("%d bytes of message", n)
	}
	if got := c.sharedFile("out"); got != log {
		c.t.Errorf("hooks: %q, should be %q", got, log)
	}
	if left := c.records(); len(left) > 0 {
		c.t.Errorf("left: %v", left)
		c.delete("--force")
	}
}

// TestHookOrder: the listed order, and the order of the kinds.
func TestHookOrder(t *testing.T) {
	needBinary(t, peers{})
	watch(t)
	c := newContainer(t)
	edit := []func(*specs.Spec){args("sleep", "300"), c.shared()}
	for _, k := range hookKinds {
		edit = append(edit, k.set(k.sh(c, "echo "+k.name+" 1 >>@/out"), k.sh(c, "echo "+k.name+" 2 >>@/out")))
	}
	c.config(edit...)
	c.life(func(int) {})
	var all strings.Builder
	for _, k := range hookKinds {
		fmt.Fprintf(&all, "%s 1\n%s 2\n", k.name, k.name)
	}
	want := all.String()
	if it.kind == "runc" { // 1.1 runs poststart at create
		want = strings.NewReplacer("poststart 1\npoststart 2\n", "", "startContainer 1", "poststart 1\npoststart 2\nstartContainer 1").Replace(want)
	}
	if got := c.sharedFile("out"); got != want {
		t.Errorf("%s\nshould be\n%s", got, want)
	}
}

// hang is a hook that would never end, and has children that would not either.
func (k hookKind) hang(c *container) specs.Hook {
	return k.sh(c, "touch @/in; sleep 1000 & sleep 1000; true")
}

// TestHookHangs: delete --force ends the command, the hook and the container.
func TestHookHangs(t *testing.T) {
	for _, k := range hookKinds {
		for _, run := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, run %v", k.name, run), func(t *testing.T) {
				needBinary(t, peers{runc: rtOnly, crun: rtOnly})
				watch(t)
				c := newContainer(t)
				last := hookKinds[5].sh(c, "echo poststop >>@/out")
				list := edits(k.set(k.hang(c)), hookKinds[5].set(last))
				if k.by == "delete" {
					list = k.set(k.hang(c), last)
				}
				c.config(args("sleep", "300"), c.shared(), list)
				r := c.hold(k, run)
				begin := time.Now()
				c.delete("--force").must(t)
				if d := time.Since(begin); d > 8*time.Second {
					t.Errorf("delete took %v", d)
				}
				if r := r.wait(t); k.by != "delete" && r.code == 0 || !strings.Contains(r.stderr, k.name+" hook 0") {
					t.Error(r)
				}
				if got := c.sharedFile("out"); got != "poststop\n" {
					t.Errorf("%q", got)
				}
			})
		}
	}
}

// TestHookSignals: TERM ends the hook and takes everything back; KILL leaves it to delete.
func TestHookSignals(t *testing.T) {
	for _, k := range hookKinds {
		for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGKILL} {
			t.Run(k.name+"/"+unix.SignalName(signal), func(t *testing.T) {
				needBinary(t, peers{runc: differs("hooks outlive it"), crun: rtOnly})
				watch(t)
				k.signalled(t, signal)
			})
		}
	}
}

func (k hookKind) signalled(t *testing.T, signal unix.Signal) {
	c := newContainer(t)
	hook := k.sh(c, "[ -e @/in ] && exit; echo $$ >@/pid; touch @/in; exec sleep 1000")
	c.config(args("sleep", "300"), c.shared(), k.set(hook))
	r := c.hold(k, false)
	begin := time.Now()
	r.cmd.Process.Signal(signal)
	got := r.wait(t)
	if d := time.Since(begin); d > 3*time.Second {
		t.Errorf("took %v", d)
	}
	if signal == unix.SIGKILL {
		until(t, "no hook", func() bool { return !anybody("sleep 1000") })
		c.delete("--force").must(t)
		return
	}
	if name := unix.SignalName(signal); (got.code == 0) != (k.by == "delete") || !strings.Contains(got.stderr, name) {
		t.Errorf("%v\nshould name %s", got, name)
	}
	if left := c.records(); len(left) > 0 {
		t.Errorf("left: %v", left)
		c.delete("--force")
	}
}

// anybody tells whether a process has that command line.
func anybody(line string) bool {
	for _, p := range processes() {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
		if strings.ReplaceAll(strings.TrimSuffix(string(b), "\x00"), "\x00", " ") == line {
			return true
		}
	}
	return false
}
