package seccomp

import (
	"runtime"

	"github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// arch is an architecture as the spec, Go, libseccomp and the kernel name it.
type arch struct {
	name   specs.Arch
	goarch string
	lib    lib.ScmpArch
	audit  uint32 // seccomp_data.arch
	// first is the number of system call 0. Calls since Linux 5.0 are first+403 and up, the
	// same on all of these.
	first uint32
	// private numbers lie above the shared ones and say nothing about a call's age.
	private span
}

// span holds the numbers from lo up to, not including, hi.
type span struct{ lo, hi uint32 }

func (s span) has(n uint32) bool { return s.lo <= n && n < s.hi }

const (
	x32Bit  = 0x40000000 // __X32_SYSCALL_BIT, <asm/unistd.h>
	armBase = 0x0f0000   // __ARM_NR_BASE, <asm/unistd.h>
)

// archs are the values of linux.seccomp.architectures, config-linux.md.
var archs = [...]arch{
	{specs.ArchX86, "386", lib.ArchX86, unix.AUDIT_ARCH_I386, 0, span{}},
	{specs.ArchX86_64, "amd64", lib.ArchAMD64, unix.AUDIT_ARCH_X86_64, 0, span{}},
	{specs.ArchX32, "", lib.ArchX32, unix.AUDIT_ARCH_X86_64, x32Bit, span{x32Bit + 512, x32Bit + 548}},
	{specs.ArchARM, "arm", lib.ArchARM, unix.AUDIT_ARCH_ARM, 0, span{armBase, 2 * armBase}},
	{specs.ArchAARCH64, "arm64", lib.ArchARM64, unix.AUDIT_ARCH_AARCH64, 0, span{}},
	{specs.ArchMIPS, "mips", lib.ArchMIPS, unix.AUDIT_ARCH_MIPS, 4000, span{}},
	{specs.ArchMIPS64, "mips64", lib.ArchMIPS64, unix.AUDIT_ARCH_MIPS64, 5000, span{}},
	{specs.ArchMIPS64N32, "", lib.ArchMIPS64N32, unix.AUDIT_ARCH_MIPS64N32, 6000, span{}},
	{specs.ArchMIPSEL, "mipsle", lib.ArchMIPSEL, unix.AUDIT_ARCH_MIPSEL, 4000, span{}},
	{specs.ArchMIPSEL64, "mips64le", lib.ArchMIPSEL64, unix.AUDIT_ARCH_MIPSEL64, 5000, span{}},
	{specs.ArchMIPSEL64N32, "", lib.ArchMIPSEL64N32, unix.AUDIT_ARCH_MIPSEL64N32, 6000, span{}},
	{specs.ArchPPC, "", lib.ArchPPC, unix.AUDIT_ARCH_PPC, 0, span{}},
	{specs.ArchPPC64, "ppc64", lib.ArchPPC64, unix.AUDIT_ARCH_PPC64, 0, span{}},
	{specs.ArchPPC64LE, "ppc64le", lib.ArchPPC64LE, unix.AUDIT_ARCH_PPC64LE, 0, span{}},
	{specs.ArchS390, "", lib.ArchS390, unix.AUDIT_ARCH_S390, 0, span{}},
	{specs.ArchS390X, "s390x", lib.ArchS390X, unix.AUDIT_ARCH_S390X, 0, span{}},
	{specs.ArchPARISC, "", lib.ArchPARISC, unix.AUDIT_ARCH_PARISC, 0, span{}},
	{specs.ArchPARISC64, "", lib.ArchPARISC64, unix.AUDIT_ARCH_PARISC64, 0, span{}},
	{specs.ArchRISCV64, "riscv64", lib.ArchRISCV64, unix.AUDIT_ARCH_RISCV64, 0, span{}},
	{specs.ArchLOONGARCH64, "loong64", lib.ArchLOONGARCH64, unix.AUDIT_ARCH_LOONGARCH64, 0, span{}},
	{specs.ArchM68K, "", lib.ArchM68K, unix.AUDIT_ARCH_M68K, 0, span{}},
	{specs.ArchSH, "", lib.ArchSH, unix.AUDIT_ARCH_SHEL, 0, span{}},
	{specs.ArchSHEB, "", lib.ArchSHEB, unix.AUDIT_ARCH_SH, 0, span{}},
}

func archByName(name specs.Arch) (arch, bool) {
	for _, a := range archs {
		if a.name == name {
			return a, true
		}
	}
	return arch{}, false
}

func nativeArch() arch {
	for _, a := range archs {
		if a.goarch == runtime.GOARCH {
			return a
		}
	}
	return arch{lib: lib.ArchNative}
}
