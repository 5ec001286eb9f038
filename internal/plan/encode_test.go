package plan

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestHeader: the init was generated from these tables.
func TestHeader(t *testing.T) {
	file, err := os.ReadFile("../../nsenter/init/plan.h")
	if err != nil {
		t.Fatal(err)
	}
	if string(file) != Header() {
		t.Error("nsenter/init/plan.h is not what this package says: run `go generate ./internal/plan`")
	}
}

// sample has a value in every field.
func sample() *Plan {
	b := &Builder{}
	b.From("/a")
	b.Add(Step{Kind: KindMknod, Flags: 0x8001, In: SlotDev, Out: SlotFilter, A: 1 << 63, B: 2, C: ^uint64(0), S: "name", T: "other"})
	b.Groups([]uint32{1, 0x01020304}, 0)
	b.Filter("\x00\x01\x00\x00\x00\x00\x00\x00", 3)
	b.Number(KindSetsid)
	p := &b.Plan
	p.Args, p.Env, p.Preserve, p.Pass = []string{"cmd", ""}, []string{"A=b"}, 2, []Slot{SlotLock, SlotFilter}
	return p
}

func TestEncode(t *testing.T) {
	raw := encode(t, sample())
	d := decode(t, raw)
	for _, r := range []struct {
		what      string
		got, want any
	}{
		{"header", d.head, [8]uint32{Magic, Version, uint32(len(raw)), 4, headerSize + 4*stepSize, 2, 1, 0}},
		{"lock, behind the plan", d.slots[SlotLock], int32(1)},
		{"filter", d.slots[SlotFilter], int32(2)},
		{"a slot without an fd", d.slots[SlotRoot], int32(-1)},
		{"no slot", d.slots[SlotNone], int32(-1)},
		{"steps", fmt.Sprint(d.steps), fmt.Sprint([]Step{
			{KindMknod, 0x8001, SlotDev, SlotFilter, 1 << 63, 2, ^uint64(0), "name", "other", ""},
			{Kind: KindGroups, A: 2, S: "\x01\x00\x00\x00\x04\x03\x02\x01"},
			{Kind: KindFilter, In: SlotFilter, A: 3, S: "\x00\x01\x00\x00\x00\x00\x00\x00"},
			{Kind: KindSetsid},
		})},
		{"lists", fmt.Sprintf("%q", d.lists), `["cmd" "" "" "A=b" "" "" ""]`}, // two lists, the reserved entries, and the end
		{"zero words", d.zeros, []int{2, 4, 5, 6}},
	} {
		if fmt.Sprint(r.got) != fmt.Sprint(r.want) {
			t.Errorf("%s: %v, expected %v", r.what, r.got, r.want)
		}
	}
}

func encode(t *testing.T, p *Plan) []byte {
	t.Helper()
	raw, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// decoded is a plan as the init reads it.
type decoded struct {
	head  [8]uint32
	slots [32]int32
	steps []Step
	lists []string
	zeros []int // the pointers that are 0
}

func decode(t *testing.T, raw []byte) (d decoded) {
	t.Helper()
	r := bytes.NewReader(raw)
	binary.Read(r, binary.LittleEndian, &d.head)
	binary.Read(r, binary.LittleEndian, &d.slots)
	for range d.head[3] {
		var s struct {
			Kind, Flags      uint16
			In, Out          uint8
			Unused           uint16
			A, B, C          uint64
			S, SLen, T, TLen uint32
		}
		binary.Read(r, binary.LittleEndian, &s)
		d.steps = append(d.steps, Step{Kind(s.Kind), s.Flags, Slot(s.In), Slot(s.Out), s.A, s.B, s.C, text(t, raw, s.S, s.SLen), text(t, raw, s.T, s.TLen), ""})
	}
	for i := range int(d.head[5] + d.head[6] + 4) {
		var at uint64
		binary.Read(r, binary.LittleEndian, &at)
		s := ""
		if at == 0 {
			d.zeros = append(d.zeros, i)
		} else {
			s = string(raw[at : int(at)+bytes.IndexByte(raw[at:], 0)])
		}
		d.lists = append(d.lists, s)
	}
	return d
}

func text(t *testing.T, raw []byte, at, n uint32) string {
	t.Helper()
	if at == 0 && n == 0 {
		return ""
	}
	if at%8 != 0 {
		t.Errorf("the text at %d is not aligned", at)
	}
	if raw[at+n] != 0 {
		t.Errorf("the text at %d has no NUL behind its %d bytes", at, n)
	}
	return string(raw[at : at+n])
}

func TestEncodeRefuses(t *testing.T) {
	step := func(s Step) func(*Plan) { return func(p *Plan) { p.Init = append(p.Init, s) } }
	for _, r := range []struct {
		name string
		edit func(*Plan)
		want string // of the error
	}{
		{"NUL in S", step(Step{Kind: KindOpen, S: "a\x00b"}), `"a\x00b" has a NUL`},
		{"NUL in T", step(Step{Kind: KindWrite, S: "a", T: "\x00"}), `"\x00" has a NUL`},
		{"NUL in an argument", func(p *Plan) { p.Args = []string{"a\x00"} }, `"a\x00" has a NUL`},
		{"NUL in the environment", func(p *Plan) { p.Env = []string{"A=\x00"} }, `"A=\x00" has a NUL`},
		{"NUL in the second of two", func(p *Plan) { p.Env = []string{"A=b", "C=\x00"} }, `"C=\x00" has a NUL`},
		{"too long", func(p *Plan) { p.Args = []string{strings.Repeat("x", MaxSize)} }, "are more than 4194304"},
		{"too many", func(p *Plan) { p.Env = slices.Repeat([]string{"A=b"}, MaxSize/8) }, "are more than 4194304"},
		{"NUL in groups", step(Step{Kind: KindGroups, S: "\x00\x00\x00\x00"}), ""},
		{"NUL in a filter", step(Step{Kind: KindFilter, S: "\x00"}), ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			p := sample()
			r.edit(p)
			_, err := p.Encode()
			if (err == nil) != (r.want == "") || err != nil && !strings.Contains(err.Error(), r.want) {
				t.Errorf("%v, expected %q", err, r.want)
			}
		})
	}
}

