package libcontainer

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

// lock is the right to change a container's state: flock(2) on its file `lock`. The init
// of a create holds it too, until it is ready: who gets the lock finds no init half made.
type lock struct{ fd int }

// lockWait is how long a command waits for another one on the same container.
const lockWait = 10 * time.Second

// acquire takes the lock of the container in dir for a command.
func acquire(dir, command string, wait time.Duration) (lock, error) {
	deadline := time.Now().Add(wait)
	for {
		l, err := openLock(dir, unix.O_RDWR, 0, deadline)
		if err == unix.ENOENT {
			return lock{-1}, &errs.Error{Kind: errs.NotFound, Err: errNotExist}
		}
		if err != nil {
			return lock{-1}, err
		}
		if l.current(dir) {
			return l, l.sign(command)
		}
		l.release() // deleted, perhaps made anew, while we waited
	}
}

// claimLock makes the lock of a new container.
func claimLock(dir, command string, mode uint32) (lock, error) {
	l, err := openLock(dir, unix.O_RDWR|unix.O_CREAT, mode, time.Now())
	if err != nil {
		return l, errs.Op("lock", dir, err)
	}
	if !l.current(dir) {
		l.release()
		return lock{-1}, errs.Op("lock", dir, unix.ENOENT)
	}
	return l, l.sign(command)
}

func openLock(dir string, flags int, mode uint32, deadline time.Time) (lock, error) {
	fd, err := unix.Open(dir+"/"+fileLock, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW, mode)
	if err != nil {
		return lock{-1}, err
	}
	l := lock{fd}
	err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		err = l.await(dir, deadline)
	}
	if err != nil {
		l.release()
		return lock{-1}, err
	}
	return l, nil
}

// await blocks in a thread of its own; the kernel wakes it when the holder lets go.
func (l lock) await(dir string, deadline time.Time) error {
	got := make(chan error, 1)
	go func() {
		err := unix.Flock(l.fd, unix.LOCK_EX)
		for err == unix.EINTR {
			err = unix.Flock(l.fd, unix.LOCK_EX)
		}
		got <- err
	}()
	select {
	case err := <-got:
		return errs.Op("lock", dir, err)
	case <-time.After(time.Until(deadline)):
		return &errs.Error{Op: "lock", Path: dir, Kind: errs.Timeout, Err: errs.New(errs.Timeout, "another command holds it: "+holder(dir))}
	}
}

// holder reads who signed the lock.
func holder(dir string) string {
	pid, command := signature(dir)
	if pid == "" {
		return "unknown"
	}
	return command + ", pid " + pid
}

func signature(dir string) (pid, command string) {
	raw, err := kernel.ReadFile(dir+"/"+fileLock, 256)
	if err != nil {
		return "", ""
	}
	pid, command, _ = strings.Cut(strings.TrimSpace(string(raw)), " ")
	return pid, command
}

// endHolder sends a signal to the command that signed the lock, if it is one that may wait
// for a hook. Its pid is its own if the process has this lock open.
func endHolder(dir string, signal unix.Signal) {
	text, command := signature(dir)
	pid, err := strconv.Atoi(text)
	if err != nil || !slices.Contains([]string{"create", "run", "start", "delete"}, command) {
		return
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(pidfd)
	if hasOpen(pid, dir+"/"+fileLock) {
		unix.PidfdSendSignal(pidfd, signal, nil, 0)
	}
}

// hasOpen tells whether a process has the file open.
func hasOpen(pid int, path string) bool {
	fds := "/proc/" + strconv.Itoa(pid) + "/fd"
	entries, _ := os.ReadDir(fds)
	for _, e := range entries {
		if sameFile(fds+"/"+e.Name(), path) {
			return true
		}
	}
	return false
}

func sameFile(a, b string) bool {
	var one, other unix.Stat_t
	return unix.Stat(a, &one) == nil && unix.Stat(b, &other) == nil && one.Ino == other.Ino && one.Dev == other.Dev
}

// sign leaves a note for those who wait.
func (l lock) sign(command string) error {
	note := fmt.Sprintf("%-31s\n", strconv.Itoa(unix.Getpid())+" "+command) // always as long: no truncation
	_, err := unix.Pwrite(l.fd, []byte(note), 0)
	return errs.Op("write", fileLock, err)
}

// current tells whether the locked file is still the one at the path.
func (l lock) current(dir string) bool {
	var ours, theirs unix.Stat_t
	return unix.Fstat(l.fd, &ours) == nil && unix.Stat(dir+"/"+fileLock, &theirs) == nil && ours.Ino == theirs.Ino && ours.Dev == theirs.Dev
}

// release lets go, also for those who inherited the lock.
func (l lock) release() {
	unix.Flock(l.fd, unix.LOCK_UN)
	unix.Close(l.fd)
}
