package cli

import (
	"encoding/json"
	"io"

	"rt/internal/errs"
)

func stateCommand() command {
	return command{
		text: `The fields are those of the OCI runtime specification's state, and rootfs,
created and owner. The pid is 0 when the container has stopped. The status
is creating, created, running, paused or stopped.

   rt state web
   rt state web | jq -r .status`,
		min: 1, max: 1,
		act: func(s *session, args []string) error {
			state, err := s.life.State(args[0])
			if err != nil {
				return err
			}
			return printJSON(s.stdout, state, "  ", "")
		},
	}
}

// printJSON writes v, indented by indent, and end.
func printJSON(w io.Writer, v any, indent, end string) error {
	text, err := json.MarshalIndent(v, "", indent)
	if err != nil {
		return errs.Op("encode", "", err)
	}
	return emit(w, string(text)+end)
}

func emit(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return errs.Op("write", "standard output", errno(err))
}
