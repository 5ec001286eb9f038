package seccomp

import (
	"slices"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const (
	allowed   = -1 // the same result as without a filter
	tooHigh   = 1000
	newNS     = unix.CLONE_NEWNS
	noAddr    = ^uint64(0)
	query     = 0xffffffff // personality(2): asks only
	i386UID   = 199        // getuid32, unistd_32.h
	i386Mount = 21
	mseal     = 462
)

// step is one call and the errno it must fail with, or allowed, or 0 for a faked success.
type step struct {
	call  string
	errno int64
}

type verdictRow struct {
	name    string
	profile *specs.LinuxSeccomp
	steps   []step
}

func verdictRows(t *testing.T) []verdictRow {
	return slices.Concat(dockerRows(t), defaultRows(), argumentRows(), entryRows())
}

func dockerRows(t *testing.T) []verdictRow {
	return []verdictRow{
		{"docker size", dockerSize(t), []step{
			{native(unix.SYS_GETUID), allowed},
			{native(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM), allowed},
			{native(unix.SYS_PERSONALITY, query), allowed},
			{native(unix.SYS_PERSONALITY, 1), int64(unix.EPERM)},
			{native(unix.SYS_SOCKET, unix.AF_ALG, unix.SOCK_SEQPACKET), int64(unix.EPERM)},
			{native(unix.SYS_SOCKET, unix.AF_VSOCK, unix.SOCK_STREAM), int64(unix.EPERM)},
			{native(unix.SYS_CLONE3), int64(unix.ENOSYS)},
			{native(unix.SYS_UNSHARE, newNS), int64(unix.EPERM)},
			{native(unix.SYS_UNSHARE, unix.CLONE_FS), allowed},
			{native(unix.SYS_MOUNT, noAddr, noAddr), int64(unix.EPERM)},
			{native(mseal, 1, 1, 1), allowed},
			{native(unix.SYS_OPEN_TREE_ATTR), int64(unix.EPERM)}, // below file_getattr, which is named
			{native(unix.SYS_LISTNS), int64(unix.ENOSYS)},
			{native(tooHigh), int64(unix.ENOSYS)},
		}},
	}
}

func defaultRows() []verdictRow {
	nr := unix.SYS_GETPPID
	return []verdictRow{
		{"default errno is EPERM", profile(specs.ActErrno, entry(specs.ActAllow, "finit_module")), []step{
			{native(nr), int64(unix.EPERM)}, {native(tooHigh), int64(unix.ENOSYS)},
		}},
		{"default errno as given", withErrno(profile(specs.ActErrno), uint(unix.EDOM)), []step{
			{native(nr), int64(unix.EDOM)}, {native(tooHigh), int64(unix.ENOSYS)},
		}},
		{"a named denied call is not too new", profile(specs.ActErrno, fails(uint(unix.EPERM), "file_setattr")), []step{
			{native(unix.SYS_FILE_SETATTR), int64(unix.EPERM)}, {native(unix.SYS_FILE_SETATTR + 1), int64(unix.ENOSYS)},
		}},
		{"a profile without names has no newest", &specs.LinuxSeccomp{DefaultAction: specs.ActErrno}, []step{
			{native(unix.SYS_GETUID), int64(unix.EPERM)}, {native(tooHigh), int64(unix.EPERM)},
		}},
		{"default errno ENOSYS", withErrno(profile(specs.ActErrno, entry(specs.ActAllow, "getuid")), uint(unix.ENOSYS)), []step{
			{native(unix.SYS_GETUID), allowed}, {native(nr), int64(unix.ENOSYS)}, {native(tooHigh), int64(unix.ENOSYS)},
		}},
		{"log lets pass", profile(specs.ActLog), []step{{native(unix.SYS_GETUID), allowed}, {native(tooHigh), allowed}}},
		{"trace without a tracer", profile(specs.ActAllow, entry(specs.ActTrace, "getuid")), []step{
			{native(unix.SYS_GETUID), int64(unix.ENOSYS)},
		}},
	}
}

func argumentRows() []verdictRow {
	return []verdictRow{
		{"conditions on two arguments: both", profile(specs.ActAllow, when(fails(uint(unix.EDOM), "getuid", "mseal"),
			arg(0, specs.OpEqualTo, 7, 0), arg(5, specs.OpGreaterThan, 8, 0))), []step{
			{native(unix.SYS_GETUID, 7, 0, 0, 0, 0, 9), int64(unix.EDOM)},
			{native(unix.SYS_GETUID, 7, 0, 0, 0, 0, 8), allowed},
			{native(unix.SYS_GETUID, 6, 0, 0, 0, 0, 9), allowed},
			{native(mseal, 7, 0, 0, 0, 0, 9), int64(unix.EDOM)},
			{native(mseal, 7, 0, 0, 0, 0, 8), allowed},
			{native(mseal, 6, 0, 0, 0, 0, 9), allowed},
		}},
		{"conditions on one argument: any", profile(specs.ActAllow, when(fails(uint(unix.EDOM), "getuid", "mseal"),
			arg(0, specs.OpEqualTo, 7, 0), arg(0, specs.OpEqualTo, 8, 0), arg(1, specs.OpEqualTo, 9, 0))), []step{
			{native(unix.SYS_GETUID, 7), int64(unix.EDOM)},
			{native(unix.SYS_GETUID, 8), int64(unix.EDOM)},
			{native(unix.SYS_GETUID, 0, 9), int64(unix.EDOM)},
			{native(unix.SYS_GETUID, 9, 8), allowed},
			{native(mseal, 7), int64(unix.EDOM)},
			{native(mseal, 0, 9), int64(unix.EDOM)},
			{native(mseal, 9, 8), allowed},
		}},
	}
}

func entryRows() []verdictRow {
	return []verdictRow{
		{"errno per entry", profile(specs.ActAllow, fails(uint(unix.EDOM), "getppid"), fails(0, "getuid")), []step{
			{native(unix.SYS_GETPPID), int64(unix.EDOM)}, {native(unix.SYS_GETUID), 0}, {native(tooHigh), allowed},
		}},
		{"several entries for one call", profile(specs.ActErrno,
			when(entry(specs.ActAllow, "getuid"), arg(0, specs.OpEqualTo, 1, 0)),
			when(fails(uint(unix.EDOM), "getuid"), arg(0, specs.OpEqualTo, 2, 0)),
			when(entry(specs.ActAllow, "mseal"), arg(0, specs.OpEqualTo, 1, 0)),
			when(fails(uint(unix.EDOM), "mseal"), arg(0, specs.OpEqualTo, 2, 0))), []step{
			{native(unix.SYS_GETUID, 1), allowed},
			{native(unix.SYS_GETUID, 2), int64(unix.EDOM)},
			{native(unix.SYS_GETUID, 3), int64(unix.EPERM)},
			{native(mseal, 1), allowed},
			{native(mseal, 2), int64(unix.EDOM)},
			{native(mseal, tooHigh), int64(unix.EPERM)},
		}},
		{"an entry without conditions wins", profile(specs.ActErrno,
			when(fails(uint(unix.EDOM), "getuid", "mseal"), arg(0, specs.OpEqualTo, 2, 0)),
			entry(specs.ActAllow, "getuid", "mseal")), []step{
			{native(unix.SYS_GETUID, 2), allowed}, {native(mseal, 2), allowed},
		}},
		{"an entry with the default action", profile(specs.ActErrno, fails(uint(unix.EPERM), "getuid", "mseal")), []step{
			{native(unix.SYS_GETUID), int64(unix.EPERM)}, {native(mseal), int64(unix.EPERM)},
		}},
	}
}

func withErrno(p *specs.LinuxSeccomp, errno uint) *specs.LinuxSeccomp {
	p.DefaultErrnoRet = &errno
	return p
}

func TestVerdicts(t *testing.T) {
	for _, row := range verdictRows(t) {
		t.Run(row.name, func(t *testing.T) { checkSteps(t, mustCompile(t, row.profile), row.steps) })
	}
}

func checkSteps(t *testing.T, f Filter, steps []step) {
	t.Helper()
	calls := make([]string, len(steps))
	for i, s := range steps {
		calls[i] = s.call
	}
	free, _ := run(t, Filter{}, calls...)
	got, status := run(t, f, calls...)
	for i, s := range steps {
		want := -s.errno
		if s.errno == allowed {
			want = free[i]
		}
		if got[i] != want {
			t.Errorf("%s gave %d, want %d (status %#x)", s.call, got[i], want, status)
		}
	}
}

// The kernel's view of the other architectures of an x86_64 machine.
func TestOtherArchitectures(t *testing.T) {
	if nativeArch().name != specs.ArchX86_64 {
		t.Skip("needs x86_64")
	}
	if free, _ := run(t, Filter{}, i386(i386UID)); free[0] < 0 || free[0] == unset {
		t.Skip("the kernel has no 32-bit emulation")
	}
	p := profile(specs.ActErrno, entry(specs.ActAllow, "getuid", "getuid32", "file_getattr"))
	p.Architectures = []specs.Arch{specs.ArchX86, specs.ArchX32}
	checkSteps(t, mustCompile(t, p), []step{
		{native(unix.SYS_GETUID), allowed},
		{i386(i386UID), allowed},
		{i386(i386Mount), int64(unix.EPERM)},
		{i386(unix.SYS_FILE_GETATTR), allowed},
		{i386(unix.SYS_FILE_GETATTR + 1), int64(unix.ENOSYS)},
		{native(x32Bit + unix.SYS_GETUID), allowed},
		{native(x32Bit + unix.SYS_MOUNT), int64(unix.EPERM)},
		{native(x32Bit + 520), int64(unix.EPERM)}, // x32's execve: a private number, not a new one
		{native(x32Bit + unix.SYS_FILE_GETATTR), allowed},
		{native(x32Bit + unix.SYS_FILE_GETATTR + 1), int64(unix.ENOSYS)},
		{native(x32Bit + tooHigh), int64(unix.ENOSYS)},
	})
}

func TestKills(t *testing.T) {
	other := profile(specs.ActAllow)
	rows := []struct {
		name    string
		profile *specs.LinuxSeccomp
		call    string
	}{
		{"KILL", profile(specs.ActAllow, entry(specs.ActKill, "getuid")), native(unix.SYS_GETUID)},
		{"KILL_THREAD", profile(specs.ActAllow, entry(specs.ActKillThread, "getuid")), native(unix.SYS_GETUID)},
		{"KILL_PROCESS", profile(specs.ActAllow, entry(specs.ActKillProcess, "getuid")), native(unix.SYS_GETUID)},
		{"TRAP", profile(specs.ActAllow, entry(specs.ActTrap, "getuid")), native(unix.SYS_GETUID)},
		{"newer call", profile(specs.ActAllow, entry(specs.ActKillProcess, "mseal")), native(mseal)},
		{"default", profile(specs.ActKillProcess), native(unix.SYS_GETUID)},
		{"default, number too high", profile(specs.ActKillProcess), native(tooHigh)},
	}
	if nativeArch().name == specs.ArchX86_64 {
		rows = append(rows, struct {
			name    string
			profile *specs.LinuxSeccomp
			call    string
		}{"architecture not listed", other, native(x32Bit + unix.SYS_GETUID)})
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, status := run(t, mustCompile(t, row.profile), row.call)
			if !status.Signaled() || status.Signal() != syscall.SIGSYS || got[0] != unset {
				t.Errorf("status %#x, result %#x; want death by SIGSYS", status, got[0])
			}
		})
	}
}

func TestFlags(t *testing.T) {
	rows := []struct {
		flag specs.LinuxSeccompFlag
		want uint32
	}{
		{"SECCOMP_FILTER_FLAG_TSYNC", unix.SECCOMP_FILTER_FLAG_TSYNC},
		{specs.LinuxSeccompFlagLog, unix.SECCOMP_FILTER_FLAG_LOG},
		{specs.LinuxSeccompFlagSpecAllow, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
		{specs.LinuxSeccompFlagWaitKillableRecv, 0},
	}
	for _, row := range rows {
		p := profile(specs.ActAllow, fails(uint(unix.EDOM), "getuid"))
		p.Flags = []specs.LinuxSeccompFlag{row.flag}
		f := mustCompile(t, p)
		if f.Flags != row.want {
			t.Errorf("%s: flags %#x, want %#x", row.flag, f.Flags, row.want)
		}
		checkSteps(t, f, []step{{native(unix.SYS_GETUID), int64(unix.EDOM)}})
	}
	if f := mustCompile(t, profile(specs.ActAllow)); f.Flags != 0 {
		t.Errorf("flags %#x without being asked", f.Flags)
	}
}
