package tty

import (
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

// Socket is a console socket that somebody listens at.
type Socket struct {
	path string
	fd   int // O_PATH
}

// OpenSocket finds the socket, and connects to it only by Send: a listener that has
// accepted waits for nothing but the terminal, and takes its absence for a failure of its own.
func OpenSocket(path string) (*Socket, error) {
	fd, err := kernel.FindUnix(path)
	if err != nil {
		return nil, named(err)
	}
	return &Socket{path, fd}, nil
}

// Send gives the master away, with the name of its other end as the data.
func (s *Socket) Send(master int) error {
	name, err := Name(master)
	if err != nil {
		return err
	}
	fd, err := kernel.ConnectFound(s.fd, s.path, unix.SOCK_STREAM)
	if err != nil {
		return named(err)
	}
	defer unix.Close(fd)
	return errs.Op("send the terminal to the console socket", s.path, kernel.SendFile(fd, name, master))
}

// named says whose socket it is.
func named(err error) error {
	if e, ok := err.(*errs.Error); ok {
		e.Op += " the console socket"
	}
	return err
}

// Close lets go of the socket.
func (s *Socket) Close() { unix.Close(s.fd) }
