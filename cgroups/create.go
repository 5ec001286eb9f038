package cgroups

import (
	"errors"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/v1"
	"rt/cgroups/v2"
	"rt/internal/errs"
)

// Create makes the container's groups, with the parents that are missing, and sets their
// limits; v1 cpusets are filled, v2 controllers enabled. On an error it removes what it made.
// A group that exists already is used if it and those below it hold no process, and if it is
// not frozen; otherwise the error has the kind errs.Exists.
func Create(p Plan) (Group, error) {
	m := maker{plan: p}
	if err := m.run(); err != nil {
		m.undo()
		return Group{}, err
	}
	return p.Group(), nil
}

type maker struct {
	plan   Plan
	made   []string // in order, so that removing goes backwards
	failed map[string]error
}

func (m *maker) run() error {
	for _, d := range m.plan.Dirs {
		if err := m.group(d); err != nil {
			return err
		}
	}
	if m.plan.V2 && len(m.plan.Controllers) > 0 {
		d := m.plan.Dirs[0]
		m.failed = v2.Enable(d.Mount, d.Path, m.plan.Controllers)
	}
	if err := m.plan.Group().Apply(m.plan.Writes); err != nil {
		return m.explain(err)
	}
	if len(m.plan.Program) > 0 {
		return v2.Attach(m.plan.Dirs[0].Path, m.plan.Program, m.plan.ProgramWhere)
	}
	return nil
}

// explain replaces "no such file" by the reason why the file's controller is not enabled.
func (m *maker) explain(err error) error {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || !cgroupfs.Gone(err) {
		return err
	}
	controller, _, _ := strings.Cut(path.Base(e.Path), ".")
	if cause := m.failed[controller]; cause != nil {
		return &errs.Error{Op: "enable controller " + controller + " for", Path: path.Dir(e.Path), Where: e.Where, Kind: errs.Unsupported, Err: cause}
	}
	return err
}

func (m *maker) group(d Dir) error {
	if !strings.HasPrefix(d.Path, d.Mount+"/") {
		return errs.Op("mkdir", d.Path, unix.EINVAL)
	}
	fresh, err := m.mkdir(d.Path, d)
	if err != nil {
		return err
	}
	if !fresh {
		if err := vacant(d); err != nil {
			return err
		}
	}
	if d.has("cpuset") {
		if err := v1.Inherit(d.Path, d.Mount, fresh, m.writes); err != nil {
			return err
		}
	}
	// A new group can only be frozen by its parents, and the root never is.
	if fresh && path.Dir(d.Path) == d.Mount {
		return nil
	}
	return m.running(d)
}

// writes says whether the plan itself gives a value to the file.
func (m *maker) writes(file string) bool {
	for _, w := range m.plan.Writes {
		if w.File == file {
			return true
		}
	}
	return false
}

// mkdir makes a group, or finds it (fresh: false). Removing another container can take away
// the common parent just after we saw it, hence the rounds.
func (m *maker) mkdir(dir string, d Dir) (fresh bool, err error) {
	const rounds = 64
	for range rounds {
		err = unix.Mkdir(dir, 0o755)
		if err == nil {
			m.made = append(m.made, dir)
			return true, nil
		}
		if err == unix.EEXIST {
			return false, nil
		}
		up := path.Dir(dir)
		if err != unix.ENOENT || up == d.Mount {
			break
		}
		if err := m.parent(up, d); err != nil {
			return false, err
		}
	}
	return false, errs.Op("mkdir", dir, err)
}

// parent makes a parent and marks it as ours.
func (m *maker) parent(dir string, d Dir) error {
	fresh, err := m.mkdir(dir, d)
	if err != nil || !fresh {
		return err
	}
	mark(dir)
	if !d.has("cpuset") {
		return nil
	}
	err = v1.Inherit(dir, d.Mount, true, func(string) bool { return false })
	if cgroupfs.Gone(err) {
		return nil // removed by another container's Destroy; mkdir makes it again
	}
	return err
}

// vacant refuses a group with processes in it or below.
func vacant(d Dir) error {
	pids, err := cgroupfs.Pids(d.Path)
	if err != nil || len(pids) == 0 {
		return err
	}
	return &errs.Error{Op: "use cgroup", Path: d.Path, Kind: errs.Exists, Err: errors.New("it exists and has processes in it")}
}

// running refuses a group in which the container's init would stop as soon as it joins.
func (m *maker) running(d Dir) error {
	var stopped bool
	var err error
	switch {
	case m.plan.V2:
		stopped, err = v2.Stopped(d.Path)
	case d.has("freezer"):
		stopped, err = v1.Stopped(d.Path)
	}
	if err != nil || !stopped {
		return err
	}
	return &errs.Error{Op: "use cgroup", Path: d.Path, Kind: errs.Exists, Err: errors.New("it, or a group above it, is frozen")}
}

func (m *maker) undo() {
	for i := len(m.made) - 1; i >= 0; i-- {
		unix.Rmdir(m.made[i]) // a parent that others use by now stays, which is right
	}
}

// The mark on parents that we made, so that whoever is the last to leave removes them.
// Where it cannot be set (it needs CAP_SYS_ADMIN in the initial user namespace), they stay.
const parentMark = "trusted.rt.parent"

func mark(dir string) { unix.Setxattr(dir, parentMark, []byte("1"), 0) }

func marked(dir string) (bool, error) {
	_, err := unix.Getxattr(dir, parentMark, nil)
	return err == nil, err
}
