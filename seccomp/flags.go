package seccomp

import "github.com/opencontainers/runtime-spec/specs-go"

// Flags are the SECCOMP_FILTER_FLAG_* bits of seccomp(2) that a profile asks for; 0 without
// a profile, or with an unknown flag, which Compile reports.
func Flags(p *specs.LinuxSeccomp) uint32 {
	if p == nil {
		return 0
	}
	bits, err := flagBits(p.Flags)
	if err != nil {
		return 0
	}
	return bits
}
