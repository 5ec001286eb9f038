package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"reflect"
	"testing"

	"rt/internal/plan"
	"rt/libcontainer"
)

// call is a method of lifecycle and its arguments.
type call struct {
	method string
	args   []any
}

// recorder is a lifecycle that keeps what it is asked and answers as it is told.
type recorder struct {
	root   libcontainer.Root
	calls  []call
	warn   []string
	err    error
	code   int
	state  libcontainer.State
	states []libcontainer.State
	pids   []int
	lines  []plan.Line

	changes []libcontainer.Change
	events  []libcontainer.Event
}

func (r *recorder) note(method string, args ...any) error {
	r.calls = append(r.calls, call{method, args})
	for _, w := range r.warn {
		r.root.Warn(w)
	}
	return r.err
}

func (r *recorder) Create(o libcontainer.CreateOptions) error  { return r.note("Create", o) }
func (r *recorder) Run(o libcontainer.RunOptions) (int, error) { return r.code, r.note("Run", o) }
func (r *recorder) Start(id string) error                      { return r.note("Start", id) }
func (r *recorder) Delete(id string, force bool) error         { return r.note("Delete", id, force) }
func (r *recorder) Kill(id string, signal int, all bool) error {
	return r.note("Kill", id, signal, all)
}
func (r *recorder) State(id string) (libcontainer.State, error) { return r.state, r.note("State", id) }
func (r *recorder) List() ([]libcontainer.State, error)         { return r.states, r.note("List") }
func (r *recorder) Processes(id string) ([]int, error)          { return r.pids, r.note("Processes", id) }
func (r *recorder) Pause(id string) error                       { return r.note("Pause", id) }
func (r *recorder) Resume(id string) error                      { return r.note("Resume", id) }
func (r *recorder) Exec(id string, o libcontainer.ExecOptions) (int, error) {
	return r.code, r.note("Exec", id, o)
}

func (r *recorder) Update(id string, o libcontainer.UpdateOptions) ([]libcontainer.Change, error) {
	return r.changes, r.note("Update", id, o)
}

func (r *recorder) Events(id string, o libcontainer.EventsOptions, emit func(libcontainer.Event) error) error {
	for _, e := range r.events {
		if err := emit(e); err != nil {
			return err
		}
	}
	return r.note("Events", id, o)
}

func (r *recorder) Plan(bundle, id string) ([]plan.Line, error) {
	return r.lines, r.note("Plan", bundle, id)
}

func (r *recorder) open(root libcontainer.Root) lifecycle {
	r.root = root
	return r
}

// result is what a command line leaves behind.
type result struct {
	code           int
	stdout, stderr string
}

// rt runs a command line against r, as root of the host.
func (r *recorder) rt(args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(append([]string{"rt"}, args...), world{
		stdout: &stdout,
		stderr: &stderr,
		open:   r.open,
		caller: func() (caller, error) { return caller{}, nil },
	})
	return result{code, stdout.String(), stderr.String()}
}

// TestMain makes the test program rt itself when process starts it.
func TestMain(m *testing.M) {
	if os.Getenv("CLI_TEST_MAIN") != "" {
		os.Exit(Main(os.Args))
	}
	os.Exit(m.Run())
}

// process runs a command line in a process of its own, with libcontainer behind it.
func process(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), "CLI_TEST_MAIN=1")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// only gives the single recorded call.
func (r *recorder) only(t *testing.T) call {
	t.Helper()
	if len(r.calls) != 1 {
		t.Fatalf("%d calls, want 1: %+v", len(r.calls), r.calls)
	}
	return r.calls[0]
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %#v\nwant %#v", what, got, want)
	}
}

var errBoom = errors.New("boom")
