package kernel

import "slices"

// rlimits lists the resources of getrlimit(2) by their number in <asm-generic/resource.h>,
// which amd64 and arm64 share.
var rlimits = []string{
	"RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS",
	"RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS",
	"RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
}

// RlimitResource is the number of a resource limit, -1 for an unknown name.
func RlimitResource(name string) int { return slices.Index(rlimits, name) }

// RlimitNames lists every resource limit, by number.
func RlimitNames() []string { return slices.Clone(rlimits) }
