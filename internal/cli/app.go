package cli

import (
	"fmt"
	"strings"

	"rt/internal/errs"
)

// command is what one command adds to its row in the table of commands.
type command struct {
	text     string    // description and examples
	min, max int       // number of arguments; max < 0 means any
	suits    string    // the statuses that CONTAINER can have, for completion; "" is any
	flags    []*option // bound to variables that act reads
	act      func(s *session, args []string) error
	failed   func(error) error // adds to every error of this command; nil adds nothing
}

// unused is what create asks of CONTAINER, and the status of none.
const unused = "unused"

// mainOptions are the flags that may stand before the command.
func mainOptions(g *globals, help, version *bool) []*option {
	return append(g.options(), helpOption(help),
		toggle(version, "version", "v", "print the versions of rt and of what it is built from"))
}

// dispatch carries out the command line. A help or version flag comes before everything
// but a flag that is wrong; the help command is a command, and comes after the log.
func (s *session) dispatch() error {
	var help, version bool
	args, err := parse(mainOptions(&s.globals, &help, &version), s.args[min(1, len(s.args)):])
	switch {
	case err != nil:
		return err
	case help:
		return s.help(args)
	case version:
		return emit(s.stdout, "rt version "+versionText()+"\n")
	}
	if len(args) > 0 {
		s.name = args[0]
	}
	if err := s.before(); err != nil {
		return err
	}
	return s.perform(args)
}

// perform runs the command that args begins with. Without one, and for one that does not
// exist, that is help.
func (s *session) perform(args []string) error {
	if e, ok := lookup(s.name); ok {
		cmd := e.make()
		return failure(cmd.failed, s.call(e, cmd, args[1:]))
	}
	if !isHelp(s.name) {
		return s.help(args)
	}
	topic, err := parse([]*option{helpOption(new(bool))}, args[1:])
	if err != nil {
		return err
	}
	return s.help(topic)
}

func (s *session) call(e entry, cmd command, args []string) error {
	help := false
	args, err := parse(append(cmd.flags, helpOption(&help)), args)
	if err != nil {
		return err
	}
	if help {
		return emit(s.stdout, e.help(cmd))
	}
	if err := argCount(e.name, len(args), cmd.min, cmd.max); err != nil {
		return err
	}
	return cmd.act(s, args)
}

func failure(failed func(error) error, err error) error {
	if err == nil || failed == nil {
		return err
	}
	return failed(err)
}

func argCount(name string, n, low, high int) error {
	want, bound := "", low
	switch {
	case low == high && n != low:
		want = "exactly"
	case n < low:
		want = "a minimum of"
	case high >= 0 && n > high:
		want, bound = "a maximum of", high
	default:
		return nil
	}
	plural := "s"
	if bound == 1 {
		plural = ""
	}
	return errs.New(errs.Usage, fmt.Sprintf("%q requires %s %d argument%s", name, want, bound, plural))
}

// usageOf is the one-line usage of a command, or of rt for a name that is none.
func usageOf(name string) string {
	if e, ok := lookup(name); ok {
		return strings.TrimSpace("usage: rt " + name + " [options] " + e.args)
	}
	return "usage: rt [global options] command [options] [arguments]"
}
