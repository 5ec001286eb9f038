package seccomp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// interpret runs a filter as the kernel does, for architectures that this machine is not.
func interpret(t *testing.T, program []byte, audit, nr uint32, args ...uint64) uint32 {
	t.Helper()
	data := binary.NativeEndian.AppendUint32(nil, nr)
	data = binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint32(data, audit), 0)
	for i := range 6 {
		data = binary.NativeEndian.AppendUint64(data, append(args, 0, 0, 0, 0, 0, 0)[i])
	}
	var acc uint32
	for pc := 0; ; pc++ {
		i := decodeInsn(program[pc*insnSize:])
		switch i.code {
		case load:
			acc = binary.NativeEndian.Uint32(data[i.k:])
		case and:
			acc &= i.k
		case jump:
			pc += int(i.k)
		case jeq:
			pc += skip(i, acc == i.k)
		case jgt:
			pc += skip(i, acc > i.k)
		case jge:
			pc += skip(i, acc >= i.k)
		case ret:
			return i.k
		default:
			t.Fatalf("instruction %d: code %#x", pc, i.code)
		}
	}
}

func decodeInsn(b []byte) insn {
	return insn{binary.NativeEndian.Uint16(b), b[2], b[3], binary.NativeEndian.Uint32(b[4:])}
}

func skip(i insn, hold bool) int {
	if hold {
		return int(i.jt)
	}
	return int(i.jf)
}

// Each operator against values around the edges of both words, for a call that libseccomp
// compiles and for one that the prelude does.
func TestOperators(t *testing.T) {
	values := []uint64{0, 1, 5, 1<<32 - 1, 1 << 32, 1<<32 + 5, 5 << 32, 5<<32 + 5, 1 << 63, 1<<64 - 1}
	rows := []struct {
		op   specs.LinuxSeccompOperator
		want func(a, v uint64) bool
	}{
		{specs.OpNotEqual, func(a, v uint64) bool { return a != v }},
		{specs.OpLessThan, func(a, v uint64) bool { return a < v }},
		{specs.OpLessEqual, func(a, v uint64) bool { return a <= v }},
		{specs.OpEqualTo, func(a, v uint64) bool { return a == v }},
		{specs.OpGreaterEqual, func(a, v uint64) bool { return a >= v }},
		{specs.OpGreaterThan, func(a, v uint64) bool { return a > v }},
		{specs.OpMaskedEqual, func(a, v uint64) bool { return a&v == v&(5<<32+1) }},
	}
	for _, row := range rows {
		for _, v := range values {
			e := when(fails(7, "personality", "mseal"), arg(3, row.op, v, v&(5<<32+1)))
			program := mustCompile(t, profile(specs.ActAllow, e)).Program
			for _, nr := range []uint32{unix.SYS_PERSONALITY, mseal} {
				checkOperator(t, program, nr, values, fmt.Sprint(row.op, " ", v), func(a uint64) bool { return row.want(a, v) })
			}
		}
	}
}

func checkOperator(t *testing.T, program []byte, nr uint32, values []uint64, name string, want func(uint64) bool) {
	t.Helper()
	for _, a := range values {
		got := interpret(t, program, nativeArch().audit, nr, 0, 0, 0, a)
		if hit := got == unix.SECCOMP_RET_ERRNO|7; hit != want(a) {
			t.Errorf("call %d, argument %d, %s: %#x", nr, a, name, got)
		}
	}
}

// Every architecture that this libseccomp can add to a filter of ours.
func TestEveryArchitecture(t *testing.T) {
	const eperm, enosysRet = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM), enosys
	tested := 0
	for _, a := range archs {
		p := profile(specs.ActErrno, entry(specs.ActAllow, "getpid", "mseal"))
		p.Architectures = []specs.Arch{a.name}
		f, _, err := Compile(p)
		if err != nil {
			t.Logf("%s: %v", a.name, err)
			continue
		}
		tested++
		getpid, err := lib.GetSyscallFromNameByArch("getpid", a.lib)
		if err != nil {
			t.Fatal(err)
		}
		rows := []struct{ nr, want uint32 }{
			{uint32(getpid), unix.SECCOMP_RET_ALLOW},
			{a.first + mseal, unix.SECCOMP_RET_ALLOW},
			{a.first + mseal - 1, eperm},
			{a.first + mseal + 1, enosysRet},
			{a.first + tooHigh, enosysRet},
		}
		if a.private != (span{}) {
			rows = append(rows, struct{ nr, want uint32 }{a.private.lo, eperm}, struct{ nr, want uint32 }{a.private.hi, enosysRet})
		}
		for _, row := range rows {
			if got := interpret(t, f.Program, a.audit, row.nr); got != row.want {
				t.Errorf("%s: call %#x gave %#x, want %#x", a.name, row.nr, got, row.want)
			}
		}
	}
	if tested < 4 {
		t.Errorf("only %d architectures could be tested", tested)
	}
}