// TestBigPlan: the largest plan that fits comes through whole.
func TestBigPlan(t *testing.T) {
	p := sample()
	for i := range 10000 {
		p.Init = append(p.Init, Step{Kind: KindOpen, A: uint64(i), S: fmt.Sprint("/path/", i)})
	}
	p.Env = slices.Repeat([]string{"NAME=value"}, 100000)
	rest := MaxSize - len(encode(t, p))
	p.Args[1] = strings.Repeat("x", rest)
	raw := encode(t, p)
	d := decode(t, raw)
	if len(raw) != MaxSize || len(d.steps) != len(p.Init) || d.steps[len(d.steps)-1].S != "/path/9999" || len(d.lists[1]) != rest || len(d.zeros) != 4 {
		t.Errorf("%d bytes, %d steps, last %v, %d empty pointers", len(raw), len(d.steps), d.steps[len(d.steps)-1], len(d.zeros))
	}
	p.Args[1] += "x"
	if _, err := p.Encode(); err == nil {
		t.Error("one byte more was accepted")
	}
}

func TestMessage(t *testing.T) {
	for _, m := range []Message{{}, {Spawned, 0, 77, 0}, {CallVerb, 3, CallFilter, 0}, {Done, 0, 0, 4095}, {Fail, ^uint32(0), -1, ^uint32(0)}} {
		raw := m.Append([]byte("x"))[1:]
		if len(raw) != MessageSize {
			t.Errorf("%+v has %d bytes", m, len(raw))
		}
		if back, ok := ParseMessage(append(raw, "text"...)); !ok || back != m {
			t.Errorf("%+v came back as %+v", m, back)
		}
		if _, ok := ParseMessage(raw[:MessageSize-1]); ok {
			t.Error("a short message was accepted")
		}
	}
}

// TestNames: no table has a hole, and no name stands for two things.
func TestNames(t *testing.T) {
	var names []string
	for k := KindNone; k < kindCount; k++ {
		names = append(names, "kind "+k.String())
		if k != KindNone && k.Verb() == "" {
			t.Errorf("%s has no verb", k)
		}
	}
	for s := range slotCount {
		names = append(names, "slot "+s.String())
	}
	for a := ActRecord; int(a) < len(actNames); a++ {
		names = append(names, "act "+a.String())
	}
	for _, f := range headerFlags() {
		names = append(names, "flag "+f.name)
	}
	slices.Sort(names)
	for i, n := range names {
		if strings.HasSuffix(n, " ") || i > 0 && names[i-1] == n {
			t.Errorf("%q is empty, or there twice", n)
		}
	}
	if kindCount.String() != "unknown" || kindCount.Verb() == "" {
		t.Error("a kind that does not exist has a name")
	}
}
