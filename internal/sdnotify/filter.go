// Package sdnotify stands between a container and the service manager of its host: it
// hears what the workload says by sd_notify(3), and passes on what it may say.
package sdnotify

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Max is the longest datagram that is heard, in bytes; a longer one is dropped.
const Max = 4096

// Message is what is left of a datagram.
type Message struct {
	Text    string // lines for the service manager, "" for none
	Ready   bool   // READY=1 is among them
	Barrier bool   // sd_notify_barrier(3), if an fd came along
}

// passed are the assignments of sd_notify(3) that a container may make. All others are for
// the host alone: MAINPID and BUSERROR mean something else in there, FDSTORE, WATCHDOG_USEC,
// EXTEND_TIMEOUT_USEC and NOTIFYACCESS change what the manager does to the unit.
var passed = []struct {
	name string
	good func(value string) bool
}{
	{"READY", one},
	{"RELOADING", one},
	{"STOPPING", one},
	{"WATCHDOG", one},
	{"MONOTONIC_USEC", digits}, // Type=notify-reload wants it with RELOADING
	{"STATUS", printable},
}

// Filter reads a datagram of the container, which may hold anything.
func Filter(datagram string) Message {
	if strings.TrimSuffix(datagram, "\n") == "BARRIER=1" {
		return Message{Barrier: true}
	}
	var kept []string
	for line := range strings.SplitSeq(datagram, "\n") {
		if allowed(line) {
			kept = append(kept, line)
		}
	}
	return Message{Text: strings.Join(kept, "\n"), Ready: slices.Contains(kept, "READY=1")}
}

func allowed(line string) bool {
	name, value, _ := strings.Cut(line, "=")
	for _, p := range passed {
		if p.name == name {
			return p.good(value)
		}
	}
	return false
}

func one(value string) bool { return value == "1" }

func digits(value string) bool {
	return value != "" && len(value) <= 20 && strings.Trim(value, "0123456789") == ""
}

// printable: the text ends up on somebody's terminal.
func printable(value string) bool {
	return utf8.ValidString(value) && !strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) })
}
