package v2

import (
	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/stat"
	"rt/internal/errs"
)

const eventsFile = "memory.events"

// WatchOOM gives an inotify(7) fd that is readable after a change of the memory events of the
// group at dir, or of one below it.
func WatchOOM(dir string) (int, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return -1, errs.Op("inotify_init", "", err)
	}
	if _, err := unix.InotifyAddWatch(fd, dir+"/"+eventsFile, unix.IN_MODIFY); err != nil {
		unix.Close(fd)
		return -1, errs.Op("watch", dir+"/"+eventsFile, err)
	}
	return fd, nil
}

// OOMKills makes the inotify fd quiet and then counts the OOM kills in the group at dir and
// below, since it was made. A group that is gone gives an error that cgroupfs.Gone knows.
func OOMKills(fd int, dir string) (uint64, error) {
	var buf [4096]byte
	for {
		if _, err := unix.Read(fd, buf[:]); err == unix.EAGAIN {
			break
		} else if err != nil && err != unix.EINTR {
			return 0, errs.Op("read", "the inotify events", err)
		}
	}
	text, err := cgroupfs.Read(dir + "/" + eventsFile)
	if err != nil {
		return 0, err
	}
	value, _ := cgroupfs.Value(text, "oom_kill")
	r := stat.Reader{Dir: dir}
	return r.Number(eventsFile, value), r.Err
}
