package libcontainer

import (
	"time"

	"golang.org/x/sys/unix"

	"rt/cgroups"
	"rt/cgroups/stat"
	"rt/internal/errs"
)

// EventsOptions are the choices of `events`.
type EventsOptions struct {
	Interval time.Duration // between two readings of the statistics, the first after one; above 0
	Once     bool          // the statistics once, at once, and nothing more
	Output   int           // fd of what the events are written to: they end when its reader goes
}

// Event is one line of `events`, of runc's shape.
type Event struct {
	Type string     `json:"type"` // stats or oom
	ID   string     `json:"id"`
	Data *EventData `json:"data,omitempty"` // of stats
}

// EventData is the statistics, and members that runc has and nothing is known for.
type EventData struct {
	stat.Stats
	IntelRdt struct{}   `json:"intel_rdt"`
	Networks []struct{} `json:"network_interfaces"`
}

// Events gives statistics in an interval, and an event for each process of the container that
// was killed for want of memory, until the container stops. It holds no lock.
func (r Root) Events(id string, o EventsOptions, emit func(Event) error) error {
	c, err := r.load(id)
	if err != nil {
		return err
	}
	if !c.alive() {
		return must("container with id " + id + " is not running")
	}
	w := watcher{id: id, group: c.group(), emit: emit}
	if o.Once || len(c.Cgroup) == 0 { // which is an error
		return w.stats()
	}
	init, err := c.pidfd()
	if err == unix.ESRCH {
		return must("container with id " + id + " is not running")
	}
	if err != nil {
		return err
	}
	defer unix.Close(init)
	return w.run(init, o, r.Warn)
}

// watcher waits for four things in one poll(2).
type watcher struct {
	id    string
	group cgroups.Group
	emit  func(Event) error
	timer int
	oom   *cgroups.OOM // nil without a memory controller
	polls [4]unix.PollFd
}

// The places in polls.
const (
	pollInit = iota
	pollOutput
	pollTimer
	pollOOM
)

func (w *watcher) run(init int, o EventsOptions, warn func(string)) (err error) {
	if w.oom, err = w.group.WatchOOM(); err != nil {
		return err
	}
	if w.oom == nil {
		warn("the container has no memory controller: events will not tell of OOM kills")
	} else {
		defer w.oom.Close()
	}
	if w.timer, err = ticker(o.Interval); err != nil {
		return err
	}
	defer unix.Close(w.timer)
	w.prepare(init, o.Output)
	for done := false; err == nil && !done; {
		done, err = w.next()
	}
	if errs.KindOf(err) == errs.NotFound && w.ended() {
		return nil // the groups go with their container
	}
	return err
}

func (w *watcher) ended() bool {
	n, _ := unix.Poll([]unix.PollFd{{Fd: w.polls[pollInit].Fd, Events: unix.POLLIN}}, 0)
	return n > 0
}

// ticker is a timer that counts whole intervals from now on, so that it does not drift.
func ticker(interval time.Duration) (int, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return -1, errs.Op("make a timer", "", err)
	}
	every := unix.NsecToTimespec(interval.Nanoseconds())
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		unix.Close(fd)
		return -1, errs.Op("set a timer", "", err)
	}
	return fd, nil
}

// prepare: of the output only that its reader has gone is asked, POLLERR. A negative fd is
// left out, poll(2).
func (w *watcher) prepare(init, output int) {
	oom := -1
	if w.oom != nil {
		oom = w.oom.FD
	}
	w.polls = [4]unix.PollFd{
		pollInit:   {Fd: int32(init), Events: unix.POLLIN},
		pollOutput: {Fd: int32(output)},
		pollTimer:  {Fd: int32(w.timer), Events: unix.POLLIN},
		pollOOM:    {Fd: int32(oom), Events: unix.POLLIN},
	}
}

// next waits for something and does it. The OOM kill that ended the container comes before its
// end: v1 tells of it before it kills, v2 counts it before, but may wake inotify only later.
func (w *watcher) next() (done bool, err error) {
	_, err = unix.Poll(w.polls[:], -1)
	if err == unix.EINTR {
		return false, nil
	}
	if err != nil {
		return false, errs.Op("wait for events of", w.id, err)
	}
	on := func(i int) bool { return w.polls[i].Revents != 0 }
	switch {
	case on(pollOutput):
		return true, nil
	case on(pollInit):
		return true, w.kills()
	case on(pollOOM):
		return false, w.kills()
	}
	var count [8]byte // of intervals; those that were missed are not made up for
	if _, err := unix.Read(w.timer, count[:]); err != nil {
		return false, errs.Op("read", "the timer", err)
	}
	return false, w.stats()
}

func (w *watcher) stats() error {
	s, err := w.group.Stat()
	if err != nil {
		return err
	}
	return w.emit(Event{Type: "stats", ID: w.id, Data: &EventData{Stats: s}})
}

func (w *watcher) kills() error {
	if w.oom == nil {
		return nil
	}
	count, err := w.oom.Kills()
	for ; count > 0 && err == nil; count-- {
		err = w.emit(Event{Type: "oom", ID: w.id})
	}
	return err
}
