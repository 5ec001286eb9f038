package cli

import (
	"strconv"
	"strings"

	"rt/internal/errs"

	"golang.org/x/sys/unix"
)

func killCommand() command {
	var all bool
	return command{
		text: `SIGNAL is a number or a name of signal(7), with or without SIG, and TERM if
it is not given. Process 1 of a PID namespace, as the init process mostly
is, takes only signals that it has a handler for, and KILL.

   rt kill web
   rt kill web HUP
   rt kill web KILL
   rt kill --all web 9`,
		min: 1, max: 2,
		suits: "created running paused",
		flags: []*option{toggle(&all, "all", "a", "send the signal to every process of the container")},
		act: func(s *session, args []string) error {
			signal, err := parseSignal(append(args, "TERM")[1])
			if err != nil {
				return err
			}
			return s.life.Kill(args[0], signal, all)
		},
	}
}

// parseSignal reads a number or a name of signal(7). 0 sends nothing, and asks whether the
// process is there, kill(2).
func parseSignal(text string) (int, error) {
	if n, err := strconv.Atoi(text); err == nil {
		return checkSignal(text, n, n >= 0 && n <= sigRTMax)
	}
	name := strings.TrimPrefix(strings.ToUpper(text), "SIG")
	if n, ok := realtime(name); ok {
		return checkSignal(text, n, n >= sigRTMin && n <= sigRTMax)
	}
	n := int(unix.SignalNum("SIG" + synonym(name)))
	return checkSignal(text, n, n != 0)
}

func checkSignal(text string, n int, ok bool) (int, error) {
	if !ok {
		return 0, errs.New(errs.Usage, "unknown signal "+strconv.Quote(text))
	}
	return n, nil
}

// signalNames are the names of signal(7) without SIG and without second names.
func signalNames() []string {
	var names []string
	for n := unix.Signal(1); n < 32; n++ {
		names = append(names, strings.TrimPrefix(unix.SignalName(n), "SIG"))
	}
	return names
}

// Real-time signals as glibc numbers them: it keeps the kernel's first two to itself.
const (
	sigRTMin = 34
	sigRTMax = 64
)

// realtime reads RTMIN, RTMIN+n, RTMAX and RTMAX-n.
func realtime(name string) (int, bool) {
	base, offset := sigRTMin, ""
	switch {
	case strings.HasPrefix(name, "RTMIN"):
		offset = name[len("RTMIN"):]
	case strings.HasPrefix(name, "RTMAX"):
		base, offset = sigRTMax, name[len("RTMAX"):]
	default:
		return 0, false
	}
	if offset == "" {
		return base, true
	}
	n, err := strconv.Atoi(offset)
	return base + n, err == nil && (offset[0] == '+' || offset[0] == '-')
}

// synonym turns the second names of signal(7) into those that unix.SignalNum knows.
func synonym(name string) string {
	switch name {
	case "IOT":
		return "ABRT"
	case "CLD":
		return "CHLD"
	case "POLL":
		return "IO"
	}
	return name
}
