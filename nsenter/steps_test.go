package nsenter

import (
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// effect is a step that works: what the kernel shows of it while the init waits.
type effect struct {
	name  string
	steps func(*world)
	want  func(*testing.T, *probe)
}

// refusal is a step that fails: the first one of its kind and of this errno.
type refusal struct {
	name  string
	steps func(*world)
	want  failure
}

// output is a plan whose workload shows what the steps left: a shell runs the text.
type output struct {
	name   string
	steps  func(*world)
	script string
	want   string
}

func effects() []effect {
	return slices.Concat(mountEffects(), copyEffects(), copyEffects(), fileEffects(), hideEffects(), processEffects(), terminalEffects())
}

func refusals() []refusal {
	return slices.Concat(mountRefusals(), copyRefusals(), copyRefusals(), processRefusals(), findRefusals(), terminalRefusals())
}

func TestStepEffects(t *testing.T) {
	needRoot(t)
	for _, r := range effects() {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.enclosed()
			r.steps(w)
			w.stop()
			w.Exec("")
			p := w.run()
			p.called()
			r.want(t, p)
		})
	}
}

func TestStepRefusals(t *testing.T) {
	needRoot(t)
	for _, r := range refusals() {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.enclosed()
			r.steps(w)
			w.stop()
			got, fd := w.run().failed()
			equal(t, "failure", got, r.want)
			if fd >= 0 {
				unix.Close(fd)
			}
		})
	}
}

func TestStepOutputs(t *testing.T) {
	needRoot(t)
	for _, r := range outputs() {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.enclosed()
			r.steps(w)
			equal(t, "output", w.shell(r.script), r.want)
		})
	}
}

// shell ends the plan with a shell, and gives what it writes.
func (w *world) shell(script string) string {
	w.t.Helper()
	w.args = []string{"/bin/sh", "-c", script}
	w.Find("", "/bin/sh")
	w.Exec("/bin/sh")
	return w.output()
}

// output runs the plan to the end of its workload.
func (w *world) output() string {
	w.t.Helper()
	r, out, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Close()
	w.stdio[1], w.stdio[2] = int(out.Fd()), int(out.Fd())
	p := w.run()
	out.Close()
	p.executed()
	p.wait()
	buf := make([]byte, 64<<10)
	n, _ := r.Read(buf)
	return string(buf[:n])
}

// TestEveryKind: a new kind of step needs a row of each sort, or a reason here.
func TestEveryKind(t *testing.T) {
	needRoot(t)
	works, fails := map[plan.Kind]bool{plan.KindCall: true, plan.KindExec: true, plan.KindWait: true, plan.KindFind: true,
		plan.KindFork: true, plan.KindNext: true, plan.KindRenew: true, plan.KindTree: true, plan.KindJoin: true, // steps_fork_test.go
	}, map[plan.Kind]bool{
		plan.KindCall:       true, // no answer ends the init: TestEndOfFile
		plan.KindExec:       true, // TestExecRefusals
		plan.KindWait:       true, // TestWait
		plan.KindTree:       true, // TestTree
		plan.KindJoin:       true, // TestJoin
		plan.KindNext:       true, // TestNextOrphan
		plan.KindRenew:      true, // no execve of /proc/self/exe fails that succeeded before
		plan.KindClose:      true, // closing cannot fail
		plan.KindUmask:      true, // umask(2) always succeeds
		plan.KindSetsid:     true, // EPERM means that there is nothing to do
		plan.KindOwnStdio:   true, // only what cannot happen to an open fd is an error
		plan.KindHostname:   true, // the validator bounds it, and the namespace is ours
		plan.KindDomainname: true,
		plan.KindGid:        true, // the validator bounds it
	}
	for _, r := range effects() {
		collect(t, r.steps, works)
	}
	for _, r := range outputs() {
		collect(t, r.steps, works)
	}
	for _, r := range refusals() {
		fails[r.want.kind] = true
	}
	for k := plan.KindNone + 1; k.String() != "unknown"; k++ {
		if !works[k] {
			t.Errorf("no row shows the effect of %s", k)
		}
		if !fails[k] {
			t.Errorf("no row shows a failure of %s", k)
		}
	}
}

func collect(t *testing.T, steps func(*world), kinds map[plan.Kind]bool) {
	w := newWorld(t)
	w.enclosed()
	steps(w)
	for _, s := range w.Plan.Init {
		kinds[s.Kind] = true
	}
}
