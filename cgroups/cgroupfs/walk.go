package cgroupfs

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

const openDir = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// level is one directory on the way from the top to where a walk is.
type level struct {
	name     string
	children []string // still to be visited
}

// Walk visits the group at path and all below it. enter gets each group's fd before its
// sub-groups are visited; leave gets the fd of the parent and the name of each sub-group
// after that, so that it can be removed. Either may be nil. A group that is gone is skipped,
// also the first one. It holds two fds at most and uses no long paths: a container can nest
// its groups deeper than PATH_MAX and RLIMIT_NOFILE.
func Walk(path string, enter func(dir int) error, leave func(parent int, name string) error) error {
	top, err := unix.Open(path, openDir, 0)
	if Gone(err) {
		return nil
	}
	if err != nil {
		return errs.Op("open", path, err)
	}
	w := walker{dir: top, enter: enter, leave: leave}
	defer func() { unix.Close(w.dir) }()
	if err := w.visit(""); err != nil {
		return errs.Op("walk", path, err)
	}
	for len(w.levels) > 0 {
		if err := w.step(); err != nil {
			return errs.Op("walk", path, err)
		}
	}
	return nil
}

type walker struct {
	dir    int // of the last level
	levels []level
	enter  func(int) error
	leave  func(int, string) error
}

func (w *walker) step() error {
	last := &w.levels[len(w.levels)-1]
	n := len(last.children)
	if n == 0 {
		return w.climb()
	}
	name := last.children[n-1]
	last.children = last.children[:n-1]
	child, err := unix.Openat(w.dir, name, openDir, 0)
	if Gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	unix.Close(w.dir)
	w.dir = child
	return w.visit(name)
}

func (w *walker) visit(name string) error {
	if w.enter != nil {
		if err := w.enter(w.dir); err != nil && !Gone(err) {
			return err
		}
	}
	children, err := subGroups(w.dir)
	if err != nil && !Gone(err) {
		return err
	}
	w.levels = append(w.levels, level{name, children})
	return nil
}

func (w *walker) climb() error {
	name := w.levels[len(w.levels)-1].name
	w.levels = w.levels[:len(w.levels)-1]
	if len(w.levels) == 0 {
		return nil
	}
	parent, err := unix.Openat(w.dir, "..", openDir, 0)
	if err != nil {
		return err
	}
	unix.Close(w.dir)
	w.dir = parent
	if w.leave == nil {
		return nil
	}
	return w.leave(parent, name)
}

// subGroups names the directories in dir. The link count of a cgroup is 2 plus their
// number, which saves reading the twenty files of a group that has none.
func subGroups(dir int) ([]string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil || st.Nlink == 2 {
		return nil, err
	}
	var names []string
	buf := make([]byte, 8192)
	for {
		n, err := unix.Getdents(dir, buf)
		if err != nil || n == 0 {
			return names, err
		}
		names = appendDirs(names, buf[:n])
	}
}

// appendDirs picks the directories out of linux_dirent64 records, see getdents(2).
func appendDirs(names []string, buf []byte) []string {
	for len(buf) > 19 {
		size := binary.NativeEndian.Uint16(buf[16:])
		kind, name := buf[18], unix.ByteSliceToString(buf[19:size])
		if kind == unix.DT_DIR && name != "." && name != ".." {
			names = append(names, name)
		}
		buf = buf[size:]
	}
	return names
}
