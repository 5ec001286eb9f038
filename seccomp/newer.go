package seccomp

import "slices"

// newerBase is the number of the first of newerCalls, on every architecture less its
// arch.first.
const newerBase = 449

// newerCalls lists the system calls since Linux 5.16 by number. libseccomp 2.5.4 refuses
// most of these names, and a profile that allows one of them would deny it.
var newerCalls = [...]string{
	"futex_waitv", "set_mempolicy_home_node", "cachestat", "fchmodat2", "map_shadow_stack", // 5.16 … 6.6
	"futex_wake", "futex_wait", "futex_requeue", "statmount", "listmount", // 6.7, 6.8
	"lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal", // 6.8 … 6.10
	"setxattrat", "getxattrat", "listxattrat", "removexattrat", "open_tree_attr", // 6.13 … 6.15
	"file_getattr", "file_setattr", "listns", "rseq_slice_yield", // 6.17 and later
}

const (
	uretprobe = 335 // Linux 6.11, x86_64 and x32 only
	uprobe    = 336 // Linux 6.18, the same
)

// newerCall is the number of a call that libseccomp does not know, less arch.first.
func newerCall(name string) (nr uint32, ok bool) {
	switch name {
	case "uretprobe":
		return uretprobe, true
	case "uprobe":
		return uprobe, true
	}
	i := slices.Index(newerCalls[:], name)
	return newerBase + uint32(i), i >= 0
}
