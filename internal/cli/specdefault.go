package cli

import (
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// defaultSpec is a shell that can do little, in a root file system that it cannot change.
func defaultSpec(cgroup2 bool) *specs.Spec {
	return &specs.Spec{
		Version:  specs.Version,
		Process:  defaultProcess(),
		Root:     &specs.Root{Path: "rootfs", Readonly: true},
		Hostname: "rt",
		Mounts:   defaultMounts(),
		Linux: &specs.Linux{
			Namespaces: defaultNamespaces(cgroup2),
			Resources:  &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}},
			MaskedPaths: []string{
				"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
				"/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
			},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
}

// defaultProcess has no inheritable capabilities: with them, a file's inheritable
// capabilities would give an unprivileged user of the container more than it has.
func defaultProcess() *specs.Process {
	caps := []string{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
	return &specs.Process{
		Terminal:        true,
		Args:            []string{"sh"},
		Env:             []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"},
		Cwd:             "/",
		NoNewPrivileges: true,
		Capabilities:    &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps, Ambient: caps},
		Rlimits:         []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Hard: 1024, Soft: 1024}},
	}
}

func defaultMounts() []specs.Mount {
	list := func(options string) []string { return strings.Split(options, ",") }
	return []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc"},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: list("nosuid,strictatime,mode=755,size=65536k")},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: list("nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5")},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: list("nosuid,noexec,nodev,mode=1777,size=65536k")},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: list("nosuid,noexec,nodev")},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: list("nosuid,noexec,nodev,ro")},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: list("nosuid,noexec,nodev,relatime,ro")},
	}
}

// defaultNamespaces has one for cgroups on the unified hierarchy only: a v1 mount shows
// the container's own groups without it.
func defaultNamespaces(cgroup2 bool) []specs.LinuxNamespace {
	spaces := []specs.LinuxNamespace{
		{Type: specs.PIDNamespace}, {Type: specs.NetworkNamespace}, {Type: specs.IPCNamespace},
		{Type: specs.UTSNamespace}, {Type: specs.MountNamespace},
	}
	if cgroup2 {
		spaces = append(spaces, specs.LinuxNamespace{Type: specs.CgroupNamespace})
	}
	return spaces
}

// makeRootless leaves out what needs the host's root. The caller's network is kept, so a
// new sysfs cannot be mounted and the host's is bound, with the cgroups below it: rro makes
// them read-only, too (CVE-2023-25809). gid 5 is not mapped.
func makeRootless(spec *specs.Spec, uid, gid uint32) {
	linux := spec.Linux
	linux.Resources = nil
	linux.Namespaces = slices.DeleteFunc(linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.NetworkNamespace })
	linux.Namespaces = append(linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	linux.UIDMappings = []specs.LinuxIDMapping{{HostID: uid, Size: 1}}
	linux.GIDMappings = []specs.LinuxIDMapping{{HostID: gid, Size: 1}}
	for i := range spec.Mounts {
		m := &spec.Mounts[i]
		if m.Destination == "/sys" {
			m.Type, m.Source, m.Options = "none", "/sys", []string{"rbind", "nosuid", "noexec", "nodev", "rro"}
		}
		m.Options = slices.DeleteFunc(m.Options, func(o string) bool { return strings.HasPrefix(o, "gid=") })
	}
}
