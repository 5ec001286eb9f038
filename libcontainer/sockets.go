package libcontainer

import (
	"golang.org/x/sys/unix"

	"rt/internal/compile"
	"rt/internal/errs"
	"rt/internal/kernel"
	"rt/internal/sdnotify"
)

// dialPidfd connects to the listener of --pidfd-socket before anything is made; -1 without one.
func dialPidfd(path string) (int, error) {
	if path == "" {
		return -1, nil
	}
	fd, err := kernel.ConnectUnix(path, unix.SOCK_STREAM)
	return fd, errs.Op("--pidfd-socket", "", err)
}

// sendPidfd sends a pidfd by SCM_RIGHTS. The byte stream has to carry something: it is what
// runc names its two kinds of process.
func sendPidfd(sock int, path, name string, pidfd int) error {
	return errs.Op("send the pidfd to", path, kernel.SendFile(sock, name, pidfd))
}

// inside is what the process finds. The first in a pid namespace knows its number; any other
// learns it when it is born.
func (l Listen) inside(first bool) compile.Listen {
	if l.FDs == 0 {
		return compile.Listen{}
	}
	in := compile.Listen{FDs: l.FDs, Names: l.Names}
	if first {
		in.Pid = 1
	}
	return in
}

func (r Root) checkNotify() error {
	if r.Notify == "" {
		return nil
	}
	return sdnotify.Check(r.Notify)
}

// notifyDir is what the container gets as compile.NotifyDir, "" for nothing.
func (c *creation) notifyDir() string {
	if c.Notify == "" {
		return ""
	}
	return c.dir + "/" + dirNotify
}
