package v2

import (
	"golang.org/x/sys/unix"

	"rt/cgroups/devices"
)

// Insn is struct bpf_insn of <linux/bpf.h>.
type Insn struct {
	Code uint8
	Regs uint8 // destination in the low four bits, source in the high ones (little endian)
	Off  int16
	Imm  int32
}

// The instructions and registers that the device program uses.
const (
	loadWord = unix.BPF_LDX | unix.BPF_MEM | unix.BPF_W
	moveReg  = bpfAlu32 | bpfMov | unix.BPF_X
	moveImm  = bpfAlu32 | bpfMov | unix.BPF_K
	andImm   = bpfAlu32 | unix.BPF_AND | unix.BPF_K
	shiftImm = bpfAlu32 | unix.BPF_RSH | unix.BPF_K
	jumpNot  = bpfJmp32 | bpfJne | unix.BPF_K // jump if not equal
	jumpSet  = bpfJmp32 | unix.BPF_JSET | unix.BPF_K
	exit     = unix.BPF_JMP | bpfExit

	bpfAlu32 = unix.BPF_ALU
	bpfMov   = 0xb0
	bpfJmp32 = 0x06
	bpfJne   = 0x50
	bpfExit  = 0x90

	result = 0 // r0
	ctx    = 1 // r1: struct bpf_cgroup_dev_ctx
	kind   = 2 // BPF_DEVCG_DEV_*
	wanted = 3 // access that no rule has allowed yet
	major  = 4
	minor  = 5

	devBlock, devChar = 1, 2
)

// Program is a BPF_PROG_TYPE_CGROUP_DEVICE program for the list, nil if it would allow
// everything. It asks the rules from the last to the first. A rule that fits the device and
// allows takes its letters from those wanted, and access is given when none is left; one
// that fits and denies a wanted letter refuses.
func Program(l devices.List) []Insn {
	if !l.Set || (l.AllowAll && !denies(l.Rules)) {
		return nil
	}
	p := []Insn{
		{loadWord, kind | ctx<<4, 0, 0},
		{moveReg, wanted | kind<<4, 0, 0},
		{shiftImm, wanted, 0, 16},
		{andImm, kind, 0, 0xffff},
		{loadWord, major | ctx<<4, 4, 0},
		{loadWord, minor | ctx<<4, 8, 0},
	}
	for i := len(l.Rules) - 1; i >= 0; i-- {
		p = append(p, block(l.Rules[i])...)
	}
	return append(p, leave(l.AllowAll)...)
}

func denies(rules []devices.Rule) bool {
	for _, r := range rules {
		if !r.Allow {
			return true
		}
	}
	return false
}

// block is one rule: tests that jump behind the block when the device is another, and then
// what the rule does.
func block(r devices.Rule) []Insn {
	var tests []Insn
	test := func(reg uint8, want int64) {
		tests = append(tests, Insn{jumpNot, reg, 0, int32(uint32(want))})
	}
	test(kind, deviceKind(r.Type))
	if r.Major != devices.Any {
		test(major, r.Major)
	}
	if r.Minor != devices.Any {
		test(minor, r.Minor)
	}
	act := action(r)
	for i := range tests {
		tests[i].Off = int16(len(tests) - i - 1 + len(act))
	}
	return append(tests, act...)
}

func deviceKind(t byte) int64 {
	if t == 'b' {
		return devBlock
	}
	return devChar
}

func action(r devices.Rule) []Insn {
	switch {
	case r.Access == devices.All:
		return leave(r.Allow)
	case r.Allow:
		return append([]Insn{
			{andImm, wanted, 0, int32(^r.Access & devices.All)},
			{jumpNot, wanted, 2, 0},
		}, leave(true)...)
	}
	return append([]Insn{
		{jumpSet, wanted, 1, int32(r.Access)},
		{unix.BPF_JMP | unix.BPF_JA, 0, 2, 0},
	}, leave(false)...)
}

func leave(allow bool) []Insn {
	var value int32
	if allow {
		value = 1
	}
	return []Insn{{moveImm, result, 0, value}, {exit, 0, 0, 0}}
}
