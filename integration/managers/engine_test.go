//go:build managers

package managers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// deadline bounds every command: a manager that hangs fails its row, not the whole run.
const deadline = 60 * time.Second

// manager is one that people use, as it is brought up here, and what is tried with it.
type manager struct {
	name  string
	needs []string // programs; make deps-managers installs them
	open  func(t *testing.T, e *engine)
	rows  []row
	lacks []lack
}

// lack is a row that a manager, or the machine under it, cannot do. The table says why.
type lack struct{ row, reason string }

// row is one thing that users of a manager do. It runs with runc first and with rt second, in
// an engine that the rows before it have used.
type row struct {
	name string
	run  func(*testing.T, *engine)
}

// engine is a manager at work with one runtime.
type engine struct {
	runtime string   // "runc" or "rt"
	bin     string   // its path
	dir     string   // for what the manager keeps; gone after the engine
	cli     []string // the command line, up to the subcommand
	env     []string // all of the environment
	image   string   // name of the image that open has loaded
	logs    []string // files that the manager logs to
	said    bytes.Buffer
	count   atomic.Int64
	dialect
	hear sync.Mutex // said, when the command line is what speaks
}

// dialect is what one manager's command line has otherwise than another's. Rows read it.
type dialect struct {
	flags  []string // of run, create and pod create, for each container
	listen bool     // the command line itself logs, to its stderr
	health []string // runs a container's health check now; without it the manager does so by itself
	owner  int      // uid that the command line runs with
	pids   string   // flag of update for the limit of processes; "" if there is none
}

// fresh is a name for a container that no other one has, nor had.
func (e *engine) fresh() string {
	return fmt.Sprintf("%s-%s-%d", it.prefix, e.runtime, e.count.Add(1))
}

// did is how a command ended.
type did struct {
	command        string
	stdout, stderr string
	code           int
	err            error // it could not be started, or did not end
}

// do runs the manager's command line with args.
func (e *engine) do(args ...string) did { return e.with(nil, args...) }

// with is do with a standard input.
func (e *engine) with(stdin io.Reader, args ...string) did {
	argv := append(append([]string{}, e.cli...), args...)
	d := command(e.env, stdin, argv...)
	if e.listen {
		e.hear.Lock()
		defer e.hear.Unlock()
		e.said.WriteString(d.stderr)
	}
	return d
}

// command runs argv to its end, with env as all of its environment.
func command(env []string, stdin io.Reader, argv ...string) did {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Stdin, cmd.Dir = env, stdin, it.base // not the source: monitors leave files in it
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	d := did{command: strings.Join(argv, " "), stdout: out.String(), stderr: errs.String()}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		d.err = fmt.Errorf("not done after %v", deadline)
	case errors.As(err, &exit) && exit.Exited():
		d.code = exit.ExitCode()
	case err != nil:
		d.err = err
	}
	return d
}

// must fails the row unless the command exited with 0. It gives stdout without the newline
// at its end.
func (d did) must(t *testing.T) string {
	t.Helper()
	return d.exits(t, 0)
}

// exits fails the row unless the command exited with code.
func (d did) exits(t *testing.T, code int) string {
	t.Helper()
	if d.err != nil || d.code != code {
		t.Fatalf("%s: exit %d (%v), want %d\nstdout: %s\nstderr: %s", d.command, d.code, d.err, code, d.stdout, d.stderr)
	}
	return strings.TrimSuffix(d.stdout, "\n")
}

// says fails the row unless one of the two outputs has one of the texts in it.
func (d did) says(t *testing.T, texts ...string) did {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(d.stdout+d.stderr, text) {
			return d
		}
	}
	t.Errorf("%s: does not say %q\nstdout: %s\nstderr: %s", d.command, texts, d.stdout, d.stderr)
	return d
}

// eventually asks until the answer is yes, or fails the row after limit with the last answer.
func eventually(t *testing.T, limit time.Duration, what string, ask func() (string, bool)) {
	t.Helper()
	var last string
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		answer, yes := ask()
		if yes {
			return
		}
		last = answer
	}
	t.Fatalf("%s: not within %v; last: %s", what, limit, last)
}

// equal fails the row unless got is want.
func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// save writes a file of the engine's directory and gives its path.
func (e *engine) save(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := e.dir + "/" + name
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}
