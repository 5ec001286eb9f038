// Package compile decides: it turns a validated config.json into a plan. It is a pure
// function of its input and asks neither kernel nor files; order.go holds the order.
package compile

import (
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/cgroups"
	"rt/internal/config"
	"rt/internal/errs"
	"rt/internal/kernel"
	"rt/internal/plan"
	"rt/rootfs"
)

// Input is all that a plan depends on.
type Input struct {
	Spec        *specs.Spec // validated
	Host        kernel.Host
	ID          string
	Bundle      string         // absolute
	Split       bool           // the steps that make a user namespace went ahead: see Prelude
	Unified     bool           // the init was started for a host that has cgroup v2 alone
	Own         uint64         // CLONE_NEW* of namespaces whose path leads to the caller's own: nothing to join
	Owned       uint64         // CLONE_NEW* of joined namespaces that belong to the container's user namespace
	RootParent  string         // the mount that the root file system lies on, if rootfsPropagation is shared
	NoPivot     bool           // move_mount and chroot instead of pivot_root
	HostMounts  []kernel.Mount // the caller's, for NoPivot
	PidFile     string
	PreserveFDs int // those of Listen aside
	Listen      Listen
	PidfdSocket string
	Notify      string // directory of the host with the socket for sd_notify(3), absolute; "": none
	Run         bool   // the start follows at once: the answer to "ready" is it
	Filter      []byte // the compiled seccomp program, if it is at hand
	FilterFlags uint32 // of seccomp(2)
}

// Output is the plan, and what else was decided.
type Output struct {
	Plan     *plan.Plan
	Cgroup   cgroups.Plan
	Rootfs   string // absolute
	Warnings []string
}

// work is an Input with what the rows of order.go hand to each other.
type work struct {
	*plan.Builder
	in      *Input
	out     *Output
	process *specs.Process
	caps    capSets
	pass    []plan.Slot // fds for the last part of the plan
	resume  bool        // init waits for `start`; else the answer to "ready" is the start
	hook    bool        // the plan is a hook's: it dies with rt
	err     error
}

// Container compiles what `create` and `run` do.
func Container(in *Input) (*Output, error) {
	if err := refuse(in.Spec); err != nil {
		return nil, err
	}
	w := begin(in)
	w.out.Rootfs = in.Spec.Root.Path
	if !filepath.IsAbs(w.out.Rootfs) {
		w.out.Rootfs = filepath.Join(in.Bundle, w.out.Rootfs)
	}
	w.pass, w.resume = []plan.Slot{plan.SlotLock}, !in.Run
	if w.resume || len(config.StartContainer.Of(in.Spec.Hooks)) > 0 { // these are to find the status created
		w.pass = append(w.pass, plan.SlotStart, plan.SlotStarted)
	}
	w.group()
	w.containerHost()
	return w.finish(container)
}

// Splits tells whether the first steps can go ahead, so that the init makes namespaces while
// the rest is compiled. In a cgroup of v2 the init is born only when the group is there.
func Splits(spec *specs.Spec, unified bool) bool {
	fresh, _ := Namespaces(spec)
	return fresh&unix.CLONE_NEWUSER != 0 && !unified
}

// Prelude compiles the steps that go ahead. It needs of in no more than Spec, Host.Caps and
// Own; the plan of Container begins with the same steps.
func Prelude(in *Input) (*plan.Plan, error) {
	w := begin(in)
	w.mapsHost()
	ownScore(w)
	namespaces(w)
	w.Plan.Init = w.Plan.Init[:w.Plan.Rest()]
	w.Plan.Args, w.Plan.Pass = []string{""}, w.pass
	return &w.Builder.Plan, w.err
}

// Exec compiles what `exec` does: in.Spec is the container's, its process the one to add;
// group is the container's cgroup.
func Exec(in *Input, group cgroups.Group) (*Output, error) {
	if err := refuse(in.Spec); err != nil {
		return nil, err
	}
	w := begin(in)
	w.pass = []plan.Slot{plan.SlotPidfd, plan.SlotRoot}
	w.out.Cgroup = cgroups.Plan{V2: group.V2 && len(group.Dirs) > 0, Dirs: group.Dirs}
	w.execHost()
	return w.finish(exec)
}

