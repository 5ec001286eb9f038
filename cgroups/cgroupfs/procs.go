package cgroupfs

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// Pids lists every process in the group at path and below, sorted, each once. Processes
// outside the caller's PID namespace are not in it: the kernel shows them as 0.
func Pids(path string) ([]int, error) {
	var pids []int
	err := Walk(path, func(dir int) error {
		text, err := readAt(dir, "cgroup.procs")
		// EOPNOTSUPP: a threaded v2 group; the processes are listed by one above it.
		if err != nil && err != unix.EOPNOTSUPP {
			return err
		}
		for field := range strings.FieldsSeq(text) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
		return nil
	}, nil)
	slices.Sort(pids)
	return slices.Compact(pids), err
}

// batch bounds the pidfds that are open at a time; a group may hold more processes than
// RLIMIT_NOFILE allows.
const batch = 256

// Signal sends sig to every process in the group at path and below. It returns pidfds of up
// to 256 of those it was sent to; the caller closes them.
func Signal(path string, pids []int, sig unix.Signal) ([]int, error) {
	var kept []int
	for chunk := range slices.Chunk(pids, batch) {
		fds, err := signalChunk(path, chunk, sig)
		if err != nil {
			CloseAll(slices.Concat(kept, fds))
			return nil, err
		}
		if kept == nil {
			kept = fds
			continue
		}
		CloseAll(fds)
	}
	return kept, nil
}

// signalChunk opens all pidfds, then reads the list again. A pidfd whose pid is still in it
// is either of a process in the group, or of one that is gone (and signals to it are lost);
// without that a pid that was used again could belong to anybody.
func signalChunk(path string, pids []int, sig unix.Signal) ([]int, error) {
	type proc struct{ pid, fd int }
	var procs []proc
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		if err == nil {
			procs = append(procs, proc{pid, fd})
		} else if err != unix.ESRCH && err != unix.EINVAL {
			return nil, errs.Op("pidfd_open", strconv.Itoa(pid), err)
		}
	}
	still, err := Pids(path)
	var fds []int
	for _, p := range procs {
		if _, found := slices.BinarySearch(still, p.pid); !found || err != nil {
			unix.Close(p.fd)
			continue
		}
		fds = append(fds, p.fd)
		if e := unix.PidfdSendSignal(p.fd, sig, nil, 0); e != nil && e != unix.ESRCH {
			err = errs.Op("signal", strconv.Itoa(p.pid), e)
		}
	}
	return fds, err
}

// CloseAll closes fds.
func CloseAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// Left is the timeout error that names the processes left in the group at path.
func Left(op, path string) error {
	pids, err := Pids(path)
	if err != nil {
		return err
	}
	const most = 8
	var names []string
	for _, pid := range pids[:min(len(pids), most)] {
		names = append(names, describe(pid))
	}
	if len(pids) > most {
		names = append(names, "…")
	}
	text := "deadline passed, nothing left in it that can be seen"
	if len(pids) > 0 {
		text = "deadline passed, processes left: " + strconv.Itoa(len(pids)) + ": " + strings.Join(names, ", ")
	}
	return &errs.Error{Op: op, Path: path, Kind: errs.Timeout, Err: errors.New(text)}
}

// describe is "PID (NAME, STATE[, KERNEL FUNCTION IT WAITS IN])", see proc_pid_stat(5).
func describe(pid int) string {
	proc := "/proc/" + strconv.Itoa(pid)
	stat, _ := readAt(unix.AT_FDCWD, proc+"/stat")
	_, rest, _ := strings.Cut(stat, "(")
	end := strings.LastIndexByte(rest, ')')
	if end < 0 || len(rest) < end+3 {
		return strconv.Itoa(pid) + " (gone)"
	}
	text := strconv.Itoa(pid) + " (" + rest[:end] + ", " + rest[end+2:end+3]
	if wchan, _ := readAt(unix.AT_FDCWD, proc+"/wchan"); wchan != "" && wchan != "0" {
		text += ", " + wchan
	}
	return text + ")"
}

// WaitExit waits until every process behind the pidfds has exited; false: the deadline
// passed.
func WaitExit(pidfds []int, deadline time.Time) (bool, error) {
	polls := make([]unix.PollFd, len(pidfds))
	for i, fd := range pidfds {
		polls[i] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	}
	for len(polls) > 0 {
		ready, err := poll(polls, deadline)
		if err != nil || !ready {
			return false, err
		}
		polls = slices.DeleteFunc(polls, func(p unix.PollFd) bool { return p.Revents != 0 })
	}
	return true, nil
}

// WaitPids is WaitExit for pids that may be gone already. Only the first 256 are waited for.
func WaitPids(pids []int, deadline time.Time) (bool, error) {
	var fds []int
	defer func() { CloseAll(fds) }()
	for _, pid := range pids[:min(len(pids), batch)] {
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			fds = append(fds, fd)
		}
	}
	return WaitExit(fds, deadline)
}

// WaitEvent waits until key has the value want in the events file of the v2 group at path;
// false: the deadline passed. A group that is gone counts as reached.
func WaitEvent(path, key, want string, deadline time.Time) (bool, error) {
	name := path + "/cgroup.events"
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Gone(err), ignoreGone("open", name, err)
	}
	defer unix.Close(fd)
	var buf [256]byte
	for {
		// One read: a second one, for the end of the file, could take an event away from poll.
		n, err := unix.Pread(fd, buf[:], 0)
		if err != nil {
			return Gone(err), ignoreGone("read", name, err)
		}
		if got, _ := Value(string(buf[:n]), key); got == want {
			return true, nil
		}
		ready, err := poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}}, deadline)
		if err != nil || !ready {
			return false, err
		}
	}
}

func ignoreGone(op, path string, err error) error {
	if Gone(err) {
		return nil
	}
	return errs.Op(op, path, err)
}

// poll is poll(2) with a deadline and without EINTR; false: the deadline passed.
func poll(fds []unix.PollFd, deadline time.Time) (bool, error) {
	for {
		left := max(time.Until(deadline), 0)
		ms := min(int64((left+time.Millisecond-1)/time.Millisecond), 1<<30)
		n, err := unix.Poll(fds, int(ms))
		if err == nil {
			return n > 0, nil
		}
		if err != unix.EINTR {
			return false, errs.Op("poll", "", err)
		}
	}
}
