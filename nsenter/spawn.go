// Package nsenter is everything that runs inside a container: the init, a small C program
// carried inside this binary, and what the parent needs to start it and talk to it.
package nsenter

import (
	"embed"
	"errors"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/plan"
)

//go:embed bin
var programs embed.FS

// Child is a running init.
type Child struct {
	Pid   int
	Pidfd int
	sock  int
}

// Args are what the init is started with.
type Args struct {
	Plan  *plan.Plan
	Pass  []int  // fds for Plan.Pass, in its order
	Stdio [3]int // fds for 0, 1 and 2
}

// Spawn starts the init with the plan and comes back while it works. The caller closes
// the Child.
func Spawn(a Args) (*Child, error) {
	program, err := image()
	if err != nil {
		return nil, err
	}
	defer unix.Close(program)
	body, err := a.Plan.Encode()
	if err != nil {
		return nil, &errs.Error{Op: "encode the plan", Kind: errs.Invalid, Err: err}
	}
	list, err := sealed("rt-plan", unix.MFD_NOEXEC_SEAL, body)
	if err != nil {
		return nil, err
	}
	defer unix.Close(list)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, errs.Op("make a socket pair", "", err)
	}
	defer unix.Close(pair[1])
	c := &Child{sock: pair[0]}
	if err := c.fork(a, program, list, pair[1]); err != nil {
		unix.Close(pair[0])
		return nil, err
	}
	return c, nil
}

// fork: the fds of the init are 0, 1, 2, those that belong to the workload, the socket, the
// plan, and what Plan.Pass names. The program's own fd lies above them: the copies are
// made in this order, and would overwrite a lower one.
func (c *Child) fork(a Args, program, list, sock int) error {
	files := []uintptr{uintptr(a.Stdio[0]), uintptr(a.Stdio[1]), uintptr(a.Stdio[2])}
	for i := range a.Plan.Preserve {
		files = append(files, uintptr(3+i))
	}
	files = append(files, uintptr(sock), uintptr(list))
	for _, fd := range a.Pass {
		files = append(files, uintptr(fd))
	}
	high, err := unix.FcntlInt(uintptr(program), unix.F_DUPFD_CLOEXEC, len(files)+1)
	if err != nil {
		return errs.Op("duplicate the fd of the init", "", err)
	}
	defer unix.Close(high)
	attr := &syscall.ProcAttr{Files: files, Env: []string{}, Sys: &syscall.SysProcAttr{
		Cloneflags: uintptr(a.Plan.Namespaces),
		PidFD:      &c.Pidfd,
	}}
	argv := []string{"rt-init", strconv.Itoa(a.Plan.FirstFd() + 1)}
	c.Pid, err = syscall.ForkExec("/proc/self/fd/"+strconv.Itoa(high), argv, attr)
	return errs.Op("start the init", "", err)
}

// image is the init as a sealed memfd: nobody inside can find the host's binary as
// /proc/PID/exe, or write to this one (CVE-2019-5736).
func image() (int, error) {
	name := "bin/init-" + runtime.GOARCH
	body, err := programs.ReadFile(name)
	if err != nil {
		return -1, errs.New(errs.Internal, "this rt was built without its init ("+name+"): build it with `make`")
	}
	fd, err := sealed("rt-init", unix.MFD_EXEC, body)
	if errors.Is(err, unix.EACCES) {
		return detached("rt-init", body) // vm.memfd_noexec is 2
	}
	return fd, err
}

const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE

// sealed is a memfd with body that can never change. Before Linux 6.3 the kernel knows
// neither MFD_EXEC nor MFD_NOEXEC_SEAL: flag is left out there.
func sealed(name string, flag int, body []byte) (int, error) {
	base := unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, base|flag)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate(name, base)
	}
	if err != nil {
		return -1, errs.Op("make a memory file", name, err)
	}
	if err := fill(fd, body); err != nil {
		unix.Close(fd)
		return -1, errs.Op("fill the memory file", name, err)
	}
	return fd, nil
}

func fill(fd int, body []byte) error {
	if err := write(fd, body); err != nil {
		return err
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	return err
}

func write(fd int, body []byte) error {
	for len(body) > 0 {
		n, err := unix.Write(fd, body)
		if err != nil {
			return os.NewSyscallError("write", err)
		}
		body = body[n:]
	}
	return nil
}
