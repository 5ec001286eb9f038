package kernel

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// socketWait is how long a peer with a full queue may hold connect(2) and sendmsg(2) up, in seconds.
const socketWait = 10

// ConnectUnix connects to a listener of type kind (SOCK_STREAM, SOCK_DGRAM) at a path of any
// length, or with "@" at an abstract name, unix(7). Connecting and sending each take 10 s at most.
func ConnectUnix(path string, kind int) (int, error) {
	if strings.HasPrefix(path, "@") {
		return connectTo(path, path, kind)
	}
	file, err := FindUnix(path)
	if err != nil {
		return -1, err
	}
	defer unix.Close(file)
	return ConnectFound(file, path, kind)
}

// ConnectFound is ConnectUnix for what FindUnix has found; path is for messages.
func ConnectFound(file int, path string, kind int) (int, error) {
	return connectTo("/proc/self/fd/"+strconv.Itoa(file), path, kind) // sun_path has 107 bytes
}

func connectTo(name, path string, kind int) (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, errs.Op("make a socket", "", err)
	}
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: socketWait})
	if err := connect(fd, name); err != nil {
		unix.Close(fd)
		return -1, errs.Op("connect to", path, explain(err))
	}
	return fd, nil
}

func connect(fd int, name string) error {
	for {
		if err := unix.Connect(fd, &unix.SockaddrUnix{Name: name}); err != unix.EINTR {
			return err
		}
	}
}

// FindUnix opens the socket at path by O_PATH: connect(2) says "connection refused" of any
// other file.
func FindUnix(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, errs.Op("connect to", path, err)
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		err = unix.ENOTSOCK
	}
	if err != nil {
		unix.Close(fd)
		return -1, errs.Op("connect to", path, explain(err))
	}
	return fd, nil
}

func explain(err error) error {
	switch err {
	case unix.ENOTSOCK:
		return errs.New(errs.Usage, "it is not a socket")
	case unix.ECONNREFUSED:
		return errs.New(errs.Kernel, "nobody listens (connection refused)")
	case unix.EPROTOTYPE:
		return errs.New(errs.Usage, "the listener's is another type of socket")
	case unix.EAGAIN:
		return errs.New(errs.Timeout, "nobody accepts: the queue is full")
	}
	return err
}

// BindUnix makes a socket of type kind called name in the directory dir, whatever its path is.
func BindUnix(dir int, name string, kind int) (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, errs.Op("make a socket", "", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: "/proc/self/fd/" + strconv.Itoa(dir) + "/" + name}); err != nil {
		unix.Close(fd)
		return -1, errs.Op("make the socket", name, err)
	}
	return fd, nil
}

// SendFile sends text and, unless it is negative, fd with it.
func SendFile(sock int, text string, fd int) error {
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	for {
		if err := unix.Sendmsg(sock, []byte(text), rights, nil, unix.MSG_NOSIGNAL); err != unix.EINTR {
			return err
		}
	}
}

// PassedFD is the fd that came with a message, -1 without one. Others are closed: a control
// buffer for one has room for two.
func PassedFD(control []byte) int {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) == 0 {
		return -1
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return -1
	}
	for _, fd := range fds[1:] {
		unix.Close(fd)
	}
	return fds[0]
}
