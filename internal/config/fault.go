package config

import (
	"strconv"
	"strings"
	"unicode"
)

// Fault is one thing that is wrong, or odd, in a configuration.
type Fault struct {
	Where string // JSON pointer, RFC 6901; "" is the whole document
	Line  int    // 1-based, 0 unknown
	Msg   string
	Hint  string // what was probably meant, or ""
}

// String is `line 12, /mounts/3/options/1: unknown option "rox" (did you mean "ro"?)`.
func (f Fault) String() string {
	var s strings.Builder
	if f.Line > 0 {
		s.WriteString("line " + strconv.Itoa(f.Line))
	}
	if f.Line > 0 && f.Where != "" {
		s.WriteString(", ")
	}
	s.WriteString(printable(f.Where))
	if s.Len() > 0 {
		s.WriteString(": ")
	}
	s.WriteString(f.Msg)
	if f.Hint != "" {
		s.WriteString(" (" + f.Hint + ")")
	}
	return s.String()
}

// Faults is every fault of a document, in the document's order.
type Faults []Fault

// Error is one line per fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].String()
	}
	return strings.Join(lines, "\n")
}

// maxFaults bounds what a document of 16 MiB can make rt hold and print.
const maxFaults = 1000

// report collects faults, and counts those above maxFaults.
type report struct {
	faults Faults
	more   int
}

func (r *report) add(f Fault) {
	if len(r.faults) >= maxFaults {
		r.more++
		return
	}
	r.faults = append(r.faults, f)
}

func (r *report) count() int { return len(r.faults) + r.more }

func (r *report) all() Faults {
	if r.more == 0 {
		return r.faults
	}
	return append(r.faults, Fault{Msg: "and " + strconv.Itoa(r.more) + " more"})
}

// maxQuote is how many bytes of a value a message repeats.
const maxQuote = 80

func quote(s string) string {
	if len(s) > maxQuote {
		return strconv.Quote(s[:maxQuote]) + "…"
	}
	return strconv.Quote(s)
}

// printable keeps control characters of a key out of logs and terminals.
func printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}
