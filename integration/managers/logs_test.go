//go:build managers

package managers

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// complaint is a line that says error or warning, in the formats of logrus, klog and conmon.
var complaint = regexp.MustCompile(`<(error|nwarn)>|level"?[=:] ?"?(warn|warning|error|fatal|panic)|^[EW]\d{4} |\b(ERRO|WARN)\[`)

// varying is what two runs of the same thing write differently.
var varying = regexp.MustCompile(`"?time"?[=:] ?"[^"]*"|rtmgr-\S+|[0-9a-f]{12,}|/tmp/\S+|/var/tmp/\S+|/run/\S+|\b\d+(\.\d+)?(ms|µs|s)?\b`)

// complaints are the distinct errors and warnings of the manager's logs, made comparable.
func (e *engine) complaints(t *testing.T) []string {
	text := e.said.String()
	for _, log := range e.logs {
		data, err := os.ReadFile(log)
		if err != nil {
			t.Error(err)
		}
		text += string(data)
	}
	var found []string
	for line := range strings.Lines(unnested(e, text)) {
		if complaint.MatchString(line) {
			found = append(found, strings.TrimSpace(varying.ReplaceAllString(line, "~")))
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// news are the lines of now that before does not have. The runtimes' own words may differ:
// they are errors that a row has asked for, and it has looked at them.
func news(before, now []string) []string {
	return slices.DeleteFunc(slices.Clone(now), func(line string) bool { return slices.Contains(before, line) })
}
