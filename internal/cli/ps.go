package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"rt/internal/errs"
)

func psCommand() command {
	var format string
	return command{
		text: `Runs the host's ps with PS-OPTIONs (default: -ef) and prints the rows of the
container's processes. The options have to print a column PID.

   rt ps web
   rt ps web -o pid,rss,comm
   rt ps --format json web`,
		min: 1, max: -1,
		suits: "created running paused",
		flags: []*option{formatFlag(&format)},
		act: func(s *session, args []string) error {
			asJSON, err := parseFormat(format)
			if err != nil {
				return err
			}
			pids, err := s.life.Processes(args[0])
			if err != nil {
				return err
			}
			text, err := renderProcesses(s, pids, args[1:], asJSON)
			if err != nil {
				return err
			}
			return emit(s.stdout, text)
		},
	}
}

func renderProcesses(s *session, pids []int, options []string, asJSON bool) (string, error) {
	if asJSON {
		text, err := json.Marshal(pids)
		return string(text) + "\n", errs.Op("encode", "", err)
	}
	table, err := hostPs(s, options)
	if err != nil {
		return "", err
	}
	return filterPs(table, pids)
}

// hostPs runs ps. Managers call rt with hardly any environment, also without PATH.
func hostPs(s *session, options []string) (string, error) {
	if len(options) == 0 {
		options = []string{"-ef"}
	}
	program := "ps"
	if os.Getenv("PATH") == "" {
		program = "/bin/ps"
	}
	cmd := exec.Command(program, options...)
	cmd.Stderr = s.stderr
	out, err := cmd.Output()
	return string(out), errs.Op("run", "ps "+strings.Join(options, " "), err)
}

// filterPs keeps the heading, and the rows whose column PID is one of pids.
func filterPs(table string, pids []int) (string, error) {
	heading, rows, _ := strings.Cut(table, "\n")
	column := slices.Index(strings.Fields(heading), "PID")
	if column < 0 {
		return "", errs.New(errs.Usage, "couldn't find PID field in ps output")
	}
	var b strings.Builder
	b.WriteString(heading + "\n")
	for row := range strings.Lines(rows) {
		fields := strings.Fields(row)
		if column >= len(fields) {
			continue
		}
		pid, err := strconv.Atoi(fields[column])
		if err == nil && slices.Contains(pids, pid) {
			b.WriteString(row)
		}
	}
	return b.String(), nil
}
