package v2

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// programName tells our program from those of others in the same group, such as systemd's.
func programName() (name [unix.BPF_OBJ_NAME_LEN]byte) {
	copy(name[:], "rt_devices")
	return name
}

// Replace puts the device program in the place of the one that Attach left in the group at
// dir, in one step: each access is judged by one of the two. A nil program allows everything. Without
// one of ours in the group it is Attach. It takes CAP_SYS_ADMIN to find the old one, see bpf(2).
func Replace(dir string, program []Insn, where string) error {
	group, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return errs.At(where, "open", dir, err)
	}
	defer unix.Close(group)
	old, err := ours(group)
	if err != nil {
		return errs.At(where, "look for the device program of", dir, err)
	}
	if old < 0 {
		return Attach(dir, program, where)
	}
	defer unix.Close(old)
	if len(program) == 0 {
		program = leave(true)
	}
	prog, err := load(program)
	if err != nil {
		return errs.At(where, "load the device program for", dir, err)
	}
	defer unix.Close(prog)
	attr := struct{ target, prog, kind, flags, replaced uint32 }{
		uint32(group), uint32(prog), unix.BPF_CGROUP_DEVICE, unix.BPF_F_ALLOW_MULTI | unix.BPF_F_REPLACE, uint32(old),
	}
	_, err = bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return errs.At(where, "replace the device program of", dir, err)
}

// ours opens the program in the group that has our name, -1 if there is none.
func ours(group int) (int, error) {
	ids := new([64]uint32) // the kernel's BPF_CGROUP_MAX_PROGS
	defer runtime.KeepAlive(ids)
	attr := struct {
		target, kind, query, flags uint32
		ids                        uint64
		count, _                   uint32
	}{target: uint32(group), kind: unix.BPF_CGROUP_DEVICE, ids: uint64(uintptr(unsafe.Pointer(&ids[0]))), count: uint32(len(ids))}
	if _, err := bpf(unix.BPF_PROG_QUERY, unsafe.Pointer(&attr), unsafe.Sizeof(attr)); err != nil {
		return -1, err
	}
	for _, id := range ids[:attr.count] {
		get := struct{ id, next, flags uint32 }{id: id}
		fd, err := bpf(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&get), unsafe.Sizeof(get))
		if err == unix.ENOENT {
			continue // detached meanwhile
		}
		if err != nil {
			return -1, err
		}
		if named(fd) {
			return fd, nil
		}
		unix.Close(fd)
	}
	return -1, nil
}

// named asks for the beginning of struct bpf_prog_info of <linux/bpf.h>.
func named(prog int) bool {
	type programInfo struct {
		_    [64]byte
		name [unix.BPF_OBJ_NAME_LEN]byte
	}
	info := new(programInfo)
	defer runtime.KeepAlive(info)
	attr := struct {
		prog, size uint32
		info       uint64
	}{uint32(prog), uint32(unsafe.Sizeof(*info)), uint64(uintptr(unsafe.Pointer(info)))}
	_, err := bpf(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return err == nil && info.name == programName()
}
