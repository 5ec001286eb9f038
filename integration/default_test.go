package integration

import (
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func edit(f func(s *specs.Spec)) func(*specs.Spec) { return f }

// defaultSpec says what `spec` prints, or `spec --rootless` to a caller without root, but
// with no terminal and `true` as the workload.
func defaultSpec() *specs.Spec {
	s := rootSpec()
	if os.Geteuid() != 0 {
		rootless(s)
	}
	return s
}

func rootSpec() *specs.Spec {
	s := &specs.Spec{
		Version:  "1.0.2-dev",
		Process:  defaultProcess(),
		Root:     &specs.Root{Path: "rootfs", Readonly: true},
		Hostname: "runc",
		Mounts:   defaultMounts(),
		Linux: &specs.Linux{
			Resources:     &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}},
			Namespaces:    []specs.LinuxNamespace{{Type: "pid"}, {Type: "network"}, {Type: "ipc"}, {Type: "uts"}, {Type: "mount"}},
			MaskedPaths:   defaultMasked(),
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
	if hasV2() {
		addNamespace(specs.CgroupNamespace, "")(s)
	}
	return s
}

// rootless is what `spec --rootless` changes.
func rootless(s *specs.Spec) {
	without("network")(s)
	addNamespace(specs.UserNamespace, "")(s)
	s.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Getuid()), Size: 1}}
	s.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Getgid()), Size: 1}}
	s.Linux.Resources = &specs.LinuxResources{} // spec leaves it out, edits set fields of it
	for i := range s.Mounts {
		switch m := &s.Mounts[i]; m.Destination {
		case "/dev/pts":
			m.Options = m.Options[:len(m.Options)-1] // gid=5
		case "/sys":
			m.Type, m.Source, m.Options = "none", "/sys", append([]string{"rbind"}, m.Options...)
		}
	}
}

func defaultCaps() []string {
	return []string{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
}

func defaultProcess() *specs.Process {
	return &specs.Process{
		Args: []string{"true"},
		Env:  []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"},
		Cwd:  "/",
		Capabilities: &specs.LinuxCapabilities{
			Bounding: defaultCaps(), Effective: defaultCaps(), Permitted: defaultCaps(), Ambient: defaultCaps(),
		},
		Rlimits:         []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Hard: 1024, Soft: 1024}},
		NoNewPrivileges: true,
	}
}

func defaultMounts() []specs.Mount {
	m := func(dst, typ, src string, options ...string) specs.Mount {
		return specs.Mount{Destination: dst, Type: typ, Source: src, Options: options}
	}
	return []specs.Mount{
		m("/proc", "proc", "proc"),
		m("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
		m("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
		m("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
		m("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
		m("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
		m("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
	}
}

func defaultMasked() []string {
	return []string{
		"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
		"/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
	}
}
