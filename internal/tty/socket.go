package tty

import (
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// sendWait is how long the listener at a console socket may let us wait.
const sendWait = 10 * time.Second

// Socket is a console socket that somebody listens at.
type Socket struct {
	path string
	fd   int // O_PATH
}

// OpenSocket finds the socket, and connects to it only by Send: a listener that has
// accepted waits for nothing but the terminal, and takes its absence for a failure of its own.
func OpenSocket(path string) (*Socket, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, errs.Op("open the console socket", path, err)
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		err = unix.ENOTSOCK
	}
	if err != nil {
		unix.Close(fd)
		return nil, errs.Op("open the console socket", path, err)
	}
	return &Socket{path, fd}, nil
}

// Send gives the master away, with the name of its other end as the data.
func (s *Socket) Send(master int) error {
	name, err := Name(master)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return errs.Op("make a socket for", s.path, err)
	}
	defer unix.Close(fd)
	wait := unix.NsecToTimeval(sendWait.Nanoseconds())
	err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait)
	if err == nil { // a path in an address has 107 bytes at most, unix(7)
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: "/proc/self/fd/" + strconv.Itoa(s.fd)})
	}
	if err == nil {
		err = unix.Sendmsg(fd, []byte(name), unix.UnixRights(master), nil, unix.MSG_NOSIGNAL)
	}
	return errs.Op("send the terminal to the console socket", s.path, err)
}

// Close lets go of the socket.
func (s *Socket) Close() { unix.Close(s.fd) }
