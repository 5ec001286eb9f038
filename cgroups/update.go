package cgroups

import (
	"errors"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/devices"
	"rt/cgroups/v1"
	"rt/cgroups/v2"
	"rt/internal/errs"
	"rt/internal/kernel"
)

// Change is what an update writes to one file.
type Change struct {
	Path string
	Old  string // "" if the file cannot be read, such as devices.allow
	New  string
}

// Update is a decided change of a group's limits.
type Update struct {
	group   Group
	steps   []step
	opens   bool      // on the way more is allowed than at the end
	devices bool      // v2: program replaces the device program
	program []v2.Insn // nil allows everything
	where   string    // JSON pointer to what asked for the program
}

// step is one write of an update.
type step struct {
	Write
	old    string  // what the file holds when the update is decided
	device bool    // of a v1 list, whose files cannot be read
	back   []Write // takes back a write to a file that cannot be read
}

// Prepare decides how the group comes to what resources asks for: what they leave unset stays
// as it is, and what is so already is not written. It reads the group's files, and changes
// nothing. It gives warnings besides. JSON pointers in both, and in the errors of Apply, are
// relative to resources.
func (g Group) Prepare(resources *specs.LinuxResources, host kernel.Cgroups) (*Update, []string, error) {
	u := &Update{group: g}
	list, err := devices.Compile(resources.Devices)
	if err != nil {
		return nil, nil, ofUpdate(err)
	}
	s, err := u.decide(resources, list, host)
	if err != nil {
		return nil, nil, ofUpdate(err)
	}
	for i, w := range s.Warnings {
		s.Warnings[i] = strings.Replace(w, "config.json: "+cgroupfs.Resources, "resources: ", 1)
	}
	return u, s.Warnings, nil
}

func (u *Update) decide(r *specs.LinuxResources, list devices.List, host kernel.Cgroups) (cgroupfs.Settings, error) {
	var s, early cgroupfs.Settings
	now := u.group.limits()
	merged := cgroupfs.Merge(*r, now, &early)
	var deviceSteps []v1.DeviceWrite
	if u.group.V2 {
		s = v2.Settings(&merged, u.controllers())
		u.replace(list, host, &s)
		below(r.Memory, now, &s)
	} else {
		s = v1.Settings(&merged, list)
		v1.Order(s.List, now)
		s.List, deviceSteps = v1.Relist(s.List, u.deviceList())
		u.opens = v1.Opens(list) && len(deviceSteps) > 0
	}
	later(&merged, &s)
	for _, err := range []error{early.Err, s.Err, u.bind(s.List), u.bindDevices(deviceSteps)} {
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// ofUpdate turns an error about config.json into one about the resources that update was given.
func ofUpdate(err error) error {
	e, ok := errors.AsType[*errs.Error](err)
	if ok && e.Where != "" {
		e.Where, e.In = strings.TrimPrefix(e.Where, cgroupfs.Resources), "resources"
	}
	return err
}

func (g Group) limits() cgroupfs.Limits {
	if g.V2 {
		return v2.Limits(g.Dirs[0].Path)
	}
	return v1.Limits(g.dir("memory"), g.dir("cpu"))
}

func (u *Update) controllers() []string {
	text, _ := cgroupfs.Read(u.group.Dirs[0].Path + "/cgroup.controllers")
	return strings.Fields(text)
}

// deviceList is "" where there is no group for devices, which binding then reports.
func (u *Update) deviceList() string {
	text, _ := cgroupfs.Read(u.group.dir("devices") + "/devices.list")
	return text
}

// below warns of what v2 does at once; in v1 the write would fail.
func below(m *specs.LinuxMemory, now cgroupfs.Limits, s *cgroupfs.Settings) {
	if m != nil && m.Limit != nil && *m.Limit > 0 && *m.Limit < now.Usage {
		s.Warn("/memory/limit", "the limit is below what the container uses, "+strconv.FormatInt(now.Usage, 10)+" bytes: the kernel reclaims memory, and kills processes if that is not enough")
	}
}

// replace: see Plan.program.
func (u *Update) replace(list devices.List, host kernel.Cgroups, s *cgroupfs.Settings) {
	var p Plan
	p.program(list, host, s)
	u.devices = list.Set && !host.NoBPF
	u.program, u.where = p.Program, p.ProgramWhere
}

// bind finds the group that each setting belongs to, and drops what is so already.
func (u *Update) bind(settings []cgroupfs.Setting) error {
	writes, err := u.place(settings)
	if err != nil {
		return err
	}
	if err := u.group.weigh(writes); err != nil {
		return err
	}
	for _, w := range writes {
		old, _, err := cgroupfs.Former(u.group.path(w), w.Value)
		if err != nil && !cgroupfs.Gone(err) {
			return err
		}
		if old != w.Value {
			u.steps = append(u.steps, step{Write: w, old: old})
		}
	}
	return nil
}

func (u *Update) bindDevices(list []v1.DeviceWrite) error {
	for _, d := range list {
		writes, err := u.place(append([]cgroupfs.Setting{d.Set}, d.Back...))
		if err != nil {
			return err
		}
		u.steps = append(u.steps, step{Write: writes[0], device: true, back: writes[1:]})
	}
	return nil
}

func (u *Update) place(settings []cgroupfs.Setting) ([]Write, error) {
	p := Plan{V2: u.group.V2, Dirs: u.group.Dirs}
	err := p.bind(settings)
	return p.Writes, err
}

// Changes lists what Apply writes, in this order.
func (u *Update) Changes() []Change {
	var list []Change
	for _, s := range u.steps {
		list = append(list, Change{u.group.path(s.Write), s.old, s.Value})
	}
	if u.devices {
		list = append(list, Change{Path: u.group.Dirs[0].Path, New: "a device program with these rules"})
	}
	return list
}
