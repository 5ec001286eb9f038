package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// world is what the cases share: directories, contestants, and those that are not there.
type world struct {
	opts                  options
	dir, rootfs, stateDir string
	prefix                string // of every container's id and group
	runner                *runner
	contestants           []contestant
	missing               []string
	interrupts            chan os.Signal
}

func newWorld(o options) (w *world, err error) {
	w = &world{opts: o, prefix: fmt.Sprintf("rtbench-%d-", os.Getpid()), interrupts: make(chan os.Signal, 1)}
	signal.Notify(w.interrupts, unix.SIGINT, unix.SIGTERM)
	if w.dir, err = os.MkdirTemp(o.dir, "rtbench-"); err != nil {
		return nil, err
	}
	if err = os.Chmod(w.dir, 0o711); err != nil { // root of a user namespace has to pass
		return nil, err
	}
	defer func() {
		if err != nil {
			w.remove()
		}
	}()
	if w.stateDir, err = os.MkdirTemp(o.stateDir, "rtbench-state-"); err != nil {
		return nil, err
	}
	w.rootfs = filepath.Join(w.dir, "rootfs")
	if err = makeRootfs(w.rootfs); err != nil {
		return nil, err
	}
	if w.runner, err = newRunner(filepath.Join(w.dir, "output")); err != nil {
		return nil, err
	}
	w.addContestants()
	return w, nil
}

func (w *world) remove() {
	for _, dir := range []string{w.dir, w.stateDir} {
		if dir == "" {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, "bench: leaves behind:", err)
		}
	}
}

// stopped is true after SIGINT or SIGTERM: what has been measured so far is printed.
func (w *world) stopped() bool { return len(w.interrupts) > 0 }

func (w *world) addContestants() {
	for _, name := range []string{"rt", "crun", "runc", "floor"} {
		if !chosen(w.opts.only, name) {
			continue
		}
		c, err := w.contestant(name)
		if err != nil {
			w.missing = append(w.missing, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		w.contestants = append(w.contestants, c)
	}
}

func (w *world) contestant(name string) (contestant, error) {
	if name == "floor" {
		path := filepath.Join(w.dir, "floor")
		return &floor{path}, buildFloor("bench/floor", path)
	}
	file := name
	if name == "rt" {
		file = w.opts.rt
	}
	path, err := findProgram(file)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(w.stateDir, name)
	return &oci{name, path, root, w.runner}, os.Mkdir(root, 0o700)
}

// findProgram is the absolute path of a program given by name or path.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) && !strings.Contains(name, "/") {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// id names a container: the contestant's, the n-th of its case.
func (w *world) id(c contestant, what string, n int) string {
	return fmt.Sprintf("%s%s-%s-%d", w.prefix, c.name(), what, n)
}
