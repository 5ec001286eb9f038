package libcontainer

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// heeded are the signals that a foreground command passes on to its workload, and that
// end a creation if they mean to. The program blocks them before Go starts.
var heeded = [...]unix.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM, unix.SIGTERM, unix.SIGCONT, unix.SIGWINCH,
}

func heededSet() *unix.Sigset_t {
	set := new(unix.Sigset_t)
	for _, s := range heeded {
		set.Val[0] |= 1 << (s - 1)
	}
	return set
}

// Unheed lets the heeded signals act as usual: for commands that do not read them. One
// thread without the mask is enough for the kernel to deliver them.
func Unheed() error {
	return unix.PthreadSigmask(unix.SIG_UNBLOCK, heededSet(), nil)
}

// openSignals makes a signalfd(2) for the heeded signals.
func openSignals() (int, error) {
	fd, err := unix.Signalfd(-1, heededSet(), unix.SFD_CLOEXEC|unix.SFD_NONBLOCK)
	return fd, errs.Op("make a signalfd", "", err)
}

// nextSignal reads one signal, 0 if none is pending.
func nextSignal(fd int) unix.Signal {
	var info unix.SignalfdSiginfo
	buf := unsafe.Slice((*byte)(unsafe.Pointer(&info)), unsafe.Sizeof(info))
	if n, err := unix.Read(fd, buf); err != nil || n != len(buf) {
		return 0
	}
	return unix.Signal(info.Signo)
}

// either waits until one of two fds can be read; it tells which.
func either(a, b int) (first, second bool, err error) {
	fds := []unix.PollFd{{Fd: int32(a), Events: unix.POLLIN}, {Fd: int32(b), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		if err == unix.EINTR {
			continue
		}
		return fds[0].Revents != 0, fds[1].Revents != 0, errs.Op("wait", "", err)
	}
}

// ends tells a signal that means to end a command.
func ends(s unix.Signal) bool {
	return s == unix.SIGTERM || s == unix.SIGINT || s == unix.SIGHUP || s == unix.SIGQUIT
}
