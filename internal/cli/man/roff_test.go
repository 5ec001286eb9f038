package man

import (
	"reflect"
	"strings"
	"testing"
)

// TestProse: what is typed stays what it is, and no word becomes a request.
func TestProse(t *testing.T) {
	p := &page{names: []string{"DIR"}}
	for _, row := range []struct{ text, want string }{
		{"plain", "plain"},
		{`it's \n`, `it\(aqs \en`},
		{".hidden is 'x'", `\&.hidden is \(aqx\(aq`},
		{"One. Two.\nThree", "One.\nTwo.\nThree"},
		{"One. .two", "One.\n\\&.two"},
		{"in DIR, not DIRS", `in \fIDIR\fR, not DIRS`},
		{"--no-pivot, see sd_notify(3)", `\fB\-\-no\-pivot\fR, see \fBsd_notify\fR(3)`},
		{"$XDG ~ ^ `", `$XDG \(ti \(ha \(ga`},
		{strings.Repeat("x", 78) + " .y", strings.Repeat("x", 78) + "\n\\&.y"},
		{strings.Repeat("x", 90) + " y", strings.Repeat("x", 90) + "\ny"},
		{strings.Repeat("123456789 ", 9), strings.Repeat(" 123456789", 8)[1:] + "\n123456789 "},
	} {
		if got := p.prose(row.text); got != row.want {
			t.Errorf("%q: %q, want %q", row.text, got, row.want)
		}
	}
}

// TestSplit: what is indented is an example.
func TestSplit(t *testing.T) {
	prose, examples := split("a\nb\n\n   rt x\n     y\n\nc\n\n   rt z")
	got, want := [][]string{prose, examples}, [][]string{{"a\nb", "c"}, {"rt x\n  y", "rt z"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
