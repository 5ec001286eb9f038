package kernel

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Process is one process for good: a pid alone may be given to another.
type Process struct {
	Pid   int
	Start uint64 // clock ticks since boot
	Dead  bool   // a zombie, or on its way
}

// ReadProcess reads /proc/PID/stat; unix.ESRCH if there is no such process.
func ReadProcess(pid int) (Process, error) {
	raw, err := ReadFile("/proc/"+strconv.Itoa(pid)+"/stat", 1024)
	if err == unix.ENOENT {
		err = unix.ESRCH
	}
	if err != nil {
		return Process{}, err
	}
	// The name, in parentheses, may hold anything.
	i := bytes.LastIndexByte(raw, ')')
	f := strings.Fields(string(raw[i+1:]))
	if len(f) < 20 {
		return Process{}, unix.ESRCH
	}
	start, err := strconv.ParseUint(f[19], 10, 64)
	return Process{Pid: pid, Start: start, Dead: f[0] == "Z" || f[0] == "X"}, err
}

// InnerPid is the number that the process pid has in its own pid namespace: the last of
// NSpid in proc_pid_status(5).
func InnerPid(pid int) (int, error) {
	raw, err := ReadFile("/proc/"+strconv.Itoa(pid)+"/status", 16<<10)
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(raw), "\nNSpid:")
	line, _, _ := strings.Cut(rest, "\n")
	f := strings.Fields(line)
	if len(f) == 0 {
		return 0, unix.ESRCH
	}
	return strconv.Atoi(f[len(f)-1])
}

// OuterUID is our number of the user uid of the user namespace that the process pid is in:
// user_namespaces(7), uid_map. ok is false if there is no such user.
func OuterUID(pid int, uid uint32) (outer uint32, ok bool, err error) {
	raw, err := ReadFile("/proc/"+strconv.Itoa(pid)+"/uid_map", 16<<10)
	if err != nil {
		return 0, false, err
	}
	outer, ok = outerID(string(raw), uid)
	return outer, ok, nil
}

func outerID(rows string, id uint32) (uint32, bool) {
	for row := range strings.Lines(rows) {
		var n [3]uint64
		for i, word := range strings.Fields(row) {
			n[min(i, 2)], _ = strconv.ParseUint(word, 10, 32)
		}
		if at := uint64(id) - n[0]; uint64(id) >= n[0] && at < n[2] {
			return uint32(n[1] + at), true
		}
	}
	return 0, false
}

// BootID names this boot: a start time means nothing in another one.
func BootID() (string, error) {
	raw, err := ReadFile("/proc/sys/kernel/random/boot_id", 64)
	return strings.TrimSpace(string(raw)), err
}

// Pidfd opens the process, if it still is the one that started at start.
func Pidfd(pid int, start uint64) (int, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, err
	}
	p, err := ReadProcess(pid)
	if err == nil && (p.Start != start || p.Dead) {
		err = unix.ESRCH
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// OpenProc opens the host's /proc, and makes sure that it is one (proc(5)): the root of a
// procfs has the inode 1.
func OpenProc() (int, error) {
	fd, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var fs unix.Statfs_t
	var st unix.Stat_t
	err = unix.Fstatfs(fd, &fs)
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	if err == nil && (fs.Type != unix.PROC_SUPER_MAGIC || st.Ino != 1) {
		err = unix.ENODEV
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// WriteProc writes value to a file of the process in the host's procfs, in one write(2). The
// error is the bare errno.
func WriteProc(pid int, file, value string) error {
	proc, err := OpenProc()
	if err != nil {
		return err
	}
	defer unix.Close(proc)
	fd, err := unix.Openat2(proc, strconv.Itoa(pid)+"/"+file, &unix.OpenHow{
		Flags:   unix.O_WRONLY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(value))
	return err
}

// MountPointOf finds the mount that path lies on, by its id (statx(2), since Linux 5.8).
func MountPointOf(path string) (string, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, &st); err != nil {
		return "", &os.PathError{Op: "statx", Path: path, Err: err}
	}
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	want := strconv.FormatUint(st.Mnt_id, 10)
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) > 4 && f[0] == want {
			return unescape(f[4]), nil
		}
	}
	return "", &os.PathError{Op: "find the mount of", Path: path, Err: unix.ENOENT}
}

// unescape undoes the octal escapes of mountinfo: "\040" is a space.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
