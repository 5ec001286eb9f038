//go:build managers

package managers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// world is what TestMain made before the first test, and what the tests have found.
type world struct {
	prefix string // in the name of every container, cgroup and directory of this run
	base   string // directory of this run, removed by the outermost process
	rootfs string // what images are made from
	rt     string // absolute path of the rt that is tested
	cells  []cell // in the order in which the rows ended

	reasons []lack // of rows that were not tried
}

var it world

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "managers: needs root")
		os.Exit(1)
	}
	prefix := nested() // returns in the innermost process only
	if err := it.setUp(prefix); err != nil {
		fmt.Fprintln(os.Stderr, "managers:", err)
		os.Exit(1)
	}
	code := m.Run()
	printTable(os.Stdout, it.cells)
	printReasons(os.Stdout, it.reasons)
	os.Exit(code)
}

func (w *world) setUp(prefix string) (err error) {
	w.prefix = prefix
	w.base = filepath.Join("/var/tmp", prefix) // a normal disk: overlayfs lies on top of it
	if os.Getenv("RT") == "" {
		return errors.New("RT has to name the rt to test (make managers does)")
	}
	if w.rt, err = filepath.Abs(os.Getenv("RT")); err != nil {
		return err
	}
	if err := os.Mkdir(w.base, 0o711); err != nil {
		return err
	}
	if err := settle(w.base); err != nil {
		return err
	}
	w.rootfs = filepath.Join(w.base, "rootfs")
	return makeRootfs(w.rootfs)
}

// scratch makes a directory of this run that is gone after t. It is on a normal disk, and its
// path is short: some sockets lie below it.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(it.base, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unmountBelow(t, dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// unmountBelow takes away what a manager leaves mounted on purpose, as podman its store. These
// mounts are in the tests' own namespace.
func unmountBelow(t *testing.T, dir string) {
	t.Helper()
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Error(err)
	}
	lines := strings.Split(string(data), "\n")
	slices.Reverse(lines)
	for _, line := range lines {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			if err := unix.Unmount(fields[4], unix.MNT_DETACH); err != nil {
				t.Errorf("umount %s: %v", fields[4], err)
			}
		}
	}
}
