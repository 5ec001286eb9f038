//go:build managers

package managers

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRemains: what is left behind is seen, and what is gone is not.
func TestRemains(t *testing.T) {
	before := census(t)
	dir := scratch(t)
	group := "/sys/fs/cgroup/pids/" + it.prefix + "/left"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		group = "/sys/fs/cgroup/" + it.prefix + "/left"
	}
	if err := os.MkdirAll(group, 0o755); err != nil {
		t.Fatal(err)
	}
	defer unix.Rmdir(group)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	sleep := exec.Command("sleep", "1000")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	left := remains(t, before)
	sleep.Process.Kill()
	sleep.Wait()
	if len(left) != 3 || !slices.Contains(left, "process ~ sleep ~") || !slices.Contains(left, "cgroup "+strings.ReplaceAll(group, it.prefix, "~")) {
		t.Errorf("%q", left)
	}
	unix.Unmount(dir, unix.MNT_DETACH)
	unix.Rmdir(group)
	if left = remains(t, before); len(left) != 0 {
		t.Errorf("afterwards: %q", left)
	}
}

// TestComplaints: errors and warnings of each format, without what varies.
func TestComplaints(t *testing.T) {
	e := &engine{dir: scratch(t), bin: "/sbin/rt"}
	e.said.WriteString(strings.Join([]string{
		`time="2026-01-02T03:04:05Z" level=warning msg="container rtmgr-12-rt-3 is odd"`,
		`time="2026-01-02T03:04:06Z" level=warning msg="container rtmgr-12-rt-4 is odd"`,
		`{"level":"error","msg":"x","time":"2026-01-02T03:04:05Z"}`,
		`<3>Jan  2 03:04:05 conmon: conmon 0123456789abcdef0123 <error>: Failed`,
		`W0102 03:04:05.1 klog`, `time="x" level=info msg="fine"`, `plain text`,
	}, "\n"))
	if got := e.complaints(t); len(got) != 4 {
		t.Errorf("%d: %q", len(got), got)
	}
}
