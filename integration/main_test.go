package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// world is what TestMain found out before the first test. It is the one package variable,
// because TestMain has no other way to hand a value to tests.
type world struct {
	bin     string   // absolute path of the runtime
	kind    string   // first word of its --version: rt, runc, crun
	why     string   // why there is no usable binary
	prefix  string   // in every id, cgroup and directory of this run
	base    string   // directory of this run, removed by the outer process
	image   string   // the rootfs that containers get a copy of
	null    *os.File // a null device of our own: peers give their standard input away to users
	host    *os.File // mountinfo of the mount namespace outside
	shared  bool     // a caller without root: the tests are in no namespaces of their own
	procs   family
	skipped []skipped
	ran     int // rows
	next    int
}

var it world

// hostNetwork is the fd of the network namespace outside: debootstrap needs its mirror.
const hostNetwork = 4

// The outer process stays in the caller's namespaces; the inner one, PID 1 of new ones,
// runs the tests. inner names the variable that carries the prefix to the second one.
const inner = "RTIT_INNER"

func TestMain(m *testing.M) {
	if os.Getenv(shimVariable) != "" {
		os.Exit(shimMain())
	}
	prefix, isInner := os.LookupEnv(inner)
	if os.Geteuid() == 0 && !isInner {
		os.Exit(outside())
	}
	if err := it.setUp(prefix, isInner); err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		os.Exit(1)
	}
	code := it.report(m.Run())
	if !isInner {
		os.RemoveAll(it.base)
	}
	os.Exit(code)
}

// outside re-executes the tests as PID 1 of own namespaces and removes what is left of
// them. Network and UTS are among these so that a fault of the runtime cannot rename the
// host, and links of others do not enter the census.
func outside() int {
	runtime.LockOSThread() // Pdeathsig follows the thread
	prefix := fmt.Sprintf("rtit-%d", os.Getpid())
	mounts, err := os.Open("/proc/self/mountinfo")
	var network *os.File
	if err == nil {
		network, err = os.Open("/proc/self/ns/net")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		return 1
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inner+"="+prefix)
	cmd.ExtraFiles = []*os.File{mounts, network}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	defer sweep(prefix)
	return waitForwarding(cmd)
}

func waitForwarding(cmd *exec.Cmd) int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGQUIT)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		return 1
	}
	go func() {
		for s := range signals {
			cmd.Process.Signal(s)
		}
	}()
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		return code
	}
	return 1
}

// sweep removes the directories and cgroups of a run whose processes are all dead: PID 1
// of their namespace has ended.
func sweep(prefix string) {
	for _, dir := range cgroupDirs(prefix) {
		if err := unix.Rmdir(dir); err != nil {
			fmt.Fprintf(os.Stderr, "integration: left behind: %s: %v\n", dir, err)
		}
	}
	os.RemoveAll(filepath.Join(os.TempDir(), prefix))
}

func (w *world) setUp(prefix string, isInner bool) (err error) {
	w.bin, w.kind, w.why = findRuntime()
	w.prefix = prefix
	if !isInner {
		w.prefix = fmt.Sprintf("rtit-%d", os.Getpid())
		fmt.Fprintln(os.Stderr, "integration: not root: only rows for a caller without root make a container")
	}
	w.base = filepath.Join(os.TempDir(), w.prefix)
	// 0711: the container's user 1000 must pass.
	if err := os.Mkdir(w.base, 0o711); err != nil {
		return err
	}
	w.image = filepath.Join(w.base, "image")
	if err := buildImage(w.image); err != nil {
		return err
	}
	if !isInner {
		return w.share()
	}
	unix.CloseOnExec(3)
	unix.CloseOnExec(hostNetwork)
	if w.null, err = ownNull(); err != nil {
		return err
	}
	go w.procs.reapAlways()
	w.host = os.NewFile(3, "host mountinfo")
	return settle()
}

// ownNull is a device on a file system that is mounted nowhere: /tmp may allow none.
func ownNull() (*os.File, error) {
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("fsopen", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, os.NewSyscallError("fsconfig", err)
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fsmount", err)
	}
	defer unix.Close(mount)
	if err := unix.Mknodat(mount, "null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil {
		return nil, os.NewSyscallError("mknodat", err)
	}
	fd, err := unix.Openat(mount, "null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	return os.NewFile(uintptr(fd), "null"), os.NewSyscallError("openat", err)
}

// share makes do with the caller's namespaces: what our commands leave re-parents to us.
func (w *world) share() (err error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	w.shared = true
	w.host, err = os.Open("/proc/self/mountinfo")
	go w.procs.reapAlways()
	return err
}

// settle makes the new namespaces usable: nothing propagates out, and /proc is ours.
func settle() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make / private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	unix.Umask(0o022)
	_, err := net.Interfaces() // opens what Go keeps open, before the first census
	return err
}
