package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// deadline bounds every command: a runtime that hangs fails its case, not the whole run.
const deadline = 20 * time.Second

// runner starts programs, one at a time, and keeps the last one's output in a file: a pipe
// would stay open as long as a container does.
type runner struct {
	null, out *os.File
}

// newRunner has a null device of its own: crun gives its standard streams to the root of a
// user namespace, and the host's /dev/null must not go that way.
func newRunner(outPath string) (*runner, error) {
	path := outPath + ".null"
	if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil {
		return nil, &os.PathError{Op: "mknod", Path: path, Err: err}
	}
	null, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile(outPath, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &runner{null, out}, nil
}

// timed runs argv to its end and gives the wall clock from before the fork to after wait4.
// Call it on a locked thread. os/exec would add some 0.3 ms of its own.
func (r *runner) timed(argv []string) (time.Duration, error) {
	if err := r.out.Truncate(0); err != nil {
		return 0, err
	}
	start := time.Now()
	status, err := r.wait(argv)
	took := time.Since(start)
	if err != nil {
		return took, fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	if !status.Exited() || status.ExitStatus() != 0 {
		return took, fmt.Errorf("%s: %s: %s", strings.Join(argv, " "), describe(status), r.tail())
	}
	return took, nil
}

// plain is timed for work around the samples.
func (r *runner) plain(argv ...string) error {
	_, err := r.timed(argv)
	return err
}

// output is what the last program wrote, both streams.
func (r *runner) output() []byte {
	data, err := os.ReadFile(r.out.Name())
	if err != nil {
		return []byte(err.Error())
	}
	return data
}

func (r *runner) tail() string {
	text := bytes.TrimSpace(r.output())
	return string(text[max(0, len(text)-300):])
}

func (r *runner) wait(argv []string) (syscall.WaitStatus, error) {
	var status syscall.WaitStatus
	pidfd := -1
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{
		Env:   childEnv(),
		Files: []uintptr{r.null.Fd(), r.out.Fd(), r.out.Fd()},
		Sys:   &syscall.SysProcAttr{PidFD: &pidfd},
	})
	if err != nil {
		return status, err
	}
	defer unix.Close(pidfd)
	timer := time.AfterFunc(deadline, func() { unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0) })
	defer timer.Stop()
	for {
		_, err = syscall.Wait4(pid, &status, 0, nil)
		if err != syscall.EINTR {
			return status, err
		}
	}
}

func childEnv() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
}

func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + unix.SignalName(status.Signal())
	}
	return fmt.Sprintf("exit %d", status.ExitStatus())
}
