package compile

import "github.com/opencontainers/runtime-spec/specs-go"

// refusals are the fields that this version does not carry out. To ignore one quietly
// would be worse than to refuse it.
var refusals = []struct {
	where, what string
	asked       func(*specs.Spec) bool
}{
	{"/process/apparmorProfile", "an AppArmor profile", func(s *specs.Spec) bool { return !unconfined(s.Process.ApparmorProfile) }},
	{"/process/selinuxLabel", "an SELinux label", func(s *specs.Spec) bool { return s.Process.SelinuxLabel != "" }},
	{"/process/scheduler", "a scheduling policy", func(s *specs.Spec) bool { return s.Process.Scheduler != nil }},
	{"/process/ioPriority", "an I/O priority", func(s *specs.Spec) bool { return s.Process.IOPriority != nil }},
	{"/process/execCPUAffinity", "a CPU affinity for exec", func(s *specs.Spec) bool { return s.Process.ExecCPUAffinity != nil }},
	{"/linux/mountLabel", "a mount label", linux(func(l *specs.Linux) bool { return l.MountLabel != "" })},
	{"/linux/netDevices", "network devices", linux(func(l *specs.Linux) bool { return len(l.NetDevices) > 0 })},
	{"/linux/intelRdt", "Intel RDT", linux(func(l *specs.Linux) bool { return l.IntelRdt != nil })},
	{"/linux/memoryPolicy", "a memory policy", linux(func(l *specs.Linux) bool { return l.MemoryPolicy != nil })},
	{"/linux/personality", "a personality", linux(func(l *specs.Linux) bool { return l.Personality != nil })},
}

// unconfined is what managers write for a container that keeps what confines rt, which on most
// hosts is nothing.
func unconfined(profile string) bool { return profile == "" || profile == "unconfined" }

func linux(asked func(*specs.Linux) bool) func(*specs.Spec) bool {
	return func(s *specs.Spec) bool { return s.Linux != nil && asked(s.Linux) }
}

func refuse(s *specs.Spec) error {
	for _, r := range refusals {
		if r.asked(s) {
			return unsupported(r.where, r.what)
		}
	}
	return nil
}
