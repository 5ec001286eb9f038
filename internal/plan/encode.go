package plan

import (
	"encoding/binary"
	"fmt"
)

// The layout of an encoded plan, little-endian. All offsets count from the start; the
// last byte is 0, so that no string can run over the end.
//
//	header        headerSize bytes, see Encode
//	steps         stepSize bytes each
//	pointers      8 bytes each: args, 0, env, (2 reserved,) 0 — offsets that init turns into addresses
//	strings       NUL-terminated, or binary with a length
const (
	Magic      = 0x4e4c5052 // "RPLN"
	Version    = 1
	headerSize = 160
	stepSize   = 48
	MaxSize    = 4 << 20 // bytes; the kernel takes 2 MiB of arguments and environment
)

// Encode lays the plan out for the init. A string with a NUL in it would be cut there:
// that is an error.
func (p *Plan) Encode() ([]byte, error) {
	pointers := headerSize + stepSize*len(p.Init)
	words := len(p.Args) + len(p.Env) + 4
	e := &encoder{buf: make([]byte, pointers+8*words, pointers+8*words+4096)}
	e.header(p, pointers)
	for i := range p.Init {
		e.step(headerSize+stepSize*i, &p.Init[i])
	}
	at := e.list(pointers, p.Args)
	e.list(at, p.Env)
	e.buf = append(e.buf, 0)
	binary.LittleEndian.PutUint32(e.buf[8:], uint32(len(e.buf)))
	if len(e.buf) > MaxSize {
		return nil, fmt.Errorf("arguments and environment of %d bytes are more than %d", len(e.buf), MaxSize)
	}
	return e.buf, e.err
}

type encoder struct {
	buf []byte
	err error
}

func (e *encoder) header(p *Plan, pointers int) {
	le := binary.LittleEndian
	h := e.buf[:headerSize]
	le.PutUint32(h[0:], Magic)
	le.PutUint32(h[4:], Version)
	le.PutUint32(h[12:], uint32(len(p.Init)))
	le.PutUint32(h[16:], uint32(pointers))
	le.PutUint32(h[20:], uint32(len(p.Args)))
	le.PutUint32(h[24:], uint32(len(p.Env)))
	slots := h[32:headerSize]
	for i := range int(slotCount) {
		le.PutUint32(slots[4*i:], ^uint32(0))
	}
	for i, s := range p.Pass {
		le.PutUint32(slots[4*int(s):], uint32(1+i)) // the plan itself comes first
	}
}

func (e *encoder) step(at int, s *Step) {
	le := binary.LittleEndian
	text, other := e.text(s, s.S), e.text(s, s.T)
	r := e.buf[at : at+stepSize]
	le.PutUint16(r[0:], uint16(s.Kind))
	le.PutUint16(r[2:], s.Flags)
	r[4], r[5] = byte(s.In), byte(s.Out)
	le.PutUint64(r[8:], s.A)
	le.PutUint64(r[16:], s.B)
	le.PutUint64(r[24:], s.C)
	le.PutUint32(r[32:], text)
	le.PutUint32(r[36:], uint32(len(s.S)))
	le.PutUint32(r[40:], other)
	le.PutUint32(r[44:], uint32(len(s.T)))
}

// list writes the strings and their offsets; the word after them stays 0.
func (e *encoder) list(at int, list []string) int {
	for _, s := range list {
		place := e.put(s) // may move the buffer
		binary.LittleEndian.PutUint64(e.buf[at:], uint64(place))
		e.check(s)
		at += 8
	}
	return at + 8
}

// text places a step's string, aligned for binary data; 0 stands for the empty one.
func (e *encoder) text(s *Step, text string) uint32 {
	if text == "" {
		return 0
	}
	if s.Kind != KindGroups && s.Kind != KindFilter {
		e.check(text)
	}
	for len(e.buf)%8 != 0 {
		e.buf = append(e.buf, 0)
	}
	return e.put(text)
}

func (e *encoder) put(s string) uint32 {
	at := uint32(len(e.buf))
	e.buf = append(append(e.buf, s...), 0)
	return at
}

func (e *encoder) check(s string) {
	for i := range len(s) {
		if s[i] == 0 && e.err == nil {
			e.err = fmt.Errorf("%q has a NUL byte in it", s)
		}
	}
}

func encodeWords(words []uint32) []byte {
	b := make([]byte, 0, 4*len(words))
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}
