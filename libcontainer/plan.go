package libcontainer

import (
	"os"

	"rt/internal/compile"
	"rt/internal/errs"
	"rt/internal/kernel"
	"rt/internal/plan"
	"rt/seccomp"
)

// Plan compiles a bundle as `create` would with the given id, and does nothing. It needs
// no privileges.
func (r Root) Plan(bundle, id string) ([]plan.Line, error) {
	dir, doc, err := readBundle(bundle)
	if err != nil {
		return nil, err
	}
	host, err := kernel.ReadHost()
	if err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		host.Caps, host.UID, host.UserNS = ^uint64(0), 0, false // what is shown is what root's create would do
		host.Cgroups.NoBPF = false
	}
	in := &compile.Input{Spec: doc.Spec, Host: host, Unified: host.Cgroups.Version == 2, Split: compile.Splits(doc.Spec, host.Cgroups.Version == 2), ID: id, Bundle: dir}
	if doc.Spec.Linux != nil {
		in.FilterFlags = seccomp.Flags(doc.Spec.Linux.Seccomp)
	}
	out, err := r.compile(in, doc.Warnings)
	if err != nil {
		return nil, err
	}
	return withGroup(out), nil
}

// withGroup spells the host's cgroup step out.
func withGroup(out *compile.Output) []plan.Line {
	var lines []plan.Line
	for _, l := range out.Plan.Lines() {
		if l.Step != plan.ActCgroup.String() {
			lines = append(lines, l)
			continue
		}
		for _, d := range out.Cgroup.Dirs {
			lines = append(lines, plan.Line{Lane: "host", Step: "cgroup", Args: "mkdir " + d.Path, Where: "/linux/cgroupsPath"})
		}
		for _, w := range out.Cgroup.Writes {
			lines = append(lines, plan.Line{Lane: "host", Step: "cgroup", Args: w.File + " = " + w.Value, Where: w.Where})
		}
	}
	return lines
}

// CheckPointer tells an explain pointer that names nothing.
func CheckPointer(lines []plan.Line, where string) error {
	if len(lines) == 0 {
		return &errs.Error{Op: "explain", Path: where, Kind: errs.NotFound, Err: errs.New(errs.NotFound, "no step of the plan comes from there")}
	}
	return nil
}
