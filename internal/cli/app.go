package cli

import (
	"fmt"
	"strings"
	"time"

	"rt/internal/errs"

	"github.com/urfave/cli/v2"
)

// command is what one command adds to its row in the table of commands.
type command struct {
	text     string     // description and examples
	min, max int        // number of arguments; max < 0 means any
	flags    []cli.Flag // bound to variables that act reads
	act      func(s *session, args []string) error
	failed   func(error) error // adds to every error of this command; nil adds nothing
}

const description = `rt runs containers from OCI bundles: a directory with config.json and a root
file system. It needs no daemon; what it knows about a container lies below --root.

   rt spec                    write a config.json to start from
   rt run web                 run the bundle in this directory as container "web"
   rt create web; rt start web; rt kill web; rt delete web`

// newApp builds the application with the one command that the command line names, or with
// all of them for help and for what is unknown: building all takes as long as most commands.
func newApp(s *session, name string) *cli.App {
	app := &cli.App{
		Name:           "rt",
		Usage:          "run containers from OCI bundles",
		Description:    description,
		Version:        versionText(),
		Flags:          s.globals.flags(),
		Before:         s.before,
		Writer:         s.stdout,
		ErrWriter:      s.stderr,
		OnUsageError:   flagError(nil),
		ExitErrHandler: func(*cli.Context, error) {}, // finish decides, not the library
		CommandNotFound: func(_ *cli.Context, name string) {
			s.unknown = exitError{exitUnknown, errs.New(errs.Usage, "No help topic for '"+name+"'")}
		},
		Compiled: time.Unix(0, 0), // unset costs a stat of the program
	}
	if e, ok := lookup(name); ok {
		app.HideHelpCommand = true
		app.Commands = []*cli.Command{e.build(s)}
		return app
	}
	for _, e := range commands {
		app.Commands = append(app.Commands, e.build(s))
	}
	return app
}

// build makes the library's form of a command. The help command would take a container
// that is named "help" or "h" for itself, so it is hidden.
func (e entry) build(s *session) *cli.Command {
	cmd := e.make()
	return &cli.Command{
		Name:            e.name,
		Usage:           e.usage,
		ArgsUsage:       e.args,
		Description:     cmd.text,
		Flags:           cmd.flags,
		HideHelpCommand: true,
		OnUsageError:    flagError(cmd.failed),
		Action: func(c *cli.Context) error {
			err := argCount(e.name, c.NArg(), cmd.min, cmd.max)
			if err == nil {
				err = cmd.act(s, c.Args().Slice())
			}
			return failure(cmd.failed, err)
		},
	}
}

func failure(failed func(error) error, err error) error {
	if err == nil || failed == nil {
		return err
	}
	return failed(err)
}

func flagError(failed func(error) error) cli.OnUsageErrorFunc {
	return func(_ *cli.Context, err error, _ bool) error {
		return failure(failed, errs.New(errs.Usage, err.Error()))
	}
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

// named finds the command's name: the first argument that is neither a global flag nor the
// value of one. It is "" if there is none.
func named(args []string) string {
	flags := new(globals).flags()
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--" && i+1 < len(args):
			return args[i+1]
		case len(arg) < 2 || arg[0] != '-':
			return arg
		case takesValue(flags, arg):
			i++
		}
	}
	return ""
}

// takesValue says whether the flag's value is the next argument.
func takesValue(flags []cli.Flag, arg string) bool {
	name := strings.TrimPrefix(arg[1:], "-")
	for _, f := range flags {
		if o, ok := f.(*option); ok && o.long == name {
			return o.takesValue()
		}
	}
	return false
}

// usageOf is the one-line usage of a command, or of rt for a name that is none.
func usageOf(name string) string {
	if e, ok := lookup(name); ok {
		return strings.TrimSpace("usage: rt " + name + " [options] " + e.args)
	}
	return "usage: rt [global options] command [options] [arguments]"
}
