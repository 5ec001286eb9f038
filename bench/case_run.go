package main

import (
	"time"
)

// runSubjects: run of /bin/true.
func runSubjects(w *world) ([]subject, error) {
	b, err := w.newBundle("true", nil, "/bin/true")
	if err != nil {
		return nil, err
	}
	var subjects []subject
	for _, c := range w.contestants {
		subjects = append(subjects, subject{name: c.name(), sample: w.sampleRun(c, b, "run")})
	}
	return subjects, nil
}

func (w *world) sampleRun(c contestant, b bundle, what string) func(int) (time.Duration, error) {
	return func(n int) (time.Duration, error) { return w.runner.timed(c.run(b, w.id(c, what, n))) }
}

// cycleSubjects: create, start and delete -f, one after the other; their sum.
func cycleSubjects(w *world) ([]subject, error) {
	b, err := w.newBundle("sleep", nil, "/bin/sleep", "1000")
	if err != nil {
		return nil, err
	}
	var subjects []subject
	for _, c := range w.contestants {
		subjects = append(subjects, subject{name: c.name(), sample: func(n int) (time.Duration, error) {
			return w.timedSequence(c.cycle(b, w.id(c, "cycle", n)))
		}})
	}
	return subjects, nil
}

func (w *world) timedSequence(commands [][]string) (time.Duration, error) {
	var sum time.Duration
	for _, argv := range commands {
		took, err := w.runner.timed(argv)
		if err != nil {
			return 0, err
		}
		sum += took
	}
	return sum, nil
}
