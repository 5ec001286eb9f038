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

	"github.com/urfave/cli/v2"
)

// The exit codes of rt's own failures. A workload's own code is passed on by run and exec.
const (
	exitFailure = 1
	exitUnknown = 3   // no such command, as runc and every urfave/cli program has it
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
	args []string
	log  *logger
	root libcontainer.Root
	life lifecycle
	code int // the workload's exit code

	unknown error // a command that is none: the library only calls back
}

// exitError is an error whose exit code is not exitFailure.
type exitError struct {
	code int
	error
}

func (e exitError) Unwrap() error { return e.error }

// Main runs the command line args (args[0] is the program) and returns the exit code.
func Main(args []string) int {
	cli.HelpFlag = toggle(new(bool), "help", "h", "print this text")
	cli.VersionFlag = toggle(new(bool), "version", "v", "print the versions of rt and of what it is built from")
	open := func(r libcontainer.Root) lifecycle { return r }
	return run(args, world{os.Stdout, os.Stderr, open, self})
}

func run(args []string, w world) int {
	if onlyVersion(args) {
		io.WriteString(w.stdout, "rt version "+versionText()+"\n")
		return 0
	}
	s := &session{world: w, args: args, log: newLogger(w.stderr)}
	err := newApp(s, named(args)).Run(args)
	if err == nil {
		err = s.unknown
	}
	return s.finish(err)
}

// before carries out the global flags, once they are parsed.
func (s *session) before(*cli.Context) error {
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
	s.log.fail(err, usageOf(named(s.args)))
	return exitCode(err)
}

// exitCode does not ask for the library's cli.ExitCoder: an error of os/exec is one, and a
// hook's exit code is not rt's.
func exitCode(err error) int {
	if e, ok := errors.AsType[exitError](err); ok {
		return e.code
	}
	return exitFailure
}
