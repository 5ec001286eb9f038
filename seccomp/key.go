package seccomp

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"runtime"

	"github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"
)

// cacheFormat changes with the layout of cache files, and with every change to what
// Compile makes of a profile.
const cacheFormat = 1

// Key names the filter that Compile would make of p, in lower-case hex: it is a hash of
// all that Compile reads. listenerPath and listenerMetadata are not among that: engines
// choose them for each container, and would never find a filter again.
func Key(p *specs.LinuxSeccomp) string {
	major, minor, micro := lib.GetLibraryVersion() // read when the process started
	e := make(encoder, 0, 16<<10)
	e.number(cacheFormat)
	e.number(uint64(major))
	e.number(uint64(minor))
	e.number(uint64(micro))
	e.text(runtime.GOARCH)
	e.profile(p)
	sum := sha256.Sum256(e)
	return hex.EncodeToString(sum[:])
}

// encoder writes values so that no two profiles give the same bytes: numbers have a fixed
// size, texts and lists begin with their length.
type encoder []byte

func (e *encoder) number(n uint64) { *e = binary.LittleEndian.AppendUint64(*e, n) }

func (e *encoder) text(s string) {
	*e = binary.LittleEndian.AppendUint32(*e, uint32(len(s)))
	*e = append(*e, s...)
}

func (e *encoder) errno(n *uint) {
	if n == nil {
		*e = append(*e, 0)
		return
	}
	*e = append(*e, 1)
	e.number(uint64(*n))
}

func (e *encoder) profile(p *specs.LinuxSeccomp) {
	e.text(string(p.DefaultAction))
	e.errno(p.DefaultErrnoRet)
	e.number(uint64(len(p.Architectures)))
	for _, a := range p.Architectures {
		e.text(string(a))
	}
	e.number(uint64(len(p.Flags)))
	for _, f := range p.Flags {
		e.text(string(f))
	}
	e.number(uint64(len(p.Syscalls)))
	for i := range p.Syscalls {
		e.syscall(&p.Syscalls[i])
	}
}

func (e *encoder) syscall(s *specs.LinuxSyscall) {
	e.number(uint64(len(s.Names)))
	for _, name := range s.Names {
		e.text(name)
	}
	e.text(string(s.Action))
	e.errno(s.ErrnoRet)
	e.number(uint64(len(s.Args)))
	for _, a := range s.Args {
		e.number(uint64(a.Index))
		e.number(a.Value)
		e.number(a.ValueTwo)
		e.text(string(a.Op))
	}
}
