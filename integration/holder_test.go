package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A nsKind is a kind of namespace: the spec's name, the file's below /proc/PID/ns, the flag's.
type nsKind struct {
	spec specs.LinuxNamespaceType
	file string
	flag uintptr
}

var nsKinds = []nsKind{
	{specs.PIDNamespace, "pid", unix.CLONE_NEWPID},
	{specs.NetworkNamespace, "net", unix.CLONE_NEWNET},
	{specs.MountNamespace, "mnt", unix.CLONE_NEWNS},
	{specs.IPCNamespace, "ipc", unix.CLONE_NEWIPC},
	{specs.UTSNamespace, "uts", unix.CLONE_NEWUTS},
	{specs.CgroupNamespace, "cgroup", unix.CLONE_NEWCGROUP},
	{specs.TimeNamespace, "time", unix.CLONE_NEWTIME},
	{specs.UserNamespace, "user", unix.CLONE_NEWUSER},
}

func kindOf(typ specs.LinuxNamespaceType) nsKind {
	for _, k := range nsKinds {
		if k.spec == typ {
			return k
		}
	}
	panic(typ)
}

// A holder is a process that keeps new namespaces for others to join.
type holder struct {
	pid int
	run *running
}

// hold makes a holder with new namespaces of these kinds, until the test's end. A user
// namespace maps 0 to 100000 and, for groups, to 200000, and owns the others.
func hold(t *testing.T, kinds ...specs.LinuxNamespaceType) holder {
	t.Helper()
	c := command{args: []string{"sleep", "300"}, adapt: func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
		for _, kind := range kinds {
			addClone(cmd.SysProcAttr, kindOf(kind).flag)
		}
	}}
	r := c.start(t)
	return holder{r.cmd.Process.Pid, r}
}

func addClone(attr *syscall.SysProcAttr, flag uintptr) {
	switch flag {
	case unix.CLONE_NEWTIME: // clone(2) has no bit for it
		attr.Unshareflags |= flag
	case unix.CLONE_NEWNS: // makes all mounts private, too
		attr.Unshareflags |= flag
	case unix.CLONE_NEWUSER:
		attr.Cloneflags |= flag
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 100000, Size: 65536}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 200000, Size: 65536}}
		attr.GidMappingsEnableSetgroups = true
		attr.Credential = &syscall.Credential{}
	default:
		attr.Cloneflags |= flag
	}
}

// holdAs makes a holder that p owns, in a user namespace with p as root. The flags are
// those of unshare(1).
func holdAs(t *testing.T, p plain, flags ...string) holder {
	t.Helper()
	args := append([]string{"unshare", "--user", "--map-root-user"}, flags...)
	r := p.command(command{args: append(args, "sleep", "300")}).start(t)
	pid := r.cmd.Process.Pid
	r.until(t, "holder", func() bool { p, _ := readProcess(pid); return p.comm == "sleep" })
	return holder{pid, r}
}

// path is the namespace's file below /proc.
func (h holder) path(kind specs.LinuxNamespaceType) string {
	file := kindOf(kind).file
	if kind == specs.TimeNamespace {
		file = "time_for_children" // before 6.3 an execve does not enter it
	}
	return fmt.Sprintf("/proc/%d/ns/%s", h.pid, file)
}

// file binds the namespace's file to one that every user may open, as ip-netns(8) does. The
// kernel refuses that for the file of a mount namespace, unless it takes it for a newer one.
func (h holder) file(t *testing.T, kind specs.LinuxNamespaceType) string {
	t.Helper()
	if kind == specs.MountNamespace {
		return h.path(kind)
	}
	f, err := os.CreateTemp(it.base, "ns-"+string(kind))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := unix.Mount(h.path(kind), f.Name(), "", unix.MS_BIND, ""); err != nil {
		t.Fatalf("%s: %v", h.path(kind), err)
	}
	t.Cleanup(func() {
		unix.Unmount(f.Name(), unix.MNT_DETACH)
		os.Remove(f.Name())
	})
	return f.Name()
}

// nsID is what readlink(1) would say of a namespace's file, wherever that is bound.
func nsID(t *testing.T, kind specs.LinuxNamespaceType, path string) string {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return fmt.Sprintf("%s:[%d]", kindOf(kind).file, st.Ino)
}

// mountProc gives the rootfs a procfs before the container is made, for those that may
// mount nothing.
func mountProc(c *container) { c.mount("proc", filepath.Join("rootfs", "proc"), "proc", 0) }
