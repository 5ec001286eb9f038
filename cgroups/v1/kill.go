package v1

import (
	"time"

	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
)

// Kill kills every process in the group at dir and below, and waits until they are gone.
// frozen says that dir is in the freezer hierarchy, so that it can stop those that fork.
// The first round sends SIGKILL as things are. When processes appear that were not there
// before, the group is frozen for the next one, so that a fork bomb cannot outrun it.
func Kill(dir string, freezer bool, deadline time.Time) error {
	k := killer{dir: dir, freezer: freezer, seen: map[int]bool{}}
	for {
		fds, done, err := k.round(deadline)
		if err != nil || done {
			return err
		}
		exited, err := cgroupfs.WaitExit(fds, deadline)
		cgroupfs.CloseAll(fds)
		if err != nil {
			return err
		}
		if !exited || time.Now().After(deadline) {
			return k.left()
		}
	}
}

// KillNow is Kill without the waiting: it returns when every process has been signalled.
func KillNow(dir string, freezer bool, deadline time.Time) error {
	k := killer{dir: dir, freezer: freezer, seen: map[int]bool{}}
	for {
		fresh := k.fresh
		fds, done, err := k.round(deadline)
		cgroupfs.CloseAll(fds)
		if err != nil || done || (k.rounds > 1 && k.fresh == fresh) {
			return err
		}
		if time.Now().After(deadline) {
			return k.left()
		}
	}
}

type killer struct {
	dir     string
	freezer bool
	rounds  int
	fresh   int // processes that have been seen, by pid
	seen    map[int]bool
}

// round signals all processes once and gives pidfds of them; done: there were none.
func (k *killer) round(deadline time.Time) (fds []int, done bool, err error) {
	pids, err := cgroupfs.Pids(k.dir)
	if err != nil || len(pids) == 0 {
		return nil, true, err
	}
	if k.note(pids) && k.rounds > 0 && k.freezer {
		pids, err = k.stop(deadline)
		if err != nil {
			return nil, false, err
		}
	}
	k.rounds++
	fds, err = cgroupfs.Signal(k.dir, pids, unix.SIGKILL)
	if k.freezer && err == nil {
		err = ThawAll(k.dir) // a frozen process does not die
	}
	return fds, false, err
}

// stop freezes the group as well as it can. One process that hangs in the kernel keeps it
// from being frozen as a whole, but the others are stopped all the same.
func (k *killer) stop(deadline time.Time) ([]int, error) {
	soon := time.Now().Add(500 * time.Millisecond)
	if soon.After(deadline) {
		soon = deadline
	}
	if _, err := freeze(k.dir, soon); err != nil && !cgroupfs.Gone(err) {
		return nil, err
	}
	pids, err := cgroupfs.Pids(k.dir)
	k.note(pids)
	return pids, err
}

func (k *killer) note(pids []int) bool {
	for _, pid := range pids {
		k.seen[pid] = true
	}
	before := k.fresh
	k.fresh = len(k.seen)
	return k.fresh > before
}

func (k *killer) left() error { return cgroupfs.Left("kill", k.dir) }
