package cli

import (
	"rt/internal/config"
	"rt/internal/kernel"
	"rt/rootfs"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

func featuresCommand() command {
	return command{
		text: `The document is that of features.md of the OCI runtime specification. It
says what this build can do, whatever the host is.

   rt features
   rt features | jq .linux.seccomp.actions`,
		act: func(s *session, _ []string) error { return printJSON(s.stdout, featureList(), "    ", "\n") },
	}
}

// document prints empty lists, which features.Features leaves out: "none" is not "unknown".
type document struct {
	features.Features
	Hooks  []string `json:"hooks"`
	Unsafe []string `json:"potentiallyUnsafeConfigAnnotations"`
}

// featureList holds what works, and false for what does not: features.md, "MUST NOT" list
// what is not recognized.
func featureList() document {
	yes, no := true, false
	return document{
		Features: features.Features{
			OCIVersionMin: "1.0.0",
			OCIVersionMax: specs.Version,
			MountOptions:  rootfs.OptionNames(),
			Annotations: map[string]string{
				"rt.version": version, "rt.commit": commit, "io.github.seccomp.libseccomp.version": libseccompVersion(),
			},
			Linux: &features.Linux{
				Namespaces:      []string{"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"},
				Capabilities:    kernel.CapabilityNames(),
				Cgroup:          &features.Cgroup{V1: &yes, V2: &yes, Systemd: &no, SystemdUser: &no, Rdma: &no},
				Seccomp:         seccompFeatures(),
				Apparmor:        &features.Apparmor{Enabled: &no},
				Selinux:         &features.Selinux{Enabled: &no},
				IntelRdt:        &features.IntelRdt{Enabled: &no},
				MountExtensions: &features.MountExtensions{IDMap: &features.IDMap{Enabled: &yes}},
				NetDevices:      &features.NetDevices{Enabled: &no},
			},
		},
		Hooks:  hookNames(),
		Unsafe: []string{},
	}
}

func hookNames() []string {
	names := make([]string, config.HookKinds)
	for k := range config.HookKinds {
		names[k] = k.String()
	}
	return names
}
