package cli

import (
	"fmt"

	"rt/seccomp"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	lib "github.com/seccomp/libseccomp-golang"
)

// libseccompVersion is that of the library in use; the library says it without a filter.
func libseccompVersion() string {
	major, minor, micro := lib.GetLibraryVersion()
	return fmt.Sprintf("%d.%d.%d", major, minor, micro)
}

// seccompFeatures asks the compiler for every value that the specification has: what it
// takes depends on the version of libseccomp.
func seccompFeatures() *features.Seccomp {
	yes := true
	return &features.Seccomp{
		Enabled: &yes,
		Actions: accepted(func(a specs.LinuxSeccompAction) specs.LinuxSeccomp {
			return specs.LinuxSeccomp{DefaultAction: a}
		}, specs.ActAllow, specs.ActErrno, specs.ActKill, specs.ActKillProcess, specs.ActKillThread, specs.ActLog,
			specs.ActNotify, specs.ActTrace, specs.ActTrap),
		Operators: accepted(func(op specs.LinuxSeccompOperator) specs.LinuxSeccomp {
			call := specs.LinuxSyscall{Names: []string{"write"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Op: op}}}
			return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{call}}
		}, specs.OpEqualTo, specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpLessEqual, specs.OpLessThan,
			specs.OpMaskedEqual, specs.OpNotEqual),
		Archs: accepted(func(a specs.Arch) specs.LinuxSeccomp {
			return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{a}}
		}, specs.ArchAARCH64, specs.ArchARM, specs.ArchLOONGARCH64, specs.ArchM68K, specs.ArchMIPS, specs.ArchMIPS64,
			specs.ArchMIPS64N32, specs.ArchMIPSEL, specs.ArchMIPSEL64, specs.ArchMIPSEL64N32, specs.ArchPARISC,
			specs.ArchPARISC64, specs.ArchPPC, specs.ArchPPC64, specs.ArchPPC64LE, specs.ArchRISCV64, specs.ArchS390,
			specs.ArchS390X, specs.ArchSH, specs.ArchSHEB, specs.ArchX32, specs.ArchX86, specs.ArchX86_64),
		KnownFlags: accepted(func(f specs.LinuxSeccompFlag) specs.LinuxSeccomp {
			return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{f}}
		}, specs.LinuxSeccompFlagLog, specs.LinuxSeccompFlagSpecAllow, "SECCOMP_FILTER_FLAG_TSYNC",
			specs.LinuxSeccompFlagWaitKillableRecv),
	}
}

// accepted lists the names whose profile compiles.
func accepted[T ~string](profile func(T) specs.LinuxSeccomp, names ...T) []string {
	list := []string{}
	for _, name := range names {
		p := profile(name)
		if _, _, err := seccomp.Compile(&p); err == nil {
			list = append(list, string(name))
		}
	}
	return list
}
