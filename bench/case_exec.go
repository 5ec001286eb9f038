package main

import "time"

// execSubjects: exec of /bin/true in a container of the contestant's own.
func execSubjects(w *world) ([]subject, error) {
	b, err := w.newBundle("sleep", nil, "/bin/sleep", "1000")
	if err != nil {
		return nil, err
	}
	var subjects []subject
	for _, c := range w.contestants {
		subjects = append(subjects, execSubject(w, c, b))
	}
	return subjects, nil
}

func execSubject(w *world, c contestant, b bundle) subject {
	h, err := c.hold(b, w.id(c, "exec", 0), "running")
	if err != nil {
		return subject{name: c.name(), sample: func(int) (time.Duration, error) { return 0, err }}
	}
	argv := h.exec("/bin/true")
	return subject{
		name:    c.name(),
		sample:  func(int) (time.Duration, error) { return w.runner.timed(argv) },
		release: h.release,
	}
}
