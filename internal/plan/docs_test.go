package plan

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocs: docs/plan.md names the kinds, slots, calls and acts that there are, each in the
// table below the heading for it, and no others.
func TestDocs(t *testing.T) {
	raw, err := os.ReadFile("../../docs/plan.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		heading string
		names   []string
	}{
		{"Slots", slotNames[SlotNone+1:]},
		{"Kinds", kindNames()},
		{"Calls", callNames[CallReady:]},
		{"Host steps", actNames[:]},
	} {
		got := rowNames(section(string(raw), r.heading))
		for _, name := range r.names {
			if !slices.Contains(got, name) {
				t.Errorf("docs/plan.md, %s: no row for %q", r.heading, name)
			}
		}
		for _, name := range got {
			if !slices.Contains(r.names, name) {
				t.Errorf("docs/plan.md, %s: %q is unknown to this package", r.heading, name)
			}
		}
	}
}

func kindNames() []string {
	var names []string
	for k := KindNone + 1; k < kindCount; k++ {
		names = append(names, k.String())
	}
	return names
}

// section is what stands below a heading of the second level.
func section(text, heading string) string {
	_, rest, _ := strings.Cut(text, "\n## "+heading+"\n")
	body, _, _ := strings.Cut(rest, "\n## ")
	return body
}

var quoted = regexp.MustCompile("`([^`]+)`")

// rowNames are the names in the first column of a section's table.
func rowNames(section string) []string {
	var names []string
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		first, _, _ := strings.Cut(line[2:], " | ")
		for _, m := range quoted.FindAllStringSubmatch(first, -1) {
			names = append(names, m[1])
		}
	}
	return names
}
