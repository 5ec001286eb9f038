package config

import "github.com/opencontainers/runtime-spec/specs-go"

// The names that the specification knows, sorted.
var (
	namespaceTypes = []string{
		string(specs.CgroupNamespace), string(specs.IPCNamespace), string(specs.MountNamespace), string(specs.NetworkNamespace),
		string(specs.PIDNamespace), string(specs.TimeNamespace), string(specs.UserNamespace), string(specs.UTSNamespace),
	}
	propagations = []string{"private", "rprivate", "rshared", "rslave", "runbindable", "shared", "slave", "unbindable"}
	domains      = []string{string(specs.PerLinux), string(specs.PerLinux32)}
	clocks       = []string{"boottime", "monotonic"}

	policies = []string{
		string(specs.SchedBatch), string(specs.SchedDeadline), string(specs.SchedFIFO), string(specs.SchedIdle),
		string(specs.SchedISO), string(specs.SchedOther), string(specs.SchedRR),
	}
	schedulerFlags = []string{
		string(specs.SchedFlagDLOverrun), string(specs.SchedFlagKeepParams), string(specs.SchedFlagKeepPolicy), string(specs.SchedFlagReclaim),
		string(specs.SchedFlagResetOnFork), string(specs.SchedFlagUtilClampMax), string(specs.SchedFlagUtilClampMin),
	}
	ioClasses = []string{string(specs.IOPRIO_CLASS_BE), string(specs.IOPRIO_CLASS_IDLE), string(specs.IOPRIO_CLASS_RT)}

	memoryModes = []string{
		string(specs.MpolBind), string(specs.MpolDefault), string(specs.MpolInterleave), string(specs.MpolLocal),
		string(specs.MpolPreferred), string(specs.MpolPreferredMany), string(specs.MpolWeightedInterleave),
	}
	memoryFlags = []string{string(specs.MpolFNumaBalancing), string(specs.MpolFRelativeNodes), string(specs.MpolFStaticNodes)}

	actions = []string{
		string(specs.ActAllow), string(specs.ActErrno), string(specs.ActKill), string(specs.ActKillProcess), string(specs.ActKillThread),
		string(specs.ActLog), string(specs.ActNotify), string(specs.ActTrace), string(specs.ActTrap),
	}
	operators = []string{
		string(specs.OpEqualTo), string(specs.OpGreaterEqual), string(specs.OpGreaterThan), string(specs.OpLessEqual),
		string(specs.OpLessThan), string(specs.OpMaskedEqual), string(specs.OpNotEqual),
	}
	filterFlags = []string{
		string(specs.LinuxSeccompFlagLog), string(specs.LinuxSeccompFlagSpecAllow), "SECCOMP_FILTER_FLAG_TSYNC",
		string(specs.LinuxSeccompFlagWaitKillableRecv),
	}

	architectures = []string{
		string(specs.ArchAARCH64), string(specs.ArchARM), string(specs.ArchLOONGARCH64), string(specs.ArchM68K),
		string(specs.ArchMIPS), string(specs.ArchMIPS64), string(specs.ArchMIPS64N32), string(specs.ArchMIPSEL),
		string(specs.ArchMIPSEL64), string(specs.ArchMIPSEL64N32), string(specs.ArchPARISC), string(specs.ArchPARISC64),
		string(specs.ArchPPC), string(specs.ArchPPC64), string(specs.ArchPPC64LE), string(specs.ArchRISCV64),
		string(specs.ArchS390), string(specs.ArchS390X), string(specs.ArchSH), string(specs.ArchSHEB),
		string(specs.ArchX32), string(specs.ArchX86), string(specs.ArchX86_64),
	}
)
