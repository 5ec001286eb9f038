package cgroups

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/v2"
	"rt/internal/errs"
)

// Apply writes the update, all of it or nothing: if a write fails, those before it are taken
// back, the last first. The group then goes through the same states again, backwards; each of
// them was one that the kernel takes. Before each write it asks stop, whose error counts as a
// failure.
func (u *Update) Apply(stop func() error) (err error) {
	if u.opens {
		thaw, failed := u.group.hold()
		if failed != nil {
			return failed
		}
		// After the way back: it, too, ends what is allowed for a moment only.
		defer func() { err = errors.Join(err, thaw()) }()
	}
	t := transaction{Update: u, stop: stop}
	if err := t.run(); err != nil {
		return t.undo(ofUpdate(err))
	}
	return nil
}

type transaction struct {
	*Update
	stop func() error
	done [][]Write // what takes each write back
}

func (t *transaction) run() error {
	err := t.all(t.steps)
	if err == nil && t.devices {
		err = t.stop()
	}
	if err != nil || !t.devices {
		return err
	}
	return v2.Replace(t.group.Dirs[0].Path, t.program, t.where)
}

// hold freezes the group, if it is not frozen, so that nobody uses what it may use for a
// moment only.
func (g Group) hold() (thaw func() error, err error) {
	if frozen, err := g.Frozen(); frozen || err != nil {
		return func() error { return nil }, err
	}
	return g.Thaw, g.Freeze()
}

// all does the steps in their order. What is refused with EINVAL is tried again after the
// others: burst, idle and real-time values bound each other, too.
func (t *transaction) all(steps []step) error {
	for len(steps) > 0 {
		var refused []step
		var first error
		for _, s := range steps {
			err := t.do(s)
			if errors.Is(err, unix.EINVAL) {
				refused = append(refused, s)
				first = cmp.Or(first, err)
				continue
			}
			if err != nil {
				return err
			}
		}
		if len(refused) == len(steps) {
			return first
		}
		steps = refused
	}
	return nil
}

// do reads the former value now: a write before this one may have changed it, as cpu.idle does
// with the shares.
func (t *transaction) do(s step) error {
	if err := t.stop(); err != nil {
		return err
	}
	path, back := t.group.path(s.Write), s.back
	if !s.device {
		back = t.former(s.Write)
	}
	fd, err := cgroupfs.Open(path)
	if err == nil {
		err = cgroupfs.WriteFd(fd, s.Value)
		unix.Close(fd)
	}
	if err == nil {
		t.done = append(t.done, back)
		return nil
	}
	if tolerable(s.Write, err) {
		return nil
	}
	return errs.At(s.Where, "write "+strconv.Quote(s.Value)+was(s)+" to", path, t.explain(s, err))
}

// former is what puts back what w replaces. The end of idle sets the weight to the kernel's
// default, so that it has to be put back, too.
func (t *transaction) former(w Write) []Write {
	old, known, _ := cgroupfs.Former(t.group.path(w), w.Value)
	if !known {
		return nil
	}
	back := []Write{{w.Dir, w.File, cmp.Or(old, "\n"), w.Where}} // "" would write nothing
	if w.File != "cpu.idle" || old != "0" {
		return back
	}
	w.File = "cpu.shares"
	if t.group.V2 {
		w.File = "cpu.weight"
	}
	w.Value = ""
	return append(back, t.former(w)...)
}

func was(s step) string {
	if s.device || s.old == "" {
		return ""
	}
	return " (was " + strconv.Quote(s.old) + ")"
}

// explain says what the kernel's EBUSY means.
func (t *transaction) explain(s step, err error) error {
	if err != unix.EBUSY || s.File != "memory.limit_in_bytes" && s.File != "memory.memsw.limit_in_bytes" {
		return err
	}
	used := t.group.limits().Usage
	return fmt.Errorf("the container uses %d bytes, and the kernel could not reclaim enough: %w", used, err)
}

// undo adds to err what became of the writes before.
func (t *transaction) undo(err error) error {
	if len(t.done) == 0 {
		return err
	}
	var left []error
	for _, back := range slices.Backward(t.done) {
		for _, w := range back {
			if e := t.group.write(w); e != nil && !tolerable(w, errnoOf(e)) {
				left = append(left, ofUpdate(e))
			}
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%w; putting former values back: %v", err, errors.Join(left...))
	}
	return fmt.Errorf("%w; all former values are back", err)
}

func errnoOf(err error) error {
	errno, _ := errors.AsType[unix.Errno](err)
	return errno
}
