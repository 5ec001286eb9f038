package seccomp

import (
	"encoding/binary"
	"slices"

	lib "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data, <linux/seccomp.h>.
const (
	dataNr   = 0
	dataArch = 4
	dataArgs = 16
)

const (
	load = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	and  = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	jump = unix.BPF_JMP | unix.BPF_JA
	jeq  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	jgt  = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	jge  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	ret  = unix.BPF_RET | unix.BPF_K
)

const enosys = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)

// insn is struct sock_filter, <linux/filter.h>: jt and jf are jumps for true and false.
type insn struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

// prelude runs before libseccomp's program and answers for the calls that libseccomp does
// not know: by the profile's rules for those in newerCalls; ENOSYS for those newer than all
// that the profile names, so that a C library tries the older call instead of failing with
// the default errno. For each architecture it reads
//
//	arch, number range ── another ──▶ next architecture
//	number == N ── rules of N ──▶ their verdict, or the default one
//	number > newest ──▶ ENOSYS
//
// and everything else falls through to the end, where libseccomp's program starts. Only nr
// and arch are loaded for calls without conditions: the kernel then still sees that an
// allowed call is always allowed, and skips the filter (Linux 5.11).
func prelude(pol policy) []insn {
	var out []insn
	for _, a := range pol.archs {
		var body []insn
		for _, n := range newerNumbers(pol, a) {
			body = append(body, callBlock(pol, a, n)...)
		}
		if newest, ok := newestNamed(pol, a); ok && hidesNewCalls(pol.def) {
			body = append(body, tooNew(newest, a.private)...)
		}
		if len(body) > 0 {
			out = append(out, onlyFor(a, body)...)
		}
	}
	return out
}

func hidesNewCalls(def verdict) bool {
	return def.ret&unix.SECCOMP_RET_ACTION_FULL == unix.SECCOMP_RET_ERRNO && def.ret != enosys
}

// onlyFor jumps over body unless the call is one of a's. x32 has x86_64's arch, and is told
// by a bit of the number.
func onlyFor(a arch, body []insn) []insn {
	over := uint32(len(body))
	head := []insn{{load, 0, 0, dataNr}}
	if a.audit == unix.AUDIT_ARCH_X86_64 {
		test := insn{jge, 0, 1, x32Bit}
		if a.first == x32Bit {
			test = insn{jge, 1, 0, x32Bit}
		}
		head = append(head, test, insn{jump, 0, 0, over})
	}
	over += uint32(len(head))
	return slices.Concat([]insn{{load, 0, 0, dataArch}, {jeq, 1, 0, a.audit}, {jump, 0, 0, over}}, head, body)
}

// newerNumbers are the numbers of pol.newer on a, each once.
func newerNumbers(pol policy, a arch) (list []int32) {
	for _, r := range pol.newer {
		if existsOn(r.nr, a) && !slices.Contains(list, r.nr) {
			list = append(list, r.nr)
		}
	}
	return list
}

func existsOn(nr int32, a arch) bool {
	return nr >= newerBase || a.audit == unix.AUDIT_ARCH_X86_64
}

// newestNamed is the highest number on a among the calls that the profile names.
func newestNamed(pol policy, a arch) (newest uint32, ok bool) {
	for _, r := range pol.newer {
		if existsOn(r.nr, a) {
			newest, ok = max(newest, a.first+uint32(r.nr)), true
		}
	}
	for _, r := range pol.known {
		nr, err := lib.GetSyscallFromNameByArch(r.name, a.lib)
		if err == nil && nr >= 0 && !a.private.has(uint32(nr)) {
			newest, ok = max(newest, uint32(nr)), true
		}
	}
	return newest, ok
}

func tooNew(newest uint32, private span) []insn {
	if private == (span{}) {
		return []insn{{jgt, 0, 1, newest}, {ret, 0, 0, enosys}}
	}
	return []insn{
		{jgt, 0, 3, newest},
		{jge, 0, 1, private.lo},
		{jge, 0, 1, private.hi},
		{ret, 0, 0, enosys},
	}
}

// callBlock always answers for call nr. As in libseccomp, a rule without conditions wins.
func callBlock(pol policy, a arch, nr int32) []insn {
	rules := slices.DeleteFunc(slices.Clone(pol.newer), func(r rule) bool { return r.nr != nr })
	var body []insn
	if i := slices.IndexFunc(rules, func(r rule) bool { return len(r.conds) == 0 }); i >= 0 {
		body = []insn{{ret, 0, 0, rules[i].act.ret}}
	} else {
		for _, r := range rules {
			body = append(body, ruleBlock(r)...)
		}
		body = append(body, insn{ret, 0, 0, pol.def.ret})
	}
	head := []insn{{jeq, 1, 0, a.first + uint32(nr)}, {jump, 0, 0, uint32(len(body))}}
	return append(head, body...)
}

// ruleBlock falls out at its end when a condition does not hold.
func ruleBlock(r rule) []insn {
	block := []insn{{ret, 0, 0, r.act.ret}}
	for _, c := range slices.Backward(r.conds) {
		block = append(condition(c, uint8(len(block))), block...)
	}
	return block
}

// condition compares the 64 bits of an argument, high word first. It falls through when c
// holds, and otherwise skips the rest instructions that follow it.
func condition(c lib.ScmpCondition, rest uint8) []insn {
	high, low := words(c.Argument)
	h, l := uint32(c.Operand1>>32), uint32(c.Operand1)
	loadHigh, loadLow := insn{load, 0, 0, high}, insn{load, 0, 0, low}
	switch c.Op {
	case lib.CompareEqual:
		return []insn{loadHigh, {jeq, 0, rest + 2, h}, loadLow, {jeq, 0, rest, l}}
	case lib.CompareNotEqual:
		return []insn{loadHigh, {jeq, 0, 2, h}, loadLow, {jeq, rest, 0, l}}
	case lib.CompareGreater:
		return []insn{loadHigh, {jgt, 3, 0, h}, {jeq, 0, rest + 2, h}, loadLow, {jgt, 0, rest, l}}
	case lib.CompareGreaterEqual:
		return []insn{loadHigh, {jgt, 3, 0, h}, {jeq, 0, rest + 2, h}, loadLow, {jge, 0, rest, l}}
	case lib.CompareLess:
		return []insn{loadHigh, {jgt, rest + 3, 0, h}, {jeq, 0, 2, h}, loadLow, {jge, rest, 0, l}}
	case lib.CompareLessOrEqual:
		return []insn{loadHigh, {jgt, rest + 3, 0, h}, {jeq, 0, 2, h}, loadLow, {jgt, rest, 0, l}}
	}
	// SCMP_CMP_MASKED_EQ: argument & Operand1 == Operand2.
	vh, vl := uint32(c.Operand2>>32), uint32(c.Operand2)
	return []insn{loadHigh, {and, 0, 0, h}, {jeq, 0, rest + 3, vh}, loadLow, {and, 0, 0, l}, {jeq, 0, rest, vl}}
}

// words are the offsets of an argument's high and low word.
func words(arg uint) (high, low uint32) {
	at := uint32(dataArgs + 8*arg)
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return at + 4, at
	}
	return at, at + 4
}
