package tty

import (
	"golang.org/x/sys/unix"
)

// Terminal is rt's own. While it is raw, a process of its own (guard.go) waits to restore
// it, should rt be killed.
type Terminal struct {
	fd    int
	guard *guard // set while the terminal is raw, as far as we know
}

// Own is the terminal that fd is; nil if it is none.
func Own(fd int) *Terminal {
	if !Is(fd) {
		return nil
	}
	return &Terminal{fd: again(fd, unix.O_RDWR)}
}

// Raw gives every key to the container. In the background the kernel stops us here, with
// SIGTTOU, until we are in the foreground; where nobody could continue us (an orphaned
// process group) the terminal stays as it is.
func (t *Terminal) Raw() error {
	if t == nil {
		return nil
	}
	now, err := unix.IoctlGetTermios(t.fd, unix.TCGETS)
	if err != nil {
		return nil // it has hung up
	}
	if t.guard != nil && t.guard.set(now) {
		return nil
	}
	t.dismiss() // another program has set the terminal meanwhile: that is what it comes back to
	g, err := startGuard(t.fd, *now, rawOf(*now))
	if err != nil {
		return err
	}
	t.guard = g
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.IoctlSetTermios(t.fd, unix.TCSETS, &g.raw)
	}
	return nil
}

// Restore makes the terminal what it was before Raw, unless somebody else has set it.
func (t *Terminal) Restore() {
	if t == nil || t.guard == nil {
		return
	}
	t.guard.restore()
	t.dismiss()
}

func (t *Terminal) dismiss() {
	if t.guard != nil {
		t.guard.end()
		t.guard = nil
	}
}

// rawOf is cfmakeraw(3).
func rawOf(t unix.Termios) unix.Termios {
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return t
}
