package v2

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"rt/cgroups/devices"
)

// run interprets a device program. It knows the instructions of Program alone, and fails on
// a jump out of the program or too many steps.
func run(t *testing.T, p []Insn, context [3]uint32) bool {
	var reg [16]uint32
	reg[result] = 7 // not set yet, which the kernel would refuse
	pc := 0
	for range 10000 {
		if pc < 0 || pc >= len(p) {
			t.Fatalf("jump to %d of %d", pc, len(p))
		}
		i := p[pc]
		dst, src := i.Regs&15, i.Regs>>4
		pc++
		switch i.Code {
		case loadWord:
			if src != ctx {
				t.Fatalf("load from r%d", src)
			}
			reg[dst] = context[i.Off/4]
		case moveReg:
			reg[dst] = reg[src]
		case moveImm:
			reg[dst] = uint32(i.Imm)
		case andImm:
			reg[dst] &= uint32(i.Imm)
		case shiftImm:
			reg[dst] >>= uint32(i.Imm)
		case jumpNot:
			if reg[dst] != uint32(i.Imm) {
				pc += int(i.Off)
			}
		case jumpSet:
			if reg[dst]&uint32(i.Imm) != 0 {
				pc += int(i.Off)
			}
		case unix.BPF_JMP | unix.BPF_JA:
			pc += int(i.Off)
		case exit:
			if reg[result] > 1 {
				t.Fatal("no result")
			}
			return reg[result] == 1
		default:
			t.Fatalf("instruction %#x", i.Code)
		}
	}
	t.Fatal("endless")
	return false
}

// allowed is the meaning of a list: for each letter wanted, the last rule that fits the
// device and has the letter decides, or the start.
func allowed(l devices.List, kind byte, major, minor int64, access devices.Access) bool {
	for bit := devices.Mknod; bit <= devices.Write; bit <<= 1 {
		if access&bit == 0 {
			continue
		}
		verdict := l.AllowAll
		for _, r := range l.Rules {
			if r.Access&bit != 0 && r.Covers(devices.Rule{Type: kind, Major: major, Minor: minor}) {
				verdict = r.Allow
			}
		}
		if !verdict {
			return false
		}
	}
	return true
}

func randomList() devices.List {
	numbers := []int64{devices.Any, 0, 1, 2, 1 << 31, 1<<32 - 1}
	l := devices.List{Set: true, AllowAll: rand.IntN(2) == 0}
	for range rand.IntN(6) {
		l.Rules = append(l.Rules, devices.Rule{
			Allow: rand.IntN(2) == 0, Type: "bc"[rand.IntN(2)],
			Major: numbers[rand.IntN(len(numbers))], Minor: numbers[rand.IntN(len(numbers))],
			Access: devices.Access(1 + rand.IntN(7)),
		})
	}
	return l
}

func TestProgram(t *testing.T) {
	for range 3000 {
		l := randomList()
		p := Program(l)
		for _, kind := range []byte("bc") {
			for _, major := range []int64{0, 1, 2, 3, 1 << 31, 1<<32 - 1} {
				for access := devices.Access(1); access <= devices.All; access++ {
					minor := int64(rand.IntN(3))
					want := allowed(l, kind, major, minor, access)
					context := [3]uint32{uint32(access)<<16 | uint32(deviceKind(kind)), uint32(major), uint32(minor)}
					if got := p == nil || run(t, p, context); got != want {
						t.Fatalf("%c %d:%d %v: %v, want %v by %+v", kind, major, minor, access, got, want, l)
					}
				}
			}
		}
	}
}

func TestNoProgram(t *testing.T) {
	allow := devices.Rule{Allow: true, Type: 'c', Major: 1, Minor: 3, Access: devices.All}
	for _, l := range []devices.List{{}, {Set: true, AllowAll: true}, {Set: true, AllowAll: true, Rules: []devices.Rule{allow}}} {
		if p := Program(l); p != nil {
			t.Errorf("%+v has a program", l)
		}
	}
}
