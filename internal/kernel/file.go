package kernel

import (
	"slices"

	"golang.org/x/sys/unix"
)

// ReadFile reads a file, at most limit bytes of it; unlike os.ReadFile it does not go through
// the poller.
func ReadFile(path string, limit int) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	return ReadAll(fd, 2048, limit)
}

// ReadAll reads an fd of about size bytes to its end, at most limit bytes.
func ReadAll(fd, size, limit int) ([]byte, error) {
	buf := make([]byte, 0, min(size, limit))
	for len(buf) < limit {
		buf = slices.Grow(buf, 1)
		n, err := unix.Read(fd, buf[len(buf):min(cap(buf), limit)])
		if err == unix.EINTR {
			continue
		}
		if n <= 0 || err != nil {
			return buf, err
		}
		buf = buf[:len(buf)+n]
	}
	return buf, nil
}

// WriteAll writes body, in as many writes as it takes.
func WriteAll(fd int, body []byte) error {
	for len(body) > 0 {
		n, err := unix.Write(fd, body)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}
