package idmap

import (
	"errors"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// patience is how long a helper may take: it may ask a directory service for the user.
const patience = 30 * time.Second

// helper is a running newuidmap(1) or newgidmap(1).
type helper struct {
	path, where string
	pid         int
	stderr      int
}

// start runs the helpers for the maps that the caller cannot write. It gives those that run,
// also with an error.
func start(pid int, both [2]side, path string) (running []helper, err error) {
	for _, s := range both {
		if s.direct {
			continue
		}
		h, err := s.start(pid, path)
		if err != nil {
			return running, err
		}
		running = append(running, h)
	}
	return running, nil
}

func (s side) start(pid int, path string) (helper, error) {
	file := find(s.helper, path)
	if file == "" {
		err := errors.New("not found, and without CAP_SETUID and CAP_SETGID only the caller's own id can be mapped: install uidmap (shadow-utils), and give the user a range in /etc/subuid and /etc/subgid")
		return helper{}, &errs.Error{Op: "run", Path: s.helper, Where: s.where, Kind: errs.NotFound, Err: err}
	}
	h := helper{path: file, where: s.where}
	argv := append([]string{s.helper, strconv.Itoa(pid)}, strings.Fields(Text(s.list))...)
	err := h.launch(argv)
	return h, errs.At(s.where, "run", file, err)
}

// find looks for an executable file in the directories of path and the usual ones. Relative
// directories do not count.
func find(name, path string) string {
	for dir := range strings.SplitSeq(path+":/usr/bin:/usr/sbin:/usr/local/bin:/bin:/sbin", ":") {
		file := dir + "/" + name
		var st unix.Stat_t
		if strings.HasPrefix(dir, "/") && unix.Stat(file, &st) == nil &&
			st.Mode&unix.S_IFMT == unix.S_IFREG && unix.Access(file, unix.X_OK) == nil {
			return file
		}
	}
	return ""
}

// launch uses no os/exec, which tries out pidfds by a fork of its own first. The environment
// is empty: messages come in English.
func (h *helper) launch(argv []string) error {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(null)
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	defer unix.Close(pipe[1])
	files := []uintptr{uintptr(null), uintptr(null), uintptr(pipe[1])}
	if h.pid, err = syscall.ForkExec(h.path, argv, &syscall.ProcAttr{Files: files}); err != nil {
		unix.Close(pipe[0])
		return err
	}
	h.stderr = pipe[0]
	return nil
}

// wait returns when the helper has ended, killed if it takes longer than limit.
func (h helper) wait(limit time.Duration) error {
	said, ended := h.read(time.Now().Add(limit))
	unix.Close(h.stderr)
	if !ended {
		unix.Kill(h.pid, unix.SIGKILL) // we are its real user, whatever its file is set to
	}
	var status unix.WaitStatus
	_, err := unix.Wait4(h.pid, &status, 0, nil)
	for err == unix.EINTR {
		_, err = unix.Wait4(h.pid, &status, 0, nil)
	}
	switch {
	case err != nil:
		return errs.At(h.where, "wait for", h.path, err)
	case !ended:
		return h.fault(errs.Timeout, "it did not end within "+limit.String())
	case status.ExitStatus() == 0:
		return nil
	case status.Signaled():
		said = "killed by " + unix.SignalName(status.Signal())
	case said == "":
		said = "exit status " + strconv.Itoa(status.ExitStatus())
	}
	return h.fault(errs.Permission, said)
}

func (h helper) fault(kind errs.Kind, text string) error {
	return &errs.Error{Op: "run", Path: h.path, Where: h.where, Kind: kind, Err: errors.New(text)}
}

// read takes what the helper says until it closes its stderr, which it does by ending; false:
// it has not by the deadline.
func (h helper) read(deadline time.Time) (said string, ended bool) {
	const enough = 4096
	var text []byte
	buf := make([]byte, enough)
	for {
		wait := []unix.PollFd{{Fd: int32(h.stderr), Events: unix.POLLIN}}
		n, err := unix.Poll(wait, int(max(time.Until(deadline), 0).Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if n == 0 || err != nil {
			return "", false
		}
		n, err = unix.Read(h.stderr, buf)
		if n <= 0 || err != nil {
			return strings.Join(strings.Fields(string(text)), " "), true
		}
		text = append(text, buf[:min(n, enough-len(text))]...)
	}
}
