package cgroups

import (
	"cmp"
	"path"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/devices"
	"rt/cgroups/v1"
	"rt/cgroups/v2"
	"rt/internal/errs"
	"rt/internal/kernel"
)

// Compile decides where the groups of container id are, and what is written to them
// (config-linux.md, "Control groups"). cgroupsPath is linux.cgroupsPath or "", resources may
// be nil. It gives warnings besides. On a host with both versions
// mounted the v1 hierarchies are used, and the v2 tree is left alone. With host.Denied the
// plan is empty, and a limit is an error.
func Compile(cgroupsPath, id string, resources *specs.LinuxResources, host kernel.Cgroups) (Plan, []string, error) {
	if resources == nil {
		resources = &specs.LinuxResources{}
	}
	p, err := places(cgroupsPath, id, host)
	if err != nil {
		return Plan{}, nil, err
	}
	list, err := devices.Compile(resources.Devices)
	if err != nil {
		return Plan{}, nil, err
	}
	var s cgroupfs.Settings
	if host.Denied {
		list = devices.List{}
	}
	if p.V2 {
		s = v2.Settings(resources, host.Unified.Controllers)
		p.program(list, host, &s)
	} else {
		s = v1.Settings(resources, list)
	}
	later(resources, &s)
	if s.Err == nil && host.Denied && len(p.Dirs) > 0 {
		return without(p, s, host)
	}
	if s.Err == nil {
		s.Err = p.bind(s.List)
	}
	if s.Err != nil {
		return Plan{}, nil, s.Err
	}
	if len(p.Dirs) == 0 {
		s.Warnings = append(s.Warnings, "no cgroups are mounted: the container has none")
	}
	return p, s.Warnings, nil
}

// bind finds the group that each setting belongs to.
func (p *Plan) bind(settings []cgroupfs.Setting) error {
	for _, s := range settings {
		i := 0
		if !p.V2 {
			i = slices.IndexFunc(p.Dirs, func(d Dir) bool { return d.has(s.Controller) })
		}
		if i < 0 {
			return cgroupfs.Missing(s)
		}
		p.Writes = append(p.Writes, Write{i, s.File, s.Value, s.Where})
	}
	return nil
}

// program: a caller who may load none cannot make device nodes either, and uses those there
// are by their modes. Only rules that a person wrote are worth a word: every manager denies all.
func (p *Plan) program(list devices.List, host kernel.Cgroups, s *cgroupfs.Settings) {
	if !host.NoBPF {
		p.Program, p.ProgramWhere = v2.Program(list), cgroupfs.Resources+"/devices"
		return
	}
	if slices.ContainsFunc(list.Rules, func(r devices.Rule) bool { return r.Where != "" }) {
		s.Warn("/devices", "device rules are not applied: uid "+decimal(host.UID)+" may not load a BPF program")
	}
}

func (d Dir) has(controller string) bool {
	return slices.Contains(strings.Split(d.Controller, ","), controller)
}

// later refuses what is not built yet. Managers write zeros and empty lists for unset ones.
func later(r *specs.LinuxResources, s *cgroupfs.Settings) {
	const why = "not supported by this version"
	if len(r.HugepageLimits) > 0 {
		s.Unsupported("/hugepageLimits", why)
	}
	if len(r.Rdma) > 0 {
		s.Unsupported("/rdma", why)
	}
	if n := r.Network; n != nil {
		if cgroupfs.Asks(n.ClassID) {
			s.Unsupported("/network/classID", why)
		}
		if len(n.Priorities) > 0 {
			s.Unsupported("/network/priorities", why)
		}
	}
	if r.BlockIO == nil {
		return
	}
	b := *r.BlockIO
	for _, row := range []struct {
		asks bool
		name string
	}{
		{cgroupfs.Asks(b.LeafWeight), "leafWeight"},
		{len(b.WeightDevice) > 0, "weightDevice"},
		{len(b.ThrottleReadBpsDevice) > 0, "throttleReadBpsDevice"},
		{len(b.ThrottleWriteBpsDevice) > 0, "throttleWriteBpsDevice"},
		{len(b.ThrottleReadIOPSDevice) > 0, "throttleReadIOPSDevice"},
		{len(b.ThrottleWriteIOPSDevice) > 0, "throttleWriteIOPSDevice"},
	} {
		if row.asks {
			s.Unsupported("/blockIO/"+row.name, why)
		}
	}
}

// places is the plan with its directories.
func places(cgroupsPath, id string, host kernel.Cgroups) (Plan, error) {
	name := cmp.Or(cgroupsPath, id)
	if path.Clean("/"+name) == "/" {
		return Plan{}, cgroupfs.Refuse(errs.Invalid, "/linux/cgroupsPath", "names no group of its own")
	}
	absolute := strings.HasPrefix(name, "/")
	switch host.Version {
	case 2:
		h := host.Unified
		parent := path.Dir(own(h)) // our own group has processes, so it cannot enable controllers
		d := Dir{Path: join(h.Mount, parent, name, absolute), Mount: h.Mount}
		return Plan{V2: true, Dirs: []Dir{d}, Controllers: h.Controllers}, nil
	case 1:
		var p Plan
		for _, h := range host.V1 {
			d := Dir{strings.Join(h.Controllers, ","), join(h.Mount, own(h), name, absolute), h.Mount}
			p.Dirs = append(p.Dirs, d)
		}
		return p, nil
	}
	return Plan{}, nil
}

// join puts name below the mount point if it is absolute, else below parent in it. Each part
// is cleaned by itself, so that ".." leads out of neither.
func join(mount, parent, name string, absolute bool) string {
	if absolute {
		parent = "/"
	}
	return path.Join(mount, path.Clean("/"+parent), path.Clean("/"+name))
}

// own is the caller's group as seen below the mount point: in a container the mount may show
// only a part of the hierarchy. A group outside of that part counts as its top.
func own(h kernel.Hierarchy) string {
	root := path.Clean("/" + h.Root)
	switch {
	case root == "/":
		return path.Clean("/" + h.Own)
	case strings.HasPrefix(h.Own, root+"/"):
		return path.Clean(h.Own[len(root):])
	}
	return "/"
}

// Current are the caller's own groups, for a container that has none.
func Current(host kernel.Cgroups) Group {
	switch host.Version {
	case 2:
		h := host.Unified
		return Group{V2: true, Dirs: []Dir{{Path: join(h.Mount, own(h), "", false), Mount: h.Mount}}}
	case 1:
		var g Group
		for _, h := range host.V1 {
			g.Dirs = append(g.Dirs, Dir{strings.Join(h.Controllers, ","), join(h.Mount, own(h), "", false), h.Mount})
		}
		return g
	}
	return Group{}
}
