package cli

import (
	"encoding/json"
	"errors"
	"time"

	"rt/internal/errs"
	"rt/libcontainer"

	"golang.org/x/sys/unix"
)

func eventsCommand() command {
	o := libcontainer.EventsOptions{Interval: 5 * time.Second, Output: unix.Stdout}
	return command{
		text: `Prints one JSON object in each line: what the container uses, again after
each interval, and "oom" when the kernel kills one of its processes for want
of memory. It ends when the container stops, or when nobody reads its output
any more.

   rt events web
   rt events --interval 500ms web
   rt events --stats web | jq .data.memory.usage
   rt events web | jq --unbuffered 'select(.type == "oom")'`,
		min: 1, max: 1,
		flags: []*option{
			&option{(*durationValue)(&o.Interval), "interval", "", "print the statistics each `DURATION`, such as 500ms or 1m30s (default: 5s)"},
			toggle(&o.Once, "stats", "", "print the statistics at once, and nothing more"),
		},
		act: func(s *session, args []string) error {
			if o.Interval <= 0 {
				return errs.New(errs.Usage, "duration interval must be greater than 0")
			}
			return s.life.Events(args[0], o, s.event)
		},
	}
}

// event prints one; a warning would wait for the end otherwise, which may never come.
func (s *session) event(e libcontainer.Event) error {
	s.log.flush()
	text, err := json.Marshal(e)
	if err != nil {
		return errs.Op("encode", "", err)
	}
	return emit(s.stdout, string(text)+"\n")
}

// durationValue is a number with a unit, time.ParseDuration. The text is package flag's.
type durationValue time.Duration

func (v *durationValue) Set(s string) error {
	d, err := time.ParseDuration(s)
	*v = durationValue(d)
	if err != nil {
		return errors.New("parse error")
	}
	return nil
}
