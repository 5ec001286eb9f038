package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"rt/internal/errs"
	"rt/libcontainer"
)

func listCommand() command {
	var format string
	var quiet bool
	return command{
		text: `Prints a row for every container below --root: its name, the pid of its init
process (0 once that has ended), its status, its bundle, when it was created
and by whom.

   rt list
   rt --root /run/user/1000/rt list --format json`,
		flags: []*option{
			formatFlag(&format),
			toggle(&quiet, "quiet", "q", "print the names alone"),
		},
		act: func(s *session, _ []string) error {
			asJSON, err := parseFormat(format)
			if err != nil {
				return err
			}
			states, err := s.life.List()
			if err != nil {
				return err
			}
			text, err := renderList(states, quiet, asJSON)
			if err != nil {
				return err
			}
			return emit(s.stdout, text)
		},
	}
}

var formats = []string{"table", "json"}

func formatFlag(v *string) *option {
	*v = "table"
	return oneOf(v, formats, "format", "f", "print in `FORMAT`, table (the default) or json")
}

// parseFormat is true for json.
func parseFormat(format string) (bool, error) {
	if !slices.Contains(formats, format) {
		return false, errs.New(errs.Usage, "invalid format option: "+format+" (table or json)")
	}
	return format == "json", nil
}

// renderList is the output of list; no containers are null in JSON, as runc prints it.
func renderList(states []libcontainer.State, quiet, asJSON bool) (string, error) {
	switch {
	case quiet:
		return listNames(states), nil
	case asJSON && len(states) == 0:
		return "null\n", nil
	case asJSON:
		text, err := json.Marshal(states)
		return string(text) + "\n", errs.Op("encode", "", err)
	}
	return listTable(states), nil
}

func listNames(states []libcontainer.State) string {
	var b strings.Builder
	for _, s := range states {
		b.WriteString(s.ID + "\n")
	}
	return b.String()
}

func listTable(states []libcontainer.State) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 12, 1, 3, ' ', 0)
	fmt.Fprintln(w, "ID\tPID\tSTATUS\tBUNDLE\tCREATED\tOWNER")
	for _, s := range states {
		created := s.Created.Format(time.RFC3339Nano)
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", s.ID, s.Pid, s.Status, s.Bundle, created, s.Owner)
	}
	w.Flush()
	return b.String()
}
