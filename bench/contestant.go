package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// contestant gives the command lines of a runtime; container ids are also group names.
type contestant interface {
	name() string
	describe() string
	run(b bundle, id string) []string
	cycle(b bundle, id string) [][]string // create, start, delete -f
	hold(b bundle, id, state string) (*held, error)
	dropCache() error
}

// held is a container that waits in the state it was asked for ("created" or "running").
type held struct {
	pid     int
	exec    func(args ...string) []string
	release func() error
}

// oci is a runtime with runc's command line.
type oci struct {
	label, path, root string
	runner            *runner
}

func (o *oci) name() string { return o.label }

func (o *oci) describe() string {
	if err := o.runner.plain(o.path, "--version"); err != nil {
		return err.Error()
	}
	return o.path + ", " + strings.ReplaceAll(strings.TrimSpace(string(o.runner.output())), "\n", ", ")
}

func (o *oci) command(args ...string) []string {
	return append([]string{o.path, "--root", o.root}, args...)
}

func (o *oci) run(b bundle, id string) []string { return o.command("run", "--bundle", b.dir, id) }

func (o *oci) cycle(b bundle, id string) [][]string {
	return [][]string{
		o.command("create", "--bundle", b.dir, id),
		o.command("start", id),
		o.command("delete", "-f", id),
	}
}

func (o *oci) hold(b bundle, id, state string) (*held, error) {
	release := func() error { return o.runner.plain(o.command("delete", "-f", id)...) }
	if err := o.runner.plain(o.command("create", "--bundle", b.dir, id)...); err != nil {
		return nil, err
	}
	pid, err := o.pid(id)
	if err == nil && state == "running" {
		err = o.runner.plain(o.command("start", id)...)
	}
	if err != nil {
		return nil, errors.Join(err, release())
	}
	exec := func(args ...string) []string { return o.command(append([]string{"exec", id}, args...)...) }
	return &held{pid, exec, release}, nil
}

func (o *oci) pid(id string) (int, error) {
	if err := o.runner.plain(o.command("state", id)...); err != nil {
		return 0, err
	}
	var state struct{ Pid int }
	if err := json.Unmarshal(o.runner.output(), &state); err != nil {
		return 0, fmt.Errorf("%s state: %w", o.label, err)
	}
	if state.Pid <= 0 {
		return 0, fmt.Errorf("%s state: no pid", o.label)
	}
	return state.Pid, nil
}

// dropCache removes what runtimes keep beside their containers: rt's @cache, crun's .cache.
func (o *oci) dropCache() error {
	return errors.Join(os.RemoveAll(filepath.Join(o.root, "@cache")), os.RemoveAll(filepath.Join(o.root, ".cache")))
}

// waitExit waits until a process that is not a child has exited.
func waitExit(pidfd int, limit time.Duration) error {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for end := time.Now().Add(limit); time.Now().Before(end); {
		n, err := unix.Poll(fds, int(time.Until(end).Milliseconds())+1)
		if n == 1 {
			return nil
		}
		if err != nil && err != unix.EINTR {
			return err
		}
	}
	return errors.New("init does not exit")
}
