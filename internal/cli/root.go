package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rt/internal/errs"

	"golang.org/x/sys/unix"
)

const rootDir = "/run/rt"

// caller is who runs rt. HOME and USER are not asked: managers call some commands
// without them, and every command has to find the same directory.
type caller struct {
	euid       int    // in the caller's own user namespace
	hostUID    int    // the same user in the parent user namespace
	runtimeDir string // $XDG_RUNTIME_DIR
	userDirs   string // /run/user
	tmp        string // /tmp
}

// self asks the kernel and the environment who runs rt.
func self() (caller, error) {
	const uidMap = "/proc/self/uid_map"
	c := caller{euid: os.Geteuid(), runtimeDir: os.Getenv("XDG_RUNTIME_DIR"), userDirs: "/run/user", tmp: "/tmp"}
	f, err := openFile(uidMap, unix.O_RDONLY, 0)
	if err != nil {
		return c, errs.Op("open", uidMap, err)
	}
	defer f.Close()
	rows, err := io.ReadAll(f)
	c.hostUID = outside(string(rows), c.euid)
	return c, errs.Op("read", uidMap, errno(err))
}

// openFile is os.OpenFile without the poller, whose set-up costs four system calls.
func openFile(path string, flags int, mode uint32) (*os.File, error) {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, mode)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// errno strips the op and path that package os adds, which errs.Op says already.
func errno(err error) error {
	if e, ok := err.(*os.PathError); ok {
		return e.Err
	}
	return err
}

// outside maps a user id by the rows of a uid_map, user_namespaces(7): first id inside,
// first id outside, count. An unmapped id is its own image.
func outside(rows string, id int) int {
	for row := range strings.Lines(rows) {
		var in, out, count int
		if _, err := fmt.Sscan(row, &in, &out, &count); err != nil {
			continue
		}
		if in <= id && id < in+count {
			return out + id - in
		}
	}
	return id
}

// rootless is true for all but the root of the host, or of a namespace that maps it.
func (c caller) rootless() bool { return c.euid != 0 || c.hostUID != 0 }

// stateDir is where the containers of this caller are kept.
func (c caller) stateDir() (string, error) {
	if !c.rootless() {
		return rootDir, nil
	}
	uid := strconv.Itoa(c.hostUID)
	for _, dir := range []string{c.runtimeDir, filepath.Join(c.userDirs, uid)} {
		if filepath.IsAbs(dir) && isDir(dir) {
			return filepath.Join(dir, "rt"), nil
		}
	}
	return claim(filepath.Join(c.tmp, "rt-"+uid), c.euid)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// claim makes dir, in a directory that everybody can write to, and refuses it if it is
// another user's, is a symbolic link, or can be written by others. Once it is ours the
// sticky bit keeps it so.
func claim(dir string, euid int) (string, error) {
	if err := unix.Mkdir(dir, 0o700|unix.S_ISVTX); err != nil && err != unix.EEXIST {
		return "", errs.Op("mkdir", dir, err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return "", errs.Op("lstat", dir, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != euid || st.Mode&0o022 != 0 {
		return "", &errs.Error{Op: "use", Path: dir, Kind: errs.Permission,
			Err: fmt.Errorf("not a private directory of uid %d; give --root or set XDG_RUNTIME_DIR", euid)}
	}
	return dir, nil
}
