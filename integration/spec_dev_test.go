package integration

import (
	"os"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestDevices(t *testing.T) {
	node := func(name, want string) row {
		return row{name: name, sh: "stat -c '%F %t:%T %a %u:%g' /dev/" + name, want: is("character special file " + want + " 666 0:0\n")}
	}
	link := func(name, want string) row {
		return row{name: name, sh: "readlink /dev/" + name, want: is(want + "\n")}
	}
	core := link("core", "/proc/kcore")
	if _, err := os.Stat("/proc/kcore"); err != nil {
		core = row{name: "no core", sh: "ls /dev/core 2>&1", code: 1, want: has("No such file")}
	}
	runRows(t, []row{
		node("null", "1:3"), node("zero", "1:5"), node("full", "1:7"), node("random", "1:8"), node("urandom", "1:9"), node("tty", "5:0"),
		link("fd", "/proc/self/fd"), link("stdin", "/proc/self/fd/0"), link("stdout", "/proc/self/fd/1"), link("stderr", "/proc/self/fd/2"),
		link("ptmx", "pts/ptmx"), core,
		{name: "no other", sh: "ls /dev", want: like(`^(core\n)?fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n$`)},
		{name: "null works", sh: "echo x >/dev/null && wc -c </dev/null", want: is("0\n")},
		{name: "full works", sh: "echo x >/dev/full", code: 1, fails: has("No space left on device")},
		{name: "extra node", edit: extraNode(0o640, 1000, 2000), sh: "stat -c '%F %t:%T %a %u:%g' /dev/extra", want: is("character special file a:fa 640 1000:2000\n")},
		{name: "extra node is not allowed by that", edit: extraNode(0o666, 0, 0), sh: "cat /dev/extra 2>&1", code: 1, want: has("Operation not permitted"), peers: inVM()},
		{name: "device with its type in fileMode, as docker writes it", edit: device("/dev/fuse", 229, 0o20666), sh: "stat -c '%F %a' /dev/fuse; exec 3<>/dev/fuse", want: is("character special file 666\n")},
		{name: "device in a directory of its own", edit: device("/dev/net/tun", 200, 0o600), sh: "stat -c '%F %a' /dev/net/tun; exec 3<>/dev/net/tun", want: is("character special file 600\n")},
		{name: "device that may be read only", edit: edits(device("/dev/fuse", 229, 0o666), accessOf("r")), sh: "exec 3</dev/fuse; exec 4>/dev/fuse", code: 1, fails: has("Operation not permitted")},
		{name: "extra node allowed", edit: edits(extraNode(0o666, 0, 0), allowExtra), sh: "cat /dev/extra 2>&1", code: 1, want: has("No such device"), peers: inVM()},
	})
}

// extraNode is a misc device that no driver has: who may open it gets ENODEV.
func extraNode(mode os.FileMode, uid, gid uint32) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/extra", Type: "c", Major: 10, Minor: 250, FileMode: &mode, UID: &uid, GID: &gid}}
	}
}

// device is one as --device makes it: the node and its rule.
func device(path string, minor int64, mode os.FileMode) func(*specs.Spec) {
	return func(s *specs.Spec) {
		major, root := int64(10), uint32(0)
		s.Linux.Devices = []specs.LinuxDevice{{Path: path, Type: "c", Major: major, Minor: minor, FileMode: &mode, UID: &root, GID: &root}}
		s.Linux.Resources.Devices = append(s.Linux.Resources.Devices, specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: &major, Minor: &minor, Access: "rwm"})
	}
}

func accessOf(access string) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Linux.Resources.Devices[len(s.Linux.Resources.Devices)-1].Access = access }
}

func allowExtra(s *specs.Spec) {
	major, minor := int64(10), int64(250)
	s.Linux.Resources.Devices = append(s.Linux.Resources.Devices, specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: &major, Minor: &minor, Access: "rw"})
}

func TestMaskedPaths(t *testing.T) {
	masked := func(paths ...string) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Linux.MaskedPaths = paths }
	}
	readonly := func(paths ...string) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Linux.ReadonlyPaths = paths }
	}
	runRows(t, []row{
		{name: "keys reads empty", sh: "wc -c </proc/keys", want: is("0\n")},
		{name: "timer_list reads empty", sh: "wc -c </proc/timer_list", want: is("0\n")},
		{name: "firmware is an empty directory", sh: "ls -A /sys/firmware", want: is("")},
		{name: "firmware is not writable", sh: "touch /sys/firmware/x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "acpi", sh: "ls -A /proc/acpi", want: is("")},
		{name: "file", edit: masked("/etc/group"), sh: "wc -c </etc/group", want: is("0\n")},
		{name: "directory", edit: edits(writable, masked("/home")), sh: "ls -A /home; touch /home/x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "missing", edit: masked("/nosuch"), sh: "ls /nosuch 2>&1", code: 1, want: has("No such file")},
		{name: "none", edit: masked(), sh: "head -n 1 /proc/timer_list", want: has("Timer List")},
		{name: "proc/sys is read-only", sh: "echo 1 >/proc/sys/net/ipv4/ip_forward", code: 1, fails: has("Read-only file system")},
		{name: "all four", sh: `awk '$5~"^/proc/(bus|fs|irq|sys)$"{print $5, substr($6, 1, 2)}' /proc/self/mountinfo`,
			want: is("/proc/bus ro\n/proc/fs ro\n/proc/irq ro\n/proc/sys ro\n")},
		{name: "read-only directory", edit: edits(writable, readonly("/tmp")), sh: "touch /tmp/x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "read-only keeps flags", sh: onMount("/proc/sys"), want: like(`^ro,`)},
		{name: "read-only none", edit: readonly(), sh: onMount("/proc/sys"), want: is("")},
	})
}
