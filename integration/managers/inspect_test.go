//go:build managers

package managers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// group is the directory of a controller's group that a process is in; on cgroup v2 it is the
// same for all of them.
func group(t *testing.T, pid int, controller string) (dir string, v1 bool) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		t.Fatal(err)
	}
	unified := ""
	for line := range strings.Lines(string(data)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if fields[0] == "0" {
			unified = fields[2]
			continue
		}
		for name := range strings.SplitSeq(fields[1], ",") {
			if name == controller {
				return filepath.Join("/sys/fs/cgroup", controller, fields[2]), true
			}
		}
	}
	return filepath.Join("/sys/fs/cgroup", unified), false
}

// groupLimit is what a file of the one or the other version of cgroups should hold.
type groupLimit struct{ controller, v1, v1Value, v2, v2Value string }

func (l groupLimit) check(t *testing.T, pid int) {
	t.Helper()
	dir, v1 := group(t, pid, l.controller)
	file, want := l.v2, l.v2Value
	if v1 {
		file, want = l.v1, l.v1Value
	}
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Error(err)
	}
	equal(t, file, strings.TrimSpace(string(data)), want)
}

// alive is whether a process is there, as the kernel sees it; a zombie is not.
func alive(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(data), ") Z ")
}

// parentOf is a process's parent.
func parentOf(t *testing.T, pid int) int {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	var state string
	var ppid int
	if _, err := fmt.Sscan(string(data[strings.LastIndexByte(string(data), ')')+1:]), &state, &ppid); err != nil {
		t.Fatal(err)
	}
	return ppid
}

// linkTo is where a symbolic link points to.
func linkTo(t *testing.T, path string) string {
	t.Helper()
	to, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// textOf is a file's text, without the white space around it.
func textOf(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}
