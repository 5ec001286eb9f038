package kernel

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// sleeper is a process called name.
func sleeper(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	program, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/" + name
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// ticks is the time since boot in the unit of a start time: USER_HZ is 100 everywhere.
func ticks(t *testing.T) uint64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		t.Fatal(err)
	}
	return uint64(now.Sec)*100 + uint64(now.Nsec)/1e7
}

// TestReadProcess: the name of a process is its own to choose, and stands before the rest.
func TestReadProcess(t *testing.T) {
	for _, name := range []string{"plain", "a b", ") (", "x) Z 1 1 1", "a) X 0 (b", "((((", "))))", "a\nb) Z 1", ") S ) Z )"} {
		t.Run(name, func(t *testing.T) {
			before := ticks(t)
			pid := sleeper(t, name).Process.Pid
			p, err := ReadProcess(pid)
			if err != nil || p.Pid != pid || p.Dead || p.Start < before || p.Start > ticks(t) {
				t.Errorf("%+v, %v; pid %d, started after %d", p, err, pid, before)
			}
		})
	}
}

func TestReadProcessGone(t *testing.T) {
	cmd := sleeper(t, "sleeper")
	pid := cmd.Process.Pid
	alive, err := ReadProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Process.Kill()
	unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	zombie, err := ReadProcess(pid)
	if err != nil || !zombie.Dead || zombie.Start != alive.Start {
		t.Errorf("a zombie is %+v, %v", zombie, err)
	}
	if _, err := Pidfd(pid, alive.Start); err != unix.ESRCH {
		t.Errorf("a pidfd for a zombie: %v", err)
	}
	cmd.Wait()
	if _, err := ReadProcess(pid); err != unix.ESRCH {
		t.Errorf("after its end: %v", err)
	}
	if _, err := Pidfd(pid, alive.Start); err != unix.ESRCH {
		t.Errorf("a pidfd after its end: %v", err)
	}
}

// TestPidfd: a pid that another process has got since is not the one that was meant.
func TestPidfd(t *testing.T) {
	pid := sleeper(t, "sleeper").Process.Pid
	p, err := ReadProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := Pidfd(pid, p.Start)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	info, _ := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if !strings.Contains(string(info), "Pid:\t"+strconv.Itoa(pid)+"\n") {
		t.Errorf("the pidfd is\n%s", info)
	}
	before := openFds(t)
	for _, wrong := range []uint64{0, p.Start - 1, p.Start + 1} {
		if _, err := Pidfd(pid, wrong); err != unix.ESRCH {
			t.Errorf("start time %d instead of %d: %v", wrong, p.Start, err)
		}
	}
	if after := openFds(t); after != before {
		t.Errorf("%d fds open, %d before", after, before)
	}
}

func openFds(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// onThread runs f on a thread of its own, which ends with it. The first thread never ends.
func onThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			result <- onThread(f)
			return
		}
		result <- f()
	}()
	return <-result
}

// TestOpenProc: what is mounted on /proc must be a whole procfs (CVE-2019-16884).
func TestOpenProc(t *testing.T) {
	fd, err := OpenProc()
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	for _, r := range []struct {
		name, source, fstype string
		flags                uintptr
		want                 error
	}{
		{"a tmpfs", "tmpfs", "tmpfs", 0, unix.ENODEV},
		{"a part of a procfs", "/proc/sys", "", unix.MS_BIND, unix.ENODEV},
		{"a process's directory", "/proc/1", "", unix.MS_BIND, unix.ENODEV},
		{"a file system with the inode 1 as its root", "ramfs", "sysfs", 0, unix.ENODEV},
		{"another procfs", "proc", "proc", 0, nil},
	} {
		t.Run(r.name, func(t *testing.T) {
			err := onThread(func() error {
				if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
					return err
				}
				if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
					return err
				}
				if err := unix.Mount(r.source, "/proc", r.fstype, r.flags, ""); err != nil {
					return err
				}
				fd, err := OpenProc()
				unix.Close(fd)
				return err
			})
			if err != r.want {
				t.Errorf("%v, expected %v", err, r.want)
			}
		})
	}
}

func TestMountPointOf(t *testing.T) {
	for _, r := range []struct{ path, want string }{{"/proc/self/status", "/proc"}, {"/proc", "/proc"}, {"/sys", "/sys"}} {
		if got, err := MountPointOf(r.path); err != nil || got != r.want {
			t.Errorf("%s lies on %s, %v; expected %s", r.path, got, err, r.want)
		}
	}
	if got, err := MountPointOf("/nosuch"); err == nil {
		t.Errorf("/nosuch lies on %s", got)
	}
	if os.Geteuid() != 0 {
		return
	}
	// A mount that only this thread's namespace has is not in the process's mountinfo.
	dir := t.TempDir()
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return err
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
			return err
		}
		if got, err := MountPointOf(dir); err == nil {
			t.Errorf("%s lies on %q", dir, got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUnescape(t *testing.T) {
	for _, r := range []struct{ text, want string }{
		{"", ""},
		{"/mnt", "/mnt"},
		{`/a\040b`, "/a b"},
		{`\011\012\134\043`, "\t\n\\#"},
		{`/a\134040`, `/a\040`},
		{`/a\04`, `/a\04`},
		{`/a\`, `/a\`},
		{`/a\999`, `/a\999`},
		{`/a\777`, `/a\777`},
		{`\303\244`, "ä"},
	} {
		if got := unescape(r.text); got != r.want {
			t.Errorf("%s: %q, expected %q", r.text, got, r.want)
		}
	}
}

func TestReadFile(t *testing.T) {
	path := t.TempDir() + "/f"
	os.WriteFile(path, []byte("0123456789"), 0o600)
	for limit, want := range map[int]string{4: "0123", 10: "0123456789", 99: "0123456789"} {
		if got, err := ReadFile(path, limit); err != nil || string(got) != want {
			t.Errorf("%d bytes: %q, %v", limit, got, err)
		}
	}
	if _, err := ReadFile(path+"x", 1); err != unix.ENOENT {
		t.Errorf("missing: %v", err)
	}
	if _, err := ReadFile(t.TempDir(), 1); err == nil {
		t.Error("a directory was read")
	}
}

func TestBootID(t *testing.T) {
	id, err := BootID()
	if err != nil || len(id) != 36 || strings.Count(id, "-") != 4 {
		t.Errorf("%q, %v", id, err)
	}
}
