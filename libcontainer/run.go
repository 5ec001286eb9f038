package libcontainer

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/plan"
	"rt/nsenter"
)

// Run creates and starts a container. In the foreground it forwards signals, waits for the
// workload, deletes the container and gives the workload's exit code, 128+n for signal n.
func (r Root) Run(o RunOptions) (int, error) {
	c, err := r.prepare(o.CreateOptions, true)
	if err != nil {
		return 1, err
	}
	defer c.close()
	stop := c.heed()
	err = c.create()
	if err == nil {
		err = c.started()
	}
	stop()
	if err != nil || o.Detach {
		return 0, err
	}
	return c.foreground(o)
}

// started waits for the end of file that execve makes of the socket.
func (c *creation) started() (err error) {
	defer c.undo.run(&err)
	return executed(c.child, c.plan)
}

// executed: after `ready` the init says nothing but FAIL.
func executed(child *nsenter.Child, p *plan.Plan) error {
	m, fd, err := child.Recv()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	if fd >= 0 {
		defer unix.Close(fd)
	}
	if int(m.Step) < len(p.Init) && p.Init[m.Step].Kind == plan.KindExec {
		return execFailure(p.Args[0], unix.Errno(m.A))
	}
	return failure(p, m, fd)
}

// foreground stands for the workload: signals go to it, its end is ours.
func (c *creation) foreground(o RunOptions) (int, error) {
	if !o.NoSubreaper {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return 1, errs.Op("become a subreaper", "", err)
		}
	}
	c.lock.release()
	c.lock.fd = -1
	code, err := supervise(c.child)
	if err != nil || o.Keep {
		return code, err
	}
	if err := c.Delete(c.o.ID, true); err != nil {
		return 1, err
	}
	return code, nil
}

// supervise forwards signals to the child until it ends, and gives its exit code.
func supervise(child *nsenter.Child) (int, error) {
	signals := make(chan os.Signal, 32)
	signal.Notify(signals)
	defer signal.Stop(signals)
	go forward(signals, child.Pidfd)
	status, err := child.Wait()
	if err != nil {
		return 1, err
	}
	return exitCode(status), nil
}

func forward(signals chan os.Signal, pidfd int) {
	for s := range signals {
		switch s {
		case unix.SIGCHLD, unix.SIGURG, unix.SIGPIPE: // ours: children, Go's scheduler, our own output
		default:
			unix.PidfdSendSignal(pidfd, s.(syscall.Signal), nil, 0)
		}
	}
}

func exitCode(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
