//go:build managers

package managers

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// This program starts itself twice: the outermost process stays in the caller's namespaces
// and cleans up; the next one is PID 1 of new ones and reaps orphans; the third runs the tests.
const (
	nestPrefix = "RT_MANAGERS_PREFIX"
	nestReaper = "RT_MANAGERS_REAPER"
)

func nested() string {
	prefix, inside := os.LookupEnv(nestPrefix)
	if !inside {
		os.Exit(outermost())
	}
	if os.Getenv(nestReaper) == "" {
		os.Exit(reaper())
	}
	os.Unsetenv(nestPrefix)
	os.Unsetenv(nestReaper)
	return prefix
}

func outermost() int {
	runtime.LockOSThread() // Pdeathsig follows the thread
	prefix := fmt.Sprintf("rtmgr-%d", os.Getpid())
	cmd := again(nestPrefix + "=" + prefix)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	defer sweep(prefix)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "managers:", err)
		return 1
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT)
	go func() {
		<-signals
		cmd.Process.Kill() // PID 1: everything in its namespace goes with it
	}()
	cmd.Wait()
	return exitCode(cmd.ProcessState.Sys().(syscall.WaitStatus))
}

func again(env string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), env)
	return cmd
}

// reaper is PID 1: it waits for whatever re-parents to it, and ends with the tests.
func reaper() int {
	cmd := again(nestReaper + "=1")
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fmt.Fprintln(os.Stderr, "managers: make / private:", err)
		return 1
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		fmt.Fprintln(os.Stderr, "managers: mount /proc:", err)
		return 1
	}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "managers:", err)
		return 1
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if pid == cmd.Process.Pid {
			return exitCode(status)
		}
		if err != nil && err != syscall.EINTR {
			fmt.Fprintln(os.Stderr, "managers: wait4:", err)
			return 1
		}
	}
}

func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// settle gives the tests an empty /run, and an /etc and a /var/lib that forget what is written.
func settle(base string) error {
	unix.Umask(0o022)
	// As on any host with systemd; volumes with rshared need it. Nothing of it leaves this namespace.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("make / shared: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	for _, dir := range []string{"/etc", "/var/lib"} {
		layer := filepath.Join(base, "layers", strings.ReplaceAll(dir[1:], "/", "-"))
		upper, work := layer+"/upper", layer+"/work"
		for _, d := range []string{upper, work} {
			if err := os.MkdirAll(d, 0o755); err != nil {
				return err
			}
		}
		if err := unix.Mount("overlay", dir, "overlay", 0, "lowerdir="+dir+",upperdir="+upper+",workdir="+work); err != nil {
			return fmt.Errorf("mount overlay on %s: %w", dir, err)
		}
	}
	if err := ownDev(filepath.Join(base, "layers", "dev")); err != nil {
		return err
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("ip link set lo up: %w: %s", err, out)
	}
	return nil
}

// ownDev lays a layer over /dev, so that a host without a service manager has what hosts with
// one have: /dev/mqueue, and a /dev/net/tun that all may open.
func ownDev(layer string) error {
	submounts := []string{"/dev/pts", "/dev/shm"}
	for _, dir := range []string{"upper", "work", "pts", "shm"} {
		if err := os.MkdirAll(filepath.Join(layer, dir), 0o755); err != nil {
			return err
		}
	}
	for _, dir := range submounts {
		if err := unix.Mount(dir, filepath.Join(layer, filepath.Base(dir)), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("keep %s: %w", dir, err)
		}
	}
	if err := unix.Mount("overlay", "/dev", "overlay", 0, "lowerdir=/dev,upperdir="+layer+"/upper,workdir="+layer+"/work"); err != nil {
		return fmt.Errorf("mount overlay on /dev: %w", err)
	}
	for _, dir := range submounts {
		if err := unix.Mount(filepath.Join(layer, filepath.Base(dir)), dir, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s again: %w", dir, err)
		}
	}
	if err := os.MkdirAll("/dev/mqueue", 0o755); err != nil {
		return err
	}
	if err := unix.Mount("mqueue", "/dev/mqueue", "mqueue", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /dev/mqueue: %w", err)
	}
	return os.Chmod("/dev/net/tun", 0o666)
}

// sweep removes the directories and cgroups of a run whose processes are all dead.
func sweep(prefix string) {
	for _, dir := range cgroupDirs(prefix) {
		if err := unix.Rmdir(dir); err != nil {
			fmt.Fprintf(os.Stderr, "managers: left behind: %s: %v\n", dir, err)
		}
	}
	if err := os.RemoveAll(filepath.Join("/var/tmp", prefix)); err != nil {
		fmt.Fprintln(os.Stderr, "managers:", err)
	}
}

// cgroupDirs are the groups with the prefix in their path, the deepest first.
func cgroupDirs(prefix string) []string {
	var dirs []string
	filepath.WalkDir("/sys/fs/cgroup", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.Contains(path, prefix) {
			dirs = append(dirs, path)
		}
		return nil
	})
	slices.Reverse(dirs)
	return dirs
}
