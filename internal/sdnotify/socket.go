package sdnotify

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

// Pause lies between two datagrams that are passed on: a container cannot flood the manager.
const Pause = 10 * time.Millisecond

// Socket is where a container's messages come in.
type Socket struct {
	FD   int
	dir  int
	name string
}

// Listen makes the socket called name in dir, in place of one that was left there. Every
// user may send to it; who gets as far as dir is decided above it.
func Listen(dir, name string) (*Socket, error) {
	at, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, errs.Op("open", dir, err)
	}
	s := &Socket{-1, at, name}
	unix.Unlinkat(at, name, 0)
	s.FD, err = kernel.BindUnix(at, name, unix.SOCK_DGRAM)
	if err == nil { // the umask is the caller's
		err = errs.Op("chmod", dir+"/"+name, unix.Fchmodat(at, name, 0o777, 0))
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close takes the socket away: what the container says from now on is an error to it.
func (s *Socket) Close() {
	unix.Unlinkat(s.dir, s.name, 0)
	unix.Close(s.dir)
	if s.FD >= 0 {
		unix.Close(s.FD)
	}
}

// HangUp refuses what is sent from now on. What was sent before can still be read.
func (s *Socket) HangUp() { unix.Shutdown(s.FD, unix.SHUT_RD) }

// Pass reads one datagram and passes it on to the service manager at to; unix.EAGAIN if there
// is none. With mainPid it is what the manager looks after from READY=1 on.
func (s *Socket) Pass(to string, mainPid int) (ready bool, err error) {
	m, fd, err := s.next()
	if err != nil {
		return false, err
	}
	if fd >= 0 {
		defer unix.Close(fd)
	}
	if m.Ready && mainPid > 0 {
		m.Text += "\nMAINPID=" + strconv.Itoa(mainPid)
	}
	switch {
	case fd >= 0:
		err = Send(to, "BARRIER=1", fd)
	case m.Text != "":
		err = Send(to, m.Text, -1)
	}
	return m.Ready, err
}

// Rest passes on what was sent before HangUp, up to READY=1 if that is waited for.
func (s *Socket) Rest(to string, mainPid int) (ready bool, err error) {
	for {
		ready, e := s.Pass(to, mainPid)
		if e == unix.EAGAIN {
			return false, err
		}
		if err == nil {
			err = e
		}
		if ready && mainPid > 0 {
			return true, err
		}
	}
}

// Relay passes everything on until HangUp. It gives the first error, and goes on after it.
func (s *Socket) Relay(to string) error {
	var first error
	for {
		fds := []unix.PollFd{{Fd: int32(s.FD), Events: unix.POLLIN | unix.POLLRDHUP}}
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
			return errs.Op("wait for the container's messages", "", err)
		}
		pass, over := s.Pass, fds[0].Revents&unix.POLLRDHUP != 0
		if over {
			pass = s.Rest
		}
		if _, err := pass(to, 0); err != nil && err != unix.EAGAIN && first == nil {
			first = err
		}
		if over {
			return first
		}
		time.Sleep(Pause)
	}
}

// next reads one datagram. fd is that of a barrier, or -1.
func (s *Socket) next() (m Message, fd int, err error) {
	var buf [Max]byte
	var oob [unix.SizeofCmsghdr + 4]byte // one fd; the kernel closes what does not fit
	n, oobn, got, _, err := unix.Recvmsg(s.FD, buf[:], oob[:], unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return Message{}, -1, err
	}
	fd = kernel.PassedFD(oob[:oobn])
	if got&unix.MSG_TRUNC == 0 {
		m = Filter(string(buf[:n]))
	}
	if fd >= 0 && !m.Barrier {
		unix.Close(fd)
		fd = -1
	}
	return m, fd, nil
}

// Check tells a $NOTIFY_SOCKET that cannot be one.
func Check(to string) error {
	if len(to) > 1 && (to[0] == '/' || to[0] == '@') && !strings.Contains(to, "\x00") {
		return nil
	}
	return &errs.Error{Op: "use NOTIFY_SOCKET", Path: to, Kind: errs.Usage, Err: errs.New(errs.Usage, "it is neither an absolute path nor an abstract name (@NAME)")}
}

// Reach tells whether somebody listens at to, and sends nothing.
func Reach(to string) error {
	fd, err := kernel.ConnectUnix(to, unix.SOCK_DGRAM)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// Send sends text, and fd with it unless it is negative, to the service manager at to.
func Send(to, text string, fd int) error {
	sock, err := kernel.ConnectUnix(to, unix.SOCK_DGRAM)
	if err != nil {
		return err
	}
	defer unix.Close(sock)
	return errs.Op("send to", to, kernel.SendFile(sock, text, fd))
}

// Barrier returns when the manager has read all that was sent before, or after wait:
// sd_notify_barrier(3). A manager that drops the fd unread has read the message, too.
func Barrier(to string, wait time.Duration) error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return errs.Op("make a pipe", "", err)
	}
	defer unix.Close(pipe[0])
	err := Send(to, "BARRIER=1", pipe[1])
	unix.Close(pipe[1])
	if err != nil {
		return err
	}
	fds := []unix.PollFd{{Fd: int32(pipe[0])}}
	for deadline := time.Now().Add(wait); ; {
		_, err := unix.Poll(fds, max(0, int(time.Until(deadline).Milliseconds())+1))
		if err != unix.EINTR {
			return errs.Op("wait for", to, err)
		}
	}
}