func begin(in *Input) *work {
	w := &work{Builder: &plan.Builder{}, in: in, out: &Output{}, process: in.Spec.Process}
	w.out.Plan = &w.Builder.Plan
	w.caps = w.capSets()
	return w
}

// finish calls the rows in order; the first error ends it.
func (w *work) finish(order []row) (*Output, error) {
	for _, r := range order {
		if w.err == nil {
			r.add(w)
		}
	}
	p := &w.Builder.Plan
	p.Args, p.Env = w.process.Args, environment(w.variables())
	p.Preserve, p.Pass = w.in.Listen.FDs+w.in.PreserveFDs, w.pass
	return w.out, w.err
}

// environment drops all but the last of equal names, and an empty HOME, which counts as
// unset.
func environment(env []string) []string {
	out := make([]string, 0, len(env))
	for i, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if !again(env[i+1:], name) && !(name == "HOME" && value == "") {
			out = append(out, e)
		}
	}
	return out
}

func again(env []string, name string) bool {
	for _, e := range env {
		if len(e) > len(name) && e[len(name)] == '=' && e[:len(name)] == name {
			return true
		}
	}
	return false
}

// variable is the value of an environment variable, "" if it is unset; the last one wins.
func variable(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(env[i], name+"="); ok {
			return v
		}
	}
	return ""
}

func (w *work) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *work) warn(text string) { w.out.Warnings = append(w.out.Warnings, text) }

// group decides on the cgroup.
func (w *work) group() {
	l := w.in.Spec.Linux
	if l == nil {
		l = &specs.Linux{}
	}
	g, warnings, err := cgroups.Compile(l.CgroupsPath, w.in.ID, w.resources(Dated(w.in.Spec.Version, l.Resources)), w.in.Host.Cgroups)
	w.out.Cgroup = g
	w.out.Warnings = append(w.out.Warnings, warnings...)
	w.fail(err)
}

// resources: without a list of devices the container gets the default ones, as with runc,
// not whatever its parent group may use.
func (w *work) resources(r *specs.LinuxResources) *specs.LinuxResources {
	if r != nil && len(r.Devices) > 0 || w.in.Host.Cgroups.Denied || !w.in.Host.Cgroups.Has("devices") {
		return r
	}
	all := specs.LinuxResources{}
	if r != nil {
		all = *r
	}
	all.Devices = []specs.LinuxDeviceCgroup{{Access: "rwm"}}
	return &all
}

// mountContext is what mounts depend on. Without a cgroup namespace the container could change
// the groups around its own, which are the caller's if that is not the host's root
// (CVE-2023-25809).
func (w *work) mountContext() rootfs.Context {
	fresh, _ := Namespaces(w.in.Spec)
	group := w.out.Cgroup.Group()
	if len(group.Dirs) == 0 {
		group = cgroups.Current(w.in.Host.Cgroups)
	}
	ctx := rootfs.Context{
		Bundle: w.in.Bundle, Unify: group.V2, UserNS: w.userNS() || w.in.Host.UserNS,
		Ask: w.userNS() && w.privileged(), Owned: fresh | w.in.Owned,
	}
	ctx.Guard = len(w.out.Cgroup.Dirs) == 0 || !w.in.Host.Root() && !w.fresh(specs.CgroupNamespace)
	for _, d := range group.Dirs {
		ctx.Groups = append(ctx.Groups, rootfs.CgroupSource{Name: filepath.Base(d.Mount), Path: d.Path})
	}
	return ctx
}

func unsupported(where, what string) error {
	return &errs.Error{Op: what, Where: where, Kind: errs.Unsupported, Err: errs.New(errs.Unsupported, "not supported by this version of rt")}
}
