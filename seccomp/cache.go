package seccomp

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// Cache is a directory with one file for each compiled filter, named by its Key. A file is
//
//	sha256 of key, flags and program │ flags, 4 bytes │ program
//
// so one that was cut, or moved to another key, is not taken.
type Cache struct{ Dir string }

const (
	maxEntries = 64
	sumSize    = sha256.Size
	headSize   = sumSize + 4
	maxFile    = headSize + maxProgram
)

// Load gives the filter that was stored under key. Anything but an intact regular file
// that only our effective user could have written is a miss.
func (c Cache) Load(key string) (Filter, bool) {
	// O_NONBLOCK: opening a fifo would wait for its writer.
	fd, err := unix.Open(c.path(key), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return Filter{}, false
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || !trusted(&st) {
		return Filter{}, false
	}
	data := make([]byte, st.Size)
	if n, err := unix.Read(fd, data); err != nil || n != len(data) {
		return Filter{}, false
	}
	return decode(key, data)
}

func (c Cache) path(key string) string { return filepath.Join(c.Dir, key) }

func trusted(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFREG && st.Mode&0o022 == 0 &&
		int(st.Uid) == unix.Geteuid() && headSize < st.Size && st.Size <= maxFile
}

func decode(key string, data []byte) (Filter, bool) {
	f := Filter{Program: data[headSize:], Flags: binary.NativeEndian.Uint32(data[sumSize:])}
	intact := bytes.Equal(checksum(key, data[sumSize:]), data[:sumSize]) && len(f.Program)%insnSize == 0
	if !intact {
		return Filter{}, false
	}
	return f, true
}

func checksum(key string, content []byte) []byte {
	h := sha256.New()
	h.Write([]byte(key))
	h.Write(content)
	return h.Sum(nil)
}

// Store keeps f under key, replaces what is there, and removes the oldest files beyond 64.
// It makes Dir, mode 0700, if need be.
func (c Cache) Store(key string, f Filter) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return errs.Op("seccomp cache", "", err)
	}
	temp, err := c.writeTemp(key, f)
	if err != nil {
		return errs.Op("seccomp cache", "", err)
	}
	if err := os.Rename(temp, c.path(key)); err != nil {
		os.Remove(temp)
		return errs.Op("seccomp cache", "", err)
	}
	return c.prune()
}

func (c Cache) writeTemp(key string, f Filter) (name string, err error) {
	content := append(binary.NativeEndian.AppendUint32(nil, f.Flags), f.Program...)
	sum := checksum(key, content)
	file, err := os.CreateTemp(c.Dir, ".new-") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = file.Write(append(sum, content...))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return file.Name(), err
}

// prune counts temporary files too, so that those of killed processes go in the end.
func (c Cache) prune() error {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return errs.Op("seccomp cache", "", err)
	}
	if len(entries) <= maxEntries {
		return nil
	}
	files := make([]fs.FileInfo, 0, len(entries))
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() { // else removed meanwhile
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	for _, old := range files[min(maxEntries, len(files)):] {
		os.Remove(c.path(old.Name()))
	}
	return nil
}
