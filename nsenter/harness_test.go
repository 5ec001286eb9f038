package nsenter

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// patience is how long a step may take, in milliseconds.
const patience = 20000

func TestMain(m *testing.M) {
	if job := os.Getenv("RT_NSENTER_HELPER"); job != "" {
		helper(job)
	}
	os.Exit(m.Run())
}

// image is an empty root file system on its way into a plan.
type world struct {
	*plan.Builder
	t       *testing.T
	root    string // the image, on the host
	outside string // beside it: nothing may ever happen here
	pass    []int
	stdio   [3]int
	env     []string
	args    []string
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// newWorld is a plan that has its own private mount namespace, and root as SlotRoot.
func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{Builder: &plan.Builder{}, t: t, root: dir + "/root", outside: dir + "/outside", args: []string{"/bin/true"}}
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(null) })
	w.stdio = [3]int{null, null, null}
	for _, d := range []string{dir, w.root, w.outside} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		os.Chmod(d, 0o755)
	}
	os.Chmod(filepath.Dir(dir), 0o755) // users other than root look files up in it
	return w
}

// enclosed starts the plan with a private mount namespace and the image in SlotRoot.
func (w *world) enclosed() {
	w.Unshare(unix.CLONE_NEWNS)
	w.Setattr(plan.SlotNone, "/", plan.Attr{Propagation: unix.MS_PRIVATE, At: uint16(unix.AT_RECURSIVE)})
	w.OpenTree(w.root, cloneTree|unix.AT_RECURSIVE, 0, plan.SlotRoot)
	w.Attach(plan.SlotRoot, w.root, plan.AttachHostPath|plan.AttachKeep)
}

const cloneTree = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC

// handOver passes an fd as slot.
func (w *world) handOver(s plan.Slot, fd int) {
	w.Plan.Pass = append(w.Plan.Pass, s)
	w.pass = append(w.pass, fd)
}

// stop makes the init wait, so that the test can look at it.
func (w *world) stop() { w.Call(plan.CallReady, 0, plan.SlotNone, plan.SlotNone) }

// file makes a file of the image, with its directories.
func (w *world) file(name, content string, mode os.FileMode) string {
	w.t.Helper()
	path := filepath.Join(w.root, name)
	os.MkdirAll(filepath.Dir(path), 0o755)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		w.t.Fatal(err)
	}
	os.Chmod(path, mode)
	return path
}

func (w *world) mkdir(name string, mode os.FileMode) string {
	w.t.Helper()
	path := filepath.Join(w.root, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		w.t.Fatal(err)
	}
	os.Chmod(path, mode)
	return path
}

func (w *world) link(name, target string) {
	w.t.Helper()
	os.MkdirAll(filepath.Dir(filepath.Join(w.root, name)), 0o755)
	if err := os.Symlink(target, filepath.Join(w.root, name)); err != nil {
		w.t.Fatal(err)
	}
}

// probe is an init under test.
type probe struct {
	*Child
	t      *testing.T
	w      *world
	reaped bool
}

// run starts the plan; the init ends with the test at the latest.
func (w *world) run() *probe {
	w.t.Helper()
	w.Plan.Args, w.Plan.Env = w.args, w.env
	p := w.start(Start{Namespaces: w.Plan.Namespaces, Preserve: w.Plan.Preserve})
	if err := p.Do(&w.Plan, w.pass, 0); err != nil {
		w.t.Fatal(err)
	}
	return p
}

// start starts an init that still waits for its plan.
func (w *world) start(s Start) *probe {
	w.t.Helper()
	c, err := w.withStdio(func() (*Child, error) { return Spawn(s) })
	if err != nil {
		w.t.Fatal(err)
	}
	p := &probe{Child: c, t: w.t, w: w}
	w.t.Cleanup(func() {
		if !p.reaped {
			c.Kill()
		}
		c.Close()
		unix.Close(c.Pidfd)
	})
	return p
}

// withStdio lets the init inherit the world's standard streams instead of the test's.
func (w *world) withStdio(spawn func() (*Child, error)) (*Child, error) {
	for fd, theirs := range w.stdio {
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		if err == nil {
			err = unix.Dup3(theirs, fd, 0)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		defer unix.Close(own)
		defer unix.Dup3(own, fd, 0)
	}
	return spawn()
}

// ready waits until fd can be read; a test never hangs.
func ready(t *testing.T, what string, fd int) {
	t.Helper()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, patience)
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, patience)
	}
	if err != nil || n == 0 {
		t.Fatalf("nothing from %s: %v", what, err)
	}
}

