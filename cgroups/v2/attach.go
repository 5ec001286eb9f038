package v2

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// Attach loads the device program and attaches it to the group at dir, beside those that may
// be there: access needs the consent of all, those of the groups above included. Needs
// CAP_BPF or CAP_SYS_ADMIN in the initial user namespace, see bpf(2).
func Attach(dir string, program []Insn, where string) error {
	if len(program) == 0 {
		return nil
	}
	prog, err := load(program)
	if err != nil {
		return errs.At(where, "load the device program for", dir, err)
	}
	defer unix.Close(prog)
	group, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return errs.At(where, "open", dir, err)
	}
	defer unix.Close(group)
	attr := struct{ target, prog, kind, flags uint32 }{uint32(group), uint32(prog), unix.BPF_CGROUP_DEVICE, unix.BPF_F_ALLOW_MULTI}
	_, err = bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return errs.At(where, "attach the device program to", dir, err)
}

func load(program []Insn) (int, error) {
	license := []byte("Apache-2.0\x00")
	attr := struct {
		kind, count    uint32
		insns, license uint64
		level, size    uint32
		log            uint64
		version, flags uint32
		name           [unix.BPF_OBJ_NAME_LEN]byte
	}{
		kind:    unix.BPF_PROG_TYPE_CGROUP_DEVICE,
		count:   uint32(len(program)),
		insns:   uint64(uintptr(unsafe.Pointer(&program[0]))),
		license: uint64(uintptr(unsafe.Pointer(&license[0]))),
		name:    programName(),
	}
	fd, err := bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(program)
	runtime.KeepAlive(license)
	return fd, err
}

// bpf repeats on EAGAIN: the verifier gives up when a signal is pending, and Go sends itself
// some.
func bpf(cmd uintptr, attr unsafe.Pointer, size uintptr) (int, error) {
	for range 16 {
		fd, _, errno := unix.Syscall(unix.SYS_BPF, cmd, uintptr(attr), size)
		if errno == 0 {
			return int(fd), nil
		}
		if errno != unix.EAGAIN && errno != unix.EINTR {
			return -1, errno
		}
	}
	return -1, unix.EAGAIN
}
