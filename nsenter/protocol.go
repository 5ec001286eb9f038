package nsenter

import (
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
	"rt/internal/plan"
)

// Recv waits for the init's next message. io.EOF means that the socket is closed: the init
// is dead, has executed the workload, or has let go of us. fd is -1, or the caller's.
func (c *Child) Recv() (m plan.Message, fd int, err error) {
	var buf [plan.MessageSize]byte
	var oob [24]byte // one fd: unix.CmsgSpace(4)
	for {
		n, oobn, _, _, err := unix.Recvmsg(c.sock, buf[:], oob[:], unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil && err != unix.ECONNRESET {
			return m, -1, errs.Op("hear the init", "", err)
		}
		fd = kernel.PassedFD(oob[:oobn])
		if n == 0 || err != nil {
			return m, fd, io.EOF
		}
		m, ok := plan.ParseMessage(buf[:n])
		if !ok {
			return m, fd, errs.New(errs.Internal, fmt.Sprintf("the init sent %d bytes, not a message", n))
		}
		return m, fd, nil
	}
}

// Done answers a call. The fds go along; text fills the environment's reserved entry.
func (c *Child) Done(text string, fds ...int) error {
	if len(text) >= plan.TextMax {
		return errs.New(errs.Invalid, fmt.Sprintf("%.40q… is longer than %d bytes", text, plan.TextMax-1))
	}
	b := plan.Message{Verb: plan.Done, B: uint32(len(text))}.Append(make([]byte, 0, plan.MessageSize+len(text)))
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	return errs.Op("answer the init", "", unix.Sendmsg(c.sock, append(b, text...), oob, nil, unix.MSG_NOSIGNAL))
}

// Became follows an init that went on in a child, which is ours as well. It gives the pid of
// the one that forked, and that is to be reaped.
func (c *Child) Became(pid int) (former int, err error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, errs.Op("open the forked init", "", err)
	}
	unix.Close(c.Pidfd)
	former, c.Pid, c.Pidfd = c.Pid, pid, fd
	return former, nil
}

// Socket is the fd to poll(2) for the next message.
func (c *Child) Socket() int { return c.sock }

// Close closes the socket; an init that is not ready yet takes it as the end.
func (c *Child) Close() {
	if c.sock >= 0 {
		unix.Close(c.sock)
		c.sock = -1
	}
}

// Kill ends the init by SIGKILL and reaps it.
func (c *Child) Kill() error {
	err := unix.PidfdSendSignal(c.Pidfd, unix.SIGKILL, nil, 0)
	if err != nil && err != unix.ESRCH {
		return errs.Op("kill the init", "", err)
	}
	_, err = c.Wait()
	return err
}

// Wait waits for the init's end and reaps it.
func (c *Child) Wait() (unix.WaitStatus, error) {
	return Reap(c.Pid)
}

// Reap waits for the end of a child.
func Reap(pid int) (unix.WaitStatus, error) {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, 0, nil)
		if err != unix.EINTR {
			return status, errs.Op("wait for the init", "", err)
		}
	}
}
