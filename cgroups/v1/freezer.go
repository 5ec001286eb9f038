package v1

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/internal/errs"
)

const stateFile = "/freezer.state"

// Freeze freezes the freezer group at dir and all below it. If that is not done by the
// deadline the group is thawed again.
func Freeze(dir string, deadline time.Time) error {
	done, err := freeze(dir, deadline)
	if err == nil && !done {
		err = &errs.Error{Op: "freeze", Path: dir, Kind: errs.Timeout, Err: errors.New("some processes do not stop")}
	}
	if err != nil {
		return errors.Join(err, Thaw(dir))
	}
	return nil
}

// freeze returns true when all are frozen. FROZEN is written again in each round: that wakes
// processes which missed the first request. The state changes only when it is read, there is
// no event for it, so this waits by sleeping.
func freeze(dir string, deadline time.Time) (bool, error) {
	const longest = 10 * time.Millisecond
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, longest) {
		if err := cgroupfs.Write(dir+stateFile, "FROZEN"); err != nil {
			return false, err
		}
		state, err := cgroupfs.Read(dir + stateFile)
		if err != nil || state == "FROZEN" {
			return err == nil, err
		}
		if time.Now().Add(pause).After(deadline) {
			return false, nil
		}
		time.Sleep(pause)
	}
}

// Thaw undoes Freeze. A group whose parent is frozen stays so.
func Thaw(dir string) error { return cgroupfs.Write(dir+stateFile, "THAWED") }

// ThawAll thaws the group and all below it, which the container may have frozen by itself.
func ThawAll(dir string) error {
	return cgroupfs.Walk(dir, func(fd int) error {
		file, err := unix.Openat(fd, stateFile[1:], unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(file)
		return cgroupfs.WriteFd(file, "THAWED")
	}, nil)
}

// SelfFrozen says whether this group was frozen, and not only one above it.
func SelfFrozen(dir string) (bool, error) {
	text, err := cgroupfs.Read(dir + "/freezer.self_freezing")
	return text == "1", err
}

// Stopped says whether tasks that join the group would stop: it, or one above it, is frozen.
func Stopped(dir string) (bool, error) {
	text, err := cgroupfs.Read(dir + stateFile)
	return err == nil && text != "THAWED", err
}
