package cli

import (
	"io"

	"rt/internal/errs"
	"rt/libcontainer"

	"github.com/urfave/cli/v2"
)

func planCommand() command {
	var asJSON bool
	var explain string
	return command{
		text: `Compiles BUNDLE's config.json (default: this directory's) and prints the steps that
create would take, each with the part of config.json that asked for it. It needs
no root and changes nothing.

   rt plan /srv/web
   rt plan --explain /mounts/3 /srv/web`,
		max: 1,
		flags: []cli.Flag{
			toggle(&asJSON, "json", "", "print JSON"),
			text(&explain, "explain", "", "print only the steps that come from `POINTER`, a JSON pointer into config.json"),
		},
		act: func(s *session, args []string) error {
			return printPlan(s.stdout, s.root, append(args, ".")[0], asJSON, explain)
		},
	}
}

// printPlan refuses: libcontainer has nothing yet that prints a plan.
func printPlan(io.Writer, libcontainer.Root, string, bool, string) error {
	return errs.New(errs.Unsupported, "plan is not supported by this build")
}
