// Package nsenter is everything that runs inside a container: the init, a small C program
// carried inside this binary, and what the parent needs to start it and talk to it.
package nsenter

import (
	"embed"
	"errors"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
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

// Start is what the init needs from its first instruction on.
type Start struct {
	Namespaces uint64 // CLONE_NEW* for the fork
	Unshare    uint64 // CLONE_NEW* that the init makes while the plan is written
	Preserve   int    // fds from 3 on that belong to the workload; 0, 1 and 2 always do
}

// Spawn starts an init. Until it gets its plan it has nothing but own namespaces, and dies
// with its socket. The caller closes the Child.
func Spawn(s Start) (*Child, error) {
	program, err := image()
	if err != nil {
		return nil, err
	}
	defer unix.Close(program)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, errs.Op("make a socket pair", "", err)
	}
	defer unix.Close(pair[1])
	c := &Child{sock: pair[0]}
	if err := c.fork(s, program, pair[1]); err != nil {
		unix.Close(pair[0])
		return nil, err
	}
	return c, nil
}

// Do hands the plan over, from step first on, with the fds for its Pass, in that order. The
// init works from now on.
func (c *Child) Do(p *plan.Plan, pass []int, first int) error {
	rest := *p
	rest.Init = p.Init[first:]
	body, err := rest.Encode()
	if err != nil {
		return &errs.Error{Op: "encode the plan", Kind: errs.Invalid, Err: err}
	}
	list, err := sealed("rt-plan", unix.MFD_NOEXEC_SEAL, body)
	if err != nil {
		return err
	}
	defer unix.Close(list)
	message := plan.Message{Verb: plan.PlanVerb, Step: uint32(first)}.Append(make([]byte, 0, plan.MessageSize))
	rights := unix.UnixRights(append([]int{list}, pass...)...)
	return errs.Op("hand the plan to the init", "", unix.Sendmsg(c.sock, message, rights, nil, unix.MSG_NOSIGNAL))
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
	if err := kernel.WriteAll(fd, body); err != nil {
		return err
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	return err
}

// UserNamespace gives the fd of a new user namespace, whose maps write writes for a process
// in it, which does not outlive the call.
func UserNamespace(write func(pid int) error) (int, error) {
	c, err := Spawn(Start{Namespaces: unix.CLONE_NEWUSER})
	if err != nil {
		return -1, err
	}
	defer unix.Close(c.Pidfd)
	defer c.Close()
	fd := -1
	if err = write(c.Pid); err == nil {
		fd, err = unix.Open("/proc/"+strconv.Itoa(c.Pid)+"/ns/user", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		err = errs.Op("open a user namespace", "", err)
	}
	c.Kill()
	return fd, err
}
