package sdnotify

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFilter(t *testing.T) {
	for _, row := range []struct {
		name, in string
		want     Message
	}{
		{"nothing", "", Message{}},
		{"ready", "READY=1", Message{Text: "READY=1", Ready: true}},
		{"a line's end", "READY=1\n", Message{Text: "READY=1", Ready: true}},
		{"one of many", "X=1\nREADY=1\nMAINPID=1\nSTATUS=a=b", Message{Text: "READY=1\nSTATUS=a=b", Ready: true}},
		{"twice", "READY=1\nREADY=1", Message{Text: "READY=1\nREADY=1", Ready: true}},
		{"not ready", "READY=0\nREADY=\nREADY\nready=1\nREADY=1\r\nREADY=1\x00", Message{}},
		{"an empty status", "STATUS=", Message{Text: "STATUS="}},
		{"not UTF-8", "STATUS=\xff", Message{}},
		{"an escape", "STATUS=\x1b[2J", Message{}},
		{"another direction", "STATUS=a\u202eb", Message{}},
		{"a NUL", "STATUS=a\x00b", Message{}},
		{"a time", "RELOADING=1\nMONOTONIC_USEC=18446744073709551615", Message{Text: "RELOADING=1\nMONOTONIC_USEC=18446744073709551615"}},
		{"no time", "MONOTONIC_USEC=\nMONOTONIC_USEC=-1\nMONOTONIC_USEC=1 2\nMONOTONIC_USEC=" + strings.Repeat("1", 21), Message{}},
		{"a barrier", "BARRIER=1", Message{Barrier: true}},
		{"a barrier with an end", "BARRIER=1\n", Message{Barrier: true}},
		{"a barrier among others", "BARRIER=1\nREADY=1", Message{Text: "READY=1", Ready: true}},
		{"no barrier", "BARRIER=0", Message{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := Filter(row.in); got != row.want {
				t.Errorf("%+v, want %+v", got, row.want)
			}
		})
	}
}

// FuzzFilter: whatever comes in, only lines that were in it go out, each a clean assignment.
func FuzzFilter(f *testing.F) {
	f.Add("READY=1\nSTATUS=x\nMAINPID=1")
	f.Add("BARRIER=1")
	names := []string{"READY", "RELOADING", "STOPPING", "WATCHDOG", "MONOTONIC_USEC", "STATUS"}
	f.Fuzz(func(t *testing.T, in string) {
		m := Filter(in)
		if m.Text == "" {
			return
		}
		if m.Barrier || !utf8.ValidString(m.Text) || strings.ContainsAny(m.Text, "\x00\x1b\r") {
			t.Fatalf("%q gives %+v", in, m)
		}
		all := strings.Split(in, "\n")
		for line := range strings.SplitSeq(m.Text, "\n") {
			name, _, _ := strings.Cut(line, "=")
			if !slices.Contains(all, line) || !slices.Contains(names, name) {
				t.Fatalf("%q gives the line %q", in, line)
			}
		}
	})
}
