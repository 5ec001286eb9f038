package kernel

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestReadHost(t *testing.T) {
	h, err := ReadHost()
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil || !strings.Contains(string(status), fmt.Sprintf("CapPrm:\t%016x\n", h.Caps)) {
		t.Errorf("permitted %016x, %v\n%s", h.Caps, err, status)
	}
	if _, err := os.Lstat("/proc/kcore"); h.Kcore != (err == nil) {
		t.Errorf("kcore: %v, %v", h.Kcore, err)
	}
}

// TestReadUserNS: the ids and the inode, also in a namespace that maps every id to itself.
func TestReadUserNS(t *testing.T) {
	const stage = "KERNEL_STAGE"
	h, err := ReadHost()
	if err != nil {
		t.Fatal(err)
	}
	link, err := os.Readlink("/proc/self/ns/user")
	inside := link != "user:[4026531837]"
	if err != nil || h.UserNS != inside || h.Root() != (!inside && os.Geteuid() == 0) || h.Cgroups.UID != h.UID ||
		h.UID != uint32(os.Geteuid()) || h.GID != uint32(os.Getegid()) {
		t.Errorf("%+v in %s, %v", h, link, err)
	}
	if os.Getenv(stage) != "" {
		if !h.UserNS {
			t.Error("not in a user namespace")
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make a user namespace with all ids")
	}
	all := []syscall.SysProcIDMap{{Size: 1<<32 - 1}}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestReadUserNS$")
	cmd.Env = append(os.Environ(), stage+"=inside")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: all, GidMappings: all}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestLoads: CAP_SYS_ADMIN stands for both of the newer ones.
func TestLoads(t *testing.T) {
	const admin, bpf, net = 1 << unix.CAP_SYS_ADMIN, 1 << unix.CAP_BPF, 1 << unix.CAP_NET_ADMIN
	for caps, want := range map[uint64]bool{0: false, admin: true, bpf: false, net: false, bpf | net: true, admin | net: true, 1 << unix.CAP_CHOWN: false} {
		if loads(caps) != want {
			t.Errorf("%#x", caps)
		}
	}
}

func BenchmarkReadUserNS(b *testing.B) {
	for b.Loop() {
		if _, err := ReadUserNS(); err != nil {
			b.Fatal(err)
		}
	}
}

// TestCapabilities checks the table by the numbers of another one.
func TestCapabilities(t *testing.T) {
	names := CapabilityNames()
	if len(names) != unix.CAP_LAST_CAP+1 {
		t.Errorf("%d capabilities", len(names))
	}
	for _, r := range []struct {
		name   string
		number int
	}{
		{"CAP_CHOWN", unix.CAP_CHOWN}, {"CAP_KILL", unix.CAP_KILL}, {"CAP_SETPCAP", unix.CAP_SETPCAP}, {"CAP_NET_RAW", unix.CAP_NET_RAW},
		{"CAP_SYS_CHROOT", unix.CAP_SYS_CHROOT}, {"CAP_SYS_ADMIN", unix.CAP_SYS_ADMIN}, {"CAP_SYS_RESOURCE", unix.CAP_SYS_RESOURCE},
		{"CAP_MKNOD", unix.CAP_MKNOD}, {"CAP_SETFCAP", unix.CAP_SETFCAP}, {"CAP_MAC_OVERRIDE", unix.CAP_MAC_OVERRIDE},
		{"CAP_SYSLOG", unix.CAP_SYSLOG}, {"CAP_AUDIT_READ", unix.CAP_AUDIT_READ}, {"CAP_BPF", unix.CAP_BPF},
		{"CAP_CHECKPOINT_RESTORE", unix.CAP_CHECKPOINT_RESTORE},
	} {
		if bit := CapabilityBit(r.name); bit != 1<<r.number || names[r.number] != r.name {
			t.Errorf("%s is %#x, and number %d is %s", r.name, bit, r.number, names[r.number])
		}
	}
	for _, name := range []string{"", "CAP_", "KILL", "cap_kill", "CAP_KILL "} {
		if bit := CapabilityBit(name); bit != 0 {
			t.Errorf("%q is %#x", name, bit)
		}
	}
	names[0] = "changed"
	if CapabilityNames()[0] != "CAP_CHOWN" {
		t.Error("the table can be changed from outside")
	}
}

func TestRlimits(t *testing.T) {
	names := RlimitNames()
	for _, r := range []struct {
		name   string
		number int
	}{
		{"RLIMIT_CPU", unix.RLIMIT_CPU}, {"RLIMIT_CORE", unix.RLIMIT_CORE}, {"RLIMIT_NPROC", unix.RLIMIT_NPROC},
		{"RLIMIT_NOFILE", unix.RLIMIT_NOFILE}, {"RLIMIT_MEMLOCK", unix.RLIMIT_MEMLOCK}, {"RLIMIT_MSGQUEUE", unix.RLIMIT_MSGQUEUE},
		{"RLIMIT_RTTIME", unix.RLIMIT_RTTIME},
	} {
		if RlimitResource(r.name) != r.number || names[r.number] != r.name {
			t.Errorf("%s is %d, and number %d is %s", r.name, RlimitResource(r.name), r.number, names[r.number])
		}
	}
	if len(names) != 16 || RlimitResource("RLIMIT_NOSUCH") != -1 || slices.Contains(names, "") {
		t.Errorf("%q", names)
	}
}
