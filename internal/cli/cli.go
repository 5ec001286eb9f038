// Package cli is the command line of rt: it parses, calls libcontainer, and turns the
// result into output, one log record and an exit code. One file per command.
package cli

import (
	"errors"
	"io"
	"os"
	"time"

	"rt/internal/plan"
	"rt/libcontainer"
)

// The exit codes of rt's own failures. A workload's own code is passed on by run and exec.
const (
	exitFailure = 1
	exitUnknown = 3   // no such command, as runc has it
	exitExec    = 255 // exec: 1 could be the workload's own
)

// lifecycle is what the commands call: libcontainer.Root, or a recorder in tests.
type lifecycle interface {
	Create(libcontainer.CreateOptions) error
	Run(libcontainer.RunOptions) (int, error)
	Start(id string) error
	Exec(id string, o libcontainer.ExecOptions) (int, error)
	Kill(id string, signal int, all bool) error
	Delete(id string, force bool) error
	State(id string) (libcontainer.State, error)
	List() ([]libcontainer.State, error)
	Processes(id string) ([]int, error)
	Pause(id string) error
	Resume(id string) error
	Update(id string, o libcontainer.UpdateOptions) ([]libcontainer.Change, error)
	Events(id string, o libcontainer.EventsOptions, emit func(libcontainer.Event) error) error
	Plan(bundle, id string) ([]plan.Line, error)
}

// world is what a command line meets outside itself.
type world struct {
	stdout, stderr io.Writer
	open           func(libcontainer.Root) lifecycle
	caller         func() (caller, error) // asked only when the flags leave something open
}

// session is one invocation. before fills in root, life and log from the global flags.
type session struct {
	world
	globals
	args  []string
	table []entry // commands, which a command itself cannot refer to
	name  string  // the command's; "" until the global flags are parsed
	log   *logger
	root  libcontainer.Root
	life  lifecycle
	code  int // the workload's exit code
}

// exitError is an error whose exit code is not exitFailure.
type exitError struct {
	code int
	error
}

func (e exitError) Unwrap() error { return e.error }

// Main runs the command line args (args[0] is the program) and returns the exit code.
func Main(args []string) int {
	open := func(r libcontainer.Root) lifecycle { return r }
	return run(args, world{os.Stdout, os.Stderr, open, self})
}

func run(args []string, w world) int {
	s := &session{world: w, args: args, table: commands, log: newLogger(w.stderr)}
	return s.finish(s.dispatch())
}

// before carries out the global flags, once they are parsed.
func (s *session) before() error {
	if err := s.globals.check(); err != nil {
		return err
	}
	if err := s.log.open(s.globals); err != nil {
		return err
	}
	root, err := s.globals.stateRoot(s.caller)
	if err != nil {
		return err
	}
	root.Warn = s.log.warn
	s.root = root
	s.life = s.open(s.root)
	s.log.debug("command line " + commandLine(s.args))
	s.log.debug("root " + s.root.Dir)
	return nil
}

// finish reports what is to be reported and decides the exit code.
func (s *session) finish(err error) int {
	s.log.debug("took " + time.Since(s.log.began).String())
	if err == nil {
		s.log.flush()
		return s.code
	}
	s.log.fail(err, usageOf(s.name))
	return exitCode(err)
}

// exitCode asks for rt's own type only: an error of os/exec has an ExitCode too, and a hook's
// is not rt's.
func exitCode(err error) int {
	if e, ok := errors.AsType[exitError](err); ok {
		return e.code
	}
	return exitFailure
}
