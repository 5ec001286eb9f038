package v1

import (
	"encoding/binary"
	"strconv"

	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/internal/errs"
)

// WatchOOM gives an eventfd(2) that counts how often the memory group at dir, or one above it,
// runs out of memory (Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control"). The kernel
// tells of it just before it kills. The group's removal counts as one more.
func WatchOOM(dir string) (int, error) {
	file := dir + "/memory.oom_control"
	control, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, errs.Op("open", file, err)
	}
	defer unix.Close(control) // the kernel keeps what it needs, up to the eventfd's end
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return -1, errs.Op("make an eventfd", "", err)
	}
	if err := cgroupfs.Write(dir+"/cgroup.event_control", strconv.Itoa(fd)+" "+strconv.Itoa(control)); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// OOMs is how often that was since it was asked last.
func OOMs(fd int, dir string) (uint64, error) {
	var buf [8]byte
	_, err := unix.Read(fd, buf[:])
	if err == unix.EAGAIN || err == unix.EINTR {
		return 0, nil
	}
	count := binary.NativeEndian.Uint64(buf[:])
	if err == nil && count > 0 && unix.Access(dir, unix.F_OK) != nil {
		count--
	}
	return count, errs.Op("read", "the eventfd", err)
}
