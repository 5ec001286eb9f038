package compile

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups"
	"rt/internal/kernel"
)

// allCaps is a caller with every capability.
const allCaps = 1<<41 - 1

// v1Host has nine hierarchies beside an empty v2 tree.
func v1Host() kernel.Host {
	h := kernel.Host{Caps: allCaps, Kcore: true}
	h.Cgroups = kernel.Cgroups{Version: 1, Unified: kernel.Hierarchy{Mount: "/sys/fs/cgroup/unified", Root: "/", Own: "/"}}
	for _, name := range strings.Fields("cpu,cpuacct cpuset memory devices freezer blkio pids net_cls,net_prio name=systemd") {
		mount := "/sys/fs/cgroup/" + strings.TrimPrefix(name, "name=")
		h.Cgroups.V1 = append(h.Cgroups.V1, kernel.Hierarchy{Controllers: strings.Split(name, ","), Mount: mount, Root: "/", Own: "/own"})
	}
	return h
}

func v2Host() kernel.Host {
	return kernel.Host{Caps: allCaps, Cgroups: kernel.Cgroups{Version: 2, Unified: kernel.Hierarchy{
		Controllers: []string{"cpu", "memory", "pids"}, Mount: "/sys/fs/cgroup", Root: "/", Own: "/own/x",
	}}}
}

// baseSpec is what the field's managers write, cut down to one of each.
func baseSpec() *specs.Spec {
	caps := []string{"CAP_CHOWN", "CAP_KILL"}
	return &specs.Spec{
		Version: specs.Version,
		Root:    &specs.Root{Path: "rootfs", Readonly: true},
		Process: &specs.Process{
			Args:         []string{"sh", "-c", "true"},
			Env:          []string{"PATH=/usr/bin:/bin", "TERM=xterm"},
			Cwd:          "/",
			Capabilities: &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps},
			Rlimits:      []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 1024, Hard: 2048}},
		},
		Hostname: "web",
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
			{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
			{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "ro"}},
			{Destination: "/data", Source: "data", Options: []string{"rbind", "ro"}},
		},
		Linux: &specs.Linux{
			CgroupsPath: "/rt/web",
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace}, {Type: specs.NetworkNamespace}, {Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace}, {Type: specs.MountNamespace}, {Type: specs.CgroupNamespace},
			},
			MaskedPaths:   []string{"/proc/kcore", "/sys/firmware"},
			ReadonlyPaths: []string{"/proc/sys"},
		},
	}
}

func baseInput(host kernel.Host) *Input {
	return &Input{Spec: baseSpec(), Host: host, ID: "web", Bundle: "/bundle"}
}

// execGroup is where Exec's process goes.
func execGroup(in *Input) (cgroups.Group, error) {
	p, _, err := cgroups.Compile(in.Spec.Linux.CgroupsPath, in.ID, nil, in.Host.Cgroups)
	return p.Group(), err
}

// ptr is a pointer to a value, as the spec's optional fields are.
func ptr[T any](v T) *T { return &v }