// called waits for the CALL of stop.
func (p *probe) called() {
	p.t.Helper()
	ready(p.t, "the init", p.Socket())
	m, _, err := p.Recv()
	if err != nil || m.Verb != plan.CallVerb {
		p.t.Fatalf("expected a call, got %s, %v", p.describe(m), err)
	}
}

// failure is what a FAIL says.
type failure struct {
	kind   plan.Kind
	errno  unix.Errno
	detail uint32
}

// failed waits for the FAIL, and for the end: an init that failed exits 1.
func (p *probe) failed() (f failure, fd int) {
	p.t.Helper()
	ready(p.t, "the init", p.Socket())
	m, fd, err := p.Recv()
	if err != nil || m.Verb != plan.Fail {
		p.t.Fatalf("expected a failure, got %s, %v", p.describe(m), err)
	}
	if s := p.wait(); s.ExitStatus() != 1 {
		p.t.Errorf("exit status %v after a failure", s)
	}
	return failure{p.w.Plan.Init[m.Step].Kind, unix.Errno(m.A), m.B}, fd
}

func (p *probe) describe(m plan.Message) string {
	if m.Verb == plan.Fail && int(m.Step) < len(p.w.Plan.Init) {
		s := p.w.Plan.Init[m.Step]
		return fmt.Sprintf("FAIL of step %d, %s %s %s: %v, detail %d", m.Step, s.Kind, s.S, s.T, unix.Errno(m.A), m.B)
	}
	return fmt.Sprintf("%+v", m)
}

// executed waits for the end of file that execve makes.
func (p *probe) executed() {
	p.t.Helper()
	ready(p.t, "the init", p.Socket())
	if m, _, err := p.Recv(); err != io.EOF {
		p.t.Fatalf("expected the end of file, got %s, %v", p.describe(m), err)
	}
}

func (p *probe) wait() unix.WaitStatus {
	p.t.Helper()
	ready(p.t, "the end of the init", p.Pidfd)
	p.reaped = true
	s, err := p.Wait()
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// proc reads a file of /proc/PID.
func (p *probe) proc(file string) string {
	p.t.Helper()
	raw, err := os.ReadFile(p.path(file))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(raw)
}

func (p *probe) path(file string) string { return "/proc/" + strconv.Itoa(p.Pid) + "/" + file }

// in is a path of the image as the init sees it: in its mount namespace, before pivot.
func (p *probe) in(name string) string { return p.path("root") + p.w.root + "/" + name }

// status is a line of /proc/PID/status.
func (p *probe) status(name string) string {
	p.t.Helper()
	for line := range strings.Lines(p.proc("status")) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	p.t.Fatalf("no %s in /proc/PID/status", name)
	return ""
}

// mount is a line of mountinfo, proc_pid_mountinfo(5).
type mount struct{ options, tags, fstype string }

// mounts are the mounts that the init sees at, and below, path; the last one on top.
func (p *probe) mounts(path string) map[string]mount {
	found := map[string]mount{}
	for line := range strings.Lines(p.proc("mountinfo")) {
		left, right, _ := strings.Cut(line, " - ")
		f := strings.Fields(left)
		if f[4] == path || strings.HasPrefix(f[4], strings.TrimSuffix(path, "/")+"/") {
			found[f[4]] = mount{f[5], strings.Join(f[6:], " "), strings.Fields(right)[0]}
		}
	}
	return found
}

// mounted is the mount on name in the image.
func (p *probe) mounted(name string) mount {
	p.t.Helper()
	m, ok := p.mounts(p.w.root)[filepath.Join(p.w.root, name)]
	if !ok {
		p.t.Fatalf("nothing is mounted on %s:\n%s", name, p.proc("mountinfo"))
	}
	return m
}

// equal is a check of one value.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// lstat is "MODE UID:GID", and the device's number behind it.
func lstat(t *testing.T, path string) string {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	text := fmt.Sprintf("%06o %d:%d", st.Mode, st.Uid, st.Gid)
	if st.Mode&unix.S_IFMT == unix.S_IFCHR || st.Mode&unix.S_IFMT == unix.S_IFBLK {
		text += fmt.Sprintf(" %d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	}
	return text
}

func addr[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