// A private number that is named says nothing about the newest call.
func TestPrivateNumberIsNotNewest(t *testing.T) {
	p := profile(specs.ActErrno, entry(specs.ActAllow, "set_tls"))
	p.Architectures = []specs.Arch{specs.ArchARM}
	f := mustCompile(t, p)
	rows := []struct{ nr, want uint32 }{
		{armBase + 5, unix.SECCOMP_RET_ALLOW}, // __ARM_NR_set_tls
		{248, unix.SECCOMP_RET_ALLOW},         // exit_group
		{249, enosys},
	}
	for _, row := range rows {
		if got := interpret(t, f.Program, unix.AUDIT_ARCH_ARM, row.nr); got != row.want {
			t.Errorf("call %#x gave %#x, want %#x", row.nr, got, row.want)
		}
	}
}

func TestNewerNumbers(t *testing.T) {
	rows := []struct {
		name string
		nr   uint32
	}{
		{"futex_waitv", unix.SYS_FUTEX_WAITV}, {"set_mempolicy_home_node", unix.SYS_SET_MEMPOLICY_HOME_NODE},
		{"cachestat", unix.SYS_CACHESTAT}, {"fchmodat2", unix.SYS_FCHMODAT2}, {"map_shadow_stack", unix.SYS_MAP_SHADOW_STACK},
		{"futex_wake", unix.SYS_FUTEX_WAKE}, {"futex_wait", unix.SYS_FUTEX_WAIT}, {"futex_requeue", unix.SYS_FUTEX_REQUEUE},
		{"statmount", unix.SYS_STATMOUNT}, {"listmount", unix.SYS_LISTMOUNT}, {"lsm_get_self_attr", unix.SYS_LSM_GET_SELF_ATTR},
		{"lsm_set_self_attr", unix.SYS_LSM_SET_SELF_ATTR}, {"lsm_list_modules", unix.SYS_LSM_LIST_MODULES}, {"mseal", unix.SYS_MSEAL},
		{"setxattrat", unix.SYS_SETXATTRAT}, {"getxattrat", unix.SYS_GETXATTRAT}, {"listxattrat", unix.SYS_LISTXATTRAT},
		{"removexattrat", unix.SYS_REMOVEXATTRAT}, {"open_tree_attr", unix.SYS_OPEN_TREE_ATTR}, {"file_getattr", unix.SYS_FILE_GETATTR},
		{"file_setattr", unix.SYS_FILE_SETATTR}, {"listns", unix.SYS_LISTNS}, {"rseq_slice_yield", unix.SYS_RSEQ_SLICE_YIELD},
	}
	if len(rows) != len(newerCalls) {
		t.Errorf("%d rows for %d calls", len(rows), len(newerCalls))
	}
	for _, row := range rows {
		if nr, ok := newerCall(row.name); !ok || nr != row.nr {
			t.Errorf("%s: %d, %v; want %d", row.name, nr, ok, row.nr)
		}
		if nr, err := lib.GetSyscallFromName(row.name); err == nil && uint32(nr) != row.nr {
			t.Errorf("%s: libseccomp says %d, golang.org/x/sys %d", row.name, nr, row.nr)
		}
	}
}

func TestCallOfX86Only(t *testing.T) {
	p := profile(specs.ActErrno, fails(7, "uprobe", "uretprobe"))
	p.Architectures = []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}
	if nativeArch().name != specs.ArchX86_64 {
		t.Skip("needs x86_64")
	}
	program := mustCompile(t, p).Program
	rows := []struct{ audit, nr, want uint32 }{
		{unix.AUDIT_ARCH_X86_64, uretprobe, unix.SECCOMP_RET_ERRNO | 7},
		{unix.AUDIT_ARCH_X86_64, x32Bit + uprobe, unix.SECCOMP_RET_ERRNO | 7},
		{unix.AUDIT_ARCH_I386, 252, unix.SECCOMP_RET_ALLOW}, // exit_group
		{unix.AUDIT_ARCH_I386, uprobe, enosys},              // there a number of nothing
	}
	for _, row := range rows {
		if got := interpret(t, program, row.audit, row.nr); got != row.want {
			t.Errorf("arch %#x call %#x: %#x, want %#x", row.audit, row.nr, got, row.want)
		}
	}
}

// What runs for every call should not be longer than needed.
func TestNoPrelude(t *testing.T) {
	for _, p := range []*specs.LinuxSeccomp{
		profile(specs.ActAllow, fails(1, "mount")),
		withErrno(profile(specs.ActErrno), uint(unix.ENOSYS)),
	} {
		pol, err := parse(p)
		if err != nil {
			t.Fatal(err)
		}
		if extra := prelude(pol); len(extra) > 0 {
			t.Errorf("%s: %d instructions", p.DefaultAction, len(extra))
		}
	}
}

