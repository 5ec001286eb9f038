package nsenter

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// TestEarly: namespaces that are made before the plan comes are the plan's first unshare,
// and its failure, too. Another unshare is made in addition.
func TestEarly(t *testing.T) {
	needRoot(t)
	const both = unix.CLONE_NEWUTS | unix.CLONE_NEWIPC
	for _, r := range []struct {
		name        string
		early       uint64
		plan        []uint64
		uts, uts2   string // new after the start, and then new once more
		wantFailure unix.Errno
	}{
		{"none", 0, []uint64{both}, "old", "new", 0},
		{"the plan's", both, []uint64{both}, "new", "kept", 0},
		{"the plan's, and once more", both, []uint64{both, both}, "new", "new", 0},
		{"others", unix.CLONE_NEWUTS, []uint64{both}, "new", "new", 0},
		{"refused", 1 << 40, []uint64{1 << 40}, "old", "", unix.EINVAL},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			for _, flags := range r.plan {
				w.Unshare(flags)
			}
			w.stop()
			w.Plan.Args = w.args
			p := w.start(Start{Unshare: r.early})
			before := p.asleep("uts", r.early&both != 0)
			own, _ := os.Readlink("/proc/self/ns/uts")
			equal(t, "a new one before the plan", word(before != own, "new", "old"), r.uts)
			p.Do(&w.Plan, nil, 0)
			if r.wantFailure != 0 {
				got, _ := p.failed()
				equal(t, "failure", got, failure{plan.KindUnshare, r.wantFailure, 0})
				return
			}
			p.called()
			after, _ := os.Readlink(p.path("ns/uts"))
			equal(t, "a new one by the plan", word(before != after, "new", "kept"), r.uts2)
		})
	}
}

func word(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// asleep waits until the init waits for its plan, and gives its namespace of that name.
// An early one comes while nobody says so.
func (p *probe) asleep(ns string, fresh bool) string {
	own, _ := os.Readlink("/proc/self/ns/" + ns)
	for range 500 {
		theirs, _ := os.Readlink(p.path("ns/" + ns))
		if p.status("Name") == "rt-init" && p.status("State")[0] == 'S' && (theirs != own) == fresh {
			return theirs
		}
		unix.Poll(nil, 10)
	}
	p.t.Fatal("the init does not wait for its plan")
	return ""
}

// TestNoPlan: what is not a plan ends the init.
func TestNoPlan(t *testing.T) {
	needRoot(t)
	good := encoded(t)
	verb := plan.Message{Verb: plan.PlanVerb}.Append(nil)
	for _, r := range []struct {
		name    string
		message []byte
		files   []string
	}{
		{"empty", nil, []string{good}},
		{"short", verb[:8], []string{good}},
		{"another verb", plan.Message{Verb: plan.Done}.Append(nil), []string{good}},
		{"no plan with it", verb, nil},
		{"an empty plan", verb, []string{""}},
		{"a plan cut short", verb, []string{good[:len(good)-1]}},
		{"half a header", verb, []string{good[:50]}},
		{"no magic", verb, []string{"x" + good[1:]}},
		{"more fds than slots", verb, make([]string, 9)},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			p := w.start(Start{})
			var fds []int
			for _, content := range r.files {
				fds = append(fds, w.memfd(content))
			}
			var rights []byte
			if len(fds) > 0 {
				rights = unix.UnixRights(fds...)
			}
			if err := unix.Sendmsg(p.Socket(), r.message, rights, nil, unix.MSG_NOSIGNAL); err != nil {
				t.Fatal(err)
			}
			equal(t, "exit status", p.wait().ExitStatus(), 125)
		})
	}
}

// encoded is a plan that the init takes; it ends at once.
func encoded(t *testing.T) string {
	t.Helper()
	b := &plan.Builder{Plan: plan.Plan{Args: []string{"x"}}}
	b.Exec("x")
	raw, err := b.Plan.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	p := w.start(Start{})
	err = unix.Sendmsg(p.Socket(), plan.Message{Verb: plan.PlanVerb}.Append(nil), unix.UnixRights(w.memfd(string(raw))), nil, 0)
	equal(t, "error", err, nil)
	equal(t, "exit status with the good plan", p.wait().ExitStatus(), 1)
	return string(raw)
}

// TestBeforePlan: the parent's end, or a signal, ends an init that has no plan yet.
func TestBeforePlan(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	p := w.start(Start{})
	p.Close()
	equal(t, "exit status after the end of file", p.wait().ExitStatus(), 125)
	p = w.start(Start{Namespaces: unix.CLONE_NEWPID})
	p.asleep("uts", false)
	unix.PidfdSendSignal(p.Pidfd, unix.SIGTERM, nil, 0)
	equal(t, "exit status after a signal", p.wait().ExitStatus(), 128+15)
}

// TestBigPlan: thousands of steps and a megabyte of environment reach the workload.
func TestBigPlan(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	for i := range 5000 {
		w.Number(plan.KindUmask, uint64(i%0o777))
	}
	for i := range 10000 {
		w.env = append(w.env, fmt.Sprintf("NAME%d=%0100d", i, i))
	}
	equal(t, "output", w.shell("tr '\\0' '\\n' </proc/$$/environ | grep -c NAME; umask"), fmt.Sprintf("10000\n%04o\n", 4999%0o777))
}

// TestForkFails: an init that cannot be started leaves no process and no fd.
func TestForkFails(t *testing.T) {
	w := newWorld(t)
	program, err := image()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(program)
	for _, r := range []struct {
		name    string
		start   Start
		program int
		want    unix.Errno
	}{
		{"not a program", Start{}, w.memfd("nonsense"), unix.ENOEXEC},
		{"flags that do not go together", Start{Namespaces: unix.CLONE_THREAD}, program, unix.EINVAL},
		{"more fds to keep than a process can have", Start{Preserve: 1 << 30}, program, unix.EINVAL},
	} {
		t.Run(r.name, func(t *testing.T) {
			before, _ := os.ReadDir("/proc/self/fd")
			c := &Child{}
			err := c.fork(r.start, r.program, w.stdio[0])
			equal(t, "errno", errors.Is(err, r.want), true)
			if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
				t.Errorf("there is a child: %d, %v", pid, err)
			}
			after, _ := os.ReadDir("/proc/self/fd")
			equal(t, "open fds", len(after), len(before))
		})
	}
}
