// Package tty is terminals as the parent has them: its own, which goes raw and comes back
// (ioctl_tty(2), termios(3)), and the master of a container's, whose bytes it relays or
// which it hands on.
package tty

import (
	"strconv"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// Is tells whether fd is a terminal.
func Is(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// Size is the size of the first of fds that is a terminal; ok is false if none is.
func Size(fds ...int) (size *unix.Winsize, ok bool) {
	for _, fd := range fds {
		if size, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ); err == nil {
			return size, true
		}
	}
	return nil, false
}

// SetSize sets a terminal's size; its foreground group gets SIGWINCH if that is a change.
func SetSize(fd int, size *unix.Winsize) error {
	return errs.Op("set the size of", "the terminal", unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size))
}

// Name is the name of a master's other end in its own devpts.
func Name(master int) (string, error) {
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	return "/dev/pts/" + strconv.Itoa(n), errs.Op("ask for the number of", "the terminal", err)
}

// Peer opens the other end of a master, by no path. It does not become our controlling terminal.
func Peer(master int) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		return -1, errs.Op("open the other end of", "the terminal", errno)
	}
	return int(fd), nil
}

// again opens what fd is once more: O_NONBLOCK on fd itself would be set for all who share
// its open file, our shell among them. Where that is refused it is fd itself.
func again(fd, flags int) int {
	path := "/proc/self/fd/" + strconv.Itoa(fd)
	own, err := unix.Open(path, flags|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fd
	}
	return own
}