func TestUnknownNames(t *testing.T) {
	p := profile(specs.ActErrno, entry(specs.ActAllow, "no_such_call", "getuid", "nor_this"), entry(specs.ActAllow, "no_such_call"))
	f, warnings, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"seccomp: unknown system calls, their rules are left out: no_such_call, nor_this"}
	if !slices.Equal(warnings, want) {
		t.Errorf("warnings %q", warnings)
	}
	checkSteps(t, f, []step{{native(unix.SYS_GETUID), allowed}})
}

func TestFaults(t *testing.T) {
	edit := func(change func(*specs.LinuxSeccomp)) *specs.LinuxSeccomp {
		p := profile(specs.ActAllow, entry(specs.ActAllow, "getuid"), when(fails(1, "getpid"), arg(0, specs.OpEqualTo, 1, 0)))
		change(p)
		return p
	}
	big, one := uint(maxErrno+1), uint(1)
	rows := []struct {
		profile *specs.LinuxSeccomp
		where   string
		kind    errs.Kind
		text    string
	}{
		{edit(func(p *specs.LinuxSeccomp) { p.DefaultAction = "SCMP_ACT_MAYBE" }), "/defaultAction", errs.Invalid, `unknown action "SCMP_ACT_MAYBE"`},
		{edit(func(p *specs.LinuxSeccomp) { p.DefaultAction = "" }), "/defaultAction", errs.Invalid, `unknown action ""`},
		{edit(func(p *specs.LinuxSeccomp) { p.DefaultAction = specs.ActNotify }), "/defaultAction", errs.Unsupported, "SCMP_ACT_NOTIFY"},
		{edit(func(p *specs.LinuxSeccomp) { p.DefaultErrnoRet = &one }), "/defaultErrnoRet", errs.Invalid, "takes no errno"},
		{edit(func(p *specs.LinuxSeccomp) { p.Architectures = []specs.Arch{specs.ArchX86, "VAX"} }), "/architectures/1", errs.Invalid, `"VAX"`},
		{edit(func(p *specs.LinuxSeccomp) { p.Architectures = []specs.Arch{specs.ArchSHEB} }), "/architectures", errs.Unsupported, "SCMP_ARCH_SHEB"},
		{edit(func(p *specs.LinuxSeccomp) { p.Architectures = []specs.Arch{specs.ArchS390X} }), "/architectures", errs.Unsupported, "byte order"},
		{edit(func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{"FAST"} }), "/flags/0", errs.Invalid, `"FAST"`},
		{edit(func(p *specs.LinuxSeccomp) { p.Syscalls[1].Action = specs.ActNotify }), "/syscalls/1/action", errs.Unsupported, "SCMP_ACT_NOTIFY"},
		{edit(func(p *specs.LinuxSeccomp) { p.Syscalls[1].Action = "x" }), "/syscalls/1/action", errs.Invalid, `"x"`},
		{edit(func(p *specs.LinuxSeccomp) { p.Syscalls[1].ErrnoRet = &big }), "/syscalls/1/errnoRet", errs.Invalid, "4096 is above 4095"},
		{edit(func(p *specs.LinuxSeccomp) { p.Syscalls[0].ErrnoRet = &one }), "/syscalls/0/errnoRet", errs.Invalid, "SCMP_ACT_ALLOW takes no errno"},
		{edit(func(p *specs.LinuxSeccomp) { p.Syscalls[1].Args[0].Op = "~" }), "/syscalls/1/args/0/op", errs.Invalid, `"~"`},
		{edit(func(p *specs.LinuxSeccomp) { p.Syscalls[1].Args[0].Index = 6 }), "/syscalls/1/args/0/index", errs.Invalid, "0 to 5"},
		{edit(func(p *specs.LinuxSeccomp) {
			p.Syscalls[0] = when(fails(2, "getpid"), p.Syscalls[1].Args...)
		}), "/syscalls/1", errs.Invalid, "getpid has another action"},
		{edit(manyRules), "", errs.Unsupported, "the kernel takes 4096"},
	}
	for _, row := range rows {
		_, _, err := Compile(row.profile)
		e, ok := errors.AsType[*errs.Error](err)
		if !ok {
			t.Errorf("%s: no error", row.where)
		} else if e.Where != pointer+row.where || e.Kind != row.kind || !strings.Contains(e.Error(), row.text) {
			t.Errorf("%s: got %q (%s)", row.where, e, e.Kind)
		}
	}
}

// manyRules makes more instructions than a filter may have.
func manyRules(p *specs.LinuxSeccomp) {
	for i := range uint64(900) {
		p.Syscalls = append(p.Syscalls, when(fails(1, "mseal"), arg(0, specs.OpEqualTo, i, 0)))
	}
}
