package nsenter

import (
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

// detached is a file with body on a tmpfs that is mounted nowhere, and read-only from then
// on: no path leads to it, and nobody can make the mount writable again.
func detached(name string, body []byte) (int, error) {
	mount, err := tmpfs()
	if err != nil {
		return -1, errs.Op("make a file system for", name, err)
	}
	defer unix.Close(mount)
	if err := writeAt(mount, name, body); err != nil {
		return -1, errs.Op("write", name, err)
	}
	fd, err := unix.Openat(mount, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, errs.Op("open", name, err)
	}
	err = unix.MountSetattr(mount, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	if err != nil {
		unix.Close(fd)
		return -1, errs.Op("make read-only", name, err)
	}
	return fd, nil
}

func tmpfs() (int, error) {
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

func writeAt(dir int, name string, body []byte) error {
	fd, err := unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o500)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return kernel.WriteAll(fd, body)
}
