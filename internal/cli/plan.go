package cli

import (
	"io"

	"rt/internal/errs"
	"rt/internal/plan"
	"rt/libcontainer"
)

func planCommand() command {
	var asJSON bool
	var explain string
	return command{
		text: `Compiles BUNDLE's config.json (default: this directory's) and prints the
steps that create would take for a container named "CONTAINER", each with
the part of config.json that asked for it. It needs no root and changes
nothing.

   rt plan /srv/web
   rt plan --explain /mounts/3 /srv/web`,
		max: 1,
		flags: []*option{
			toggle(&asJSON, "json", "", "print JSON"),
			text(&explain, "explain", "", "print only the steps that come from `POINTER`, a JSON pointer into config.json"),
		},
		act: func(s *session, args []string) error {
			lines, err := s.life.Plan(append(args, ".")[0], "CONTAINER")
			if err != nil {
				return err
			}
			if explain != "" {
				lines = plan.Explain(lines, explain)
			}
			if err := libcontainer.CheckPointer(lines, explain); err != nil {
				return err
			}
			return printPlan(s.stdout, lines, asJSON)
		},
	}
}

func printPlan(w io.Writer, lines []plan.Line, asJSON bool) error {
	if asJSON {
		return printJSON(w, lines, "  ", "\n")
	}
	return errs.Op("write", "standard output", errno(plan.Print(w, lines)))
}
