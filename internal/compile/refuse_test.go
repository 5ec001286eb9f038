package compile

import (
	"slices"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/errs"
)

// refused is a configuration that has no plan, and where the error points.
type refused struct {
	name  string
	edit  func(*specs.Spec)
	where string
}

// fields has a row for each row of refusals, in its order.
func fields() []refused {
	return []refused{
		{"AppArmor", func(s *specs.Spec) { s.Process.ApparmorProfile = "p" }, "/process/apparmorProfile"},
		{"SELinux", func(s *specs.Spec) { s.Process.SelinuxLabel = "l" }, "/process/selinuxLabel"},
		{"scheduler", func(s *specs.Spec) { s.Process.Scheduler = &specs.Scheduler{} }, "/process/scheduler"},
		{"I/O priority", func(s *specs.Spec) { s.Process.IOPriority = &specs.LinuxIOPriority{} }, "/process/ioPriority"},
		{"CPU affinity", func(s *specs.Spec) { s.Process.ExecCPUAffinity = &specs.CPUAffinity{} }, "/process/execCPUAffinity"},
		{"mount label", func(s *specs.Spec) { s.Linux.MountLabel = "l" }, "/linux/mountLabel"},
		{"network devices", func(s *specs.Spec) { s.Linux.NetDevices = map[string]specs.LinuxNetDevice{"eth0": {}} }, "/linux/netDevices"},
		{"Intel RDT", func(s *specs.Spec) { s.Linux.IntelRdt = &specs.LinuxIntelRdt{} }, "/linux/intelRdt"},
		{"memory policy", func(s *specs.Spec) { s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{} }, "/linux/memoryPolicy"},
		{"personality", func(s *specs.Spec) { s.Linux.Personality = &specs.LinuxPersonality{} }, "/linux/personality"},
	}
}

// others are refused while the plan is made.
func others() []refused {
	option := func(o ...string) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Mounts[2].Options = append(s.Mounts[2].Options, o...) }
	}
	return []refused{
		{"no linux", func(s *specs.Spec) { s.Linux = nil }, "/linux"},
		{"mounts without a mount namespace", bare(func(s *specs.Spec) {}), "/mounts/0"},
		{"read-only root without one", bare(func(s *specs.Spec) { s.Mounts = nil }), "/root/readonly"},
		{"masks without one", bare(func(s *specs.Spec) { s.Mounts, s.Root.Readonly = nil, false }), "/linux/maskedPaths/0"},
		{"read-only paths without one", bare(func(s *specs.Spec) { s.Mounts, s.Root.Readonly, s.Linux.MaskedPaths = nil, false, nil }), "/linux/readonlyPaths/0"},
		{"propagation without one", bare(func(s *specs.Spec) {
			s.Mounts, s.Root.Readonly, s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = nil, false, nil, nil
			s.Linux.RootfsPropagation = "slave"
		}), "/linux/rootfsPropagation"},
		{"mapped ids of a new file system", option("idmap"), "/mounts/2"},
		{"remount with data", option("remount", "size=1m"), "/mounts/2"},
		{"remount with ids", option("remount", "idmap"), "/mounts/2"},
		{"cgroup of no name", func(s *specs.Spec) { s.Linux.CgroupsPath = "/.." }, "/linux/cgroupsPath"},
	}
}

func TestRefusals(t *testing.T) {
	for _, r := range append(fields(), others()...) {
		t.Run(r.name, func(t *testing.T) {
			in := baseInput(v1Host())
			r.edit(in.Spec)
			_, err := Container(in)
			checkRefusal(t, err, r.where)
		})
	}
	for _, r := range fields()[:6] { // what an exec can ask for
		t.Run("exec: "+r.name, func(t *testing.T) {
			in := baseInput(v1Host())
			group, err := execGroup(in)
			if err != nil {
				t.Fatal(err)
			}
			r.edit(in.Spec)
			_, err = Exec(in, group)
			checkRefusal(t, err, r.where)
		})
	}
}

func checkRefusal(t *testing.T, err error, where string) {
	t.Helper()
	e, ok := err.(*errs.Error)
	if !ok {
		t.Fatalf("no error of ours: %v", err)
	}
	if e.Where != where || e.Kind != errs.Unsupported && e.Kind != errs.Invalid {
		t.Errorf("%v: at %q, %s; expected at %q", err, e.Where, e.Kind, where)
	}
}

// TestEveryRefusal: a new row of refusals needs its row here.
func TestEveryRefusal(t *testing.T) {
	var tested, want []string
	for _, f := range fields() {
		tested = append(tested, f.where)
	}
	for _, r := range refusals {
		want = append(want, r.where)
	}
	if !slices.Equal(tested, want) {
		t.Errorf("tested %q\nrefused %q", tested, want)
	}
}

// TestHarmless: empty values of those fields, which managers write, are not refused.
func TestHarmless(t *testing.T) {
	in := baseInput(v1Host())
	in.Spec.Hooks = &specs.Hooks{}
	in.Spec.Process.ApparmorProfile = "unconfined"
	in.Spec.Linux.UIDMappings, in.Spec.Linux.NetDevices = []specs.LinuxIDMapping{}, map[string]specs.LinuxNetDevice{}
	if _, err := Container(in); err != nil {
		t.Error(err)
	}
}
