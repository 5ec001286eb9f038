package cgroupfs

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// Read is the text of a file without the white space around it.
func Read(path string) (string, error) {
	text, err := readAt(unix.AT_FDCWD, path)
	return text, errs.Op("read", path, err)
}

// Write writes value to a file in one write(2).
func Write(path, value string) error {
	fd, err := Open(path)
	if err == nil {
		err = WriteFd(fd, value)
		unix.Close(fd)
	}
	return errs.Op(WriteOp(value), path, err)
}

// WriteOp is how an error says that value was being written.
func WriteOp(value string) string { return "write " + strconv.Quote(value) + " to" }

// Open opens a file for writing. The error is the bare errno.
func Open(path string) (int, error) {
	return unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
}

// WriteFd writes value in one write(2). The error is the bare errno.
func WriteFd(fd int, value string) error {
	for {
		// Memory limits give EINTR while they reclaim; Go's own signals are enough for that.
		if _, err := unix.Write(fd, []byte(value)); err != unix.EINTR {
			return err
		}
	}
}

// Gone says that an error means: the group is not there, or not any more.
func Gone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV)
}

// Value is the number behind "KEY " in a flat keyed file such as cgroup.events.
func Value(text, key string) (string, bool) {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && name == key {
			return value, true
		}
	}
	return "", false
}

func readAt(dir int, name string) (string, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	return readFd(fd)
}

func readFd(fd int) (string, error) {
	buf := make([]byte, 0, 512)
	for {
		buf = slices.Grow(buf, 256)
		n, err := unix.Pread(fd, buf[len(buf):cap(buf)], int64(len(buf)))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return "", err
		}
		if n == 0 {
			return strings.TrimSpace(string(buf)), nil
		}
		buf = buf[:len(buf)+n]
	}
}
