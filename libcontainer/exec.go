package libcontainer

import (
	"runtime"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/compile"
	"rt/internal/config"
	"rt/internal/errs"
	"rt/internal/ids"
	"rt/internal/kernel"
	"rt/internal/plan"
	"rt/internal/signals"
	"rt/nsenter"
	"rt/seccomp"
)

// exec is a process on its way into a running container.
type execution struct {
	*container
	talk  conversation
	pidfd int // of the container's init
}

// Exec runs one more process in a container. In the foreground it forwards signals and
// gives the process's exit code, 128+n for signal n.
func (r Root) Exec(id string, o ExecOptions) (int, error) {
	c, err := r.load(id)
	if err != nil {
		return 255, err
	}
	if err := c.admits(o); err != nil {
		return 255, err
	}
	e, err := r.prepareExec(c, o)
	if err != nil {
		return 255, err
	}
	defer unix.Close(e.pidfd)
	defer e.talk.close()
	if err := e.start(); err != nil {
		return 255, err
	}
	if o.Detach {
		return 0, nil
	}
	return e.talk.supervise()
}

// admits tells whether the container is in a state to take another process.
func (c *container) admits(o ExecOptions) error {
	status, err := c.status()
	if err != nil {
		return err
	}
	switch {
	case status == stopped || status == creating:
		return must("cannot exec in a stopped container")
	case status == paused && !o.IgnorePaused:
		return must("cannot exec in a paused container (use --ignore-paused to override)")
	case o.Tty || o.ConsoleSocket != "":
		return unsupportedOption("--tty")
	case len(o.Cgroup) > 0:
		return unsupportedOption("--cgroup")
	}
	return checkPreserved(o.PreserveFDs)
}

// prepareExec decides everything.
func (r Root) prepareExec(c *container, o ExecOptions) (*execution, error) {
	doc, err := config.Load(c.dir + "/" + fileConfig)
	if err != nil {
		return nil, err
	}
	spec := *doc.Spec
	if spec.Process, err = r.process(spec.Process, o); err != nil {
		return nil, err
	}
	host, err := kernel.ReadHost()
	if err != nil {
		return nil, err
	}
	e := &execution{container: c}
	e.talk = conversation{what: "exec", filter: r.filterFor(&spec), died: e.died, signals: -1}
	e.talk.act = func(s plan.HostStep) error { return actOn(e.talk.child, s) }
	out, err := compile.Exec(&compile.Input{
		Spec: &spec, Host: host, ID: c.ID, PidFile: o.PidFile, PreserveFDs: o.PreserveFDs,
		Filter: e.talk.filter.cached.Program, FilterFlags: seccomp.Flags(e.talk.filter.profile),
	}, c.group())
	if err != nil {
		return nil, err
	}
	for _, w := range out.Warnings {
		r.Warn(w)
	}
	e.talk.plan = out.Plan
	e.pidfd, err = c.pidfd()
	if err == unix.ESRCH {
		return nil, must("cannot exec in a stopped container")
	}
	return e, err
}

// process is what exec adds: the file's process, or the container's own with changes.
func (r Root) process(own *specs.Process, o ExecOptions) (*specs.Process, error) {
	if o.Process != "" {
		p, warnings, err := config.LoadProcess(o.Process)
		for _, w := range warnings {
			r.Warn(o.Process + ": " + w.String())
		}
		return p, err
	}
	p := *own
	p.Args, p.Terminal = o.Args, false
	p.Env = append(slices.Clone(own.Env), o.Env...)
	if o.Cwd != "" {
		p.Cwd = o.Cwd
	}
	if o.AppArmor != "" {
		p.ApparmorProfile = o.AppArmor
	}
	if o.ProcessLabel != "" {
		p.SelinuxLabel = o.ProcessLabel
	}
	p.NoNewPrivileges = own.NoNewPrivileges || o.NoNewPrivs
	p.User.AdditionalGids = append(slices.Clone(own.User.AdditionalGids), o.AdditionalGid...)
	if err := addCaps(&p, o.Caps); err != nil {
		return nil, err
	}
	return &p, setUser(&p, o.User)
}

// addCaps: never to the inheritable set, nor to the ambient one (CVE-2022-29162).
func addCaps(p *specs.Process, names []string) error {
	if len(names) == 0 {
		return nil
	}
	c := specs.LinuxCapabilities{}
	if p.Capabilities != nil {
		c = *p.Capabilities
	}
	for _, name := range names {
		name = strings.ToUpper(name)
		if kernel.CapabilityBit(name) == 0 {
			return &errs.Error{Op: "--cap", Path: name, Kind: errs.Usage, Err: errs.New(errs.Usage, "no such capability")}
		}
		c.Bounding = append(slices.Clip(c.Bounding), name)
		c.Effective = append(slices.Clip(c.Effective), name)
		c.Permitted = append(slices.Clip(c.Permitted), name)
	}
	p.Capabilities = &c
	return nil
}

func setUser(p *specs.Process, user string) error {
	if user == "" {
		return nil
	}
	uid, gid, hasGid, err := ids.User(user)
	if err != nil {
		return err
	}
	p.User.UID = uid
	if hasGid {
		p.User.GID = gid
	}
	return nil
}

// start brings the process to its execve.
func (e *execution) start() (err error) {
	if e.talk.signals, err = signals.Heed(); err != nil {
		return err
	}
	e.talk.filter.start()
	if e.talk.child, err = e.spawn(); err != nil {
		return err
	}
	err = e.talk.serve()
	if err == nil {
		err = e.talk.executed()
	}
	if err != nil {
		e.talk.child.Kill()
	}
	return err
}

// spawn forks from a thread that has joined the container's pid namespace: setns(2) with
// CLONE_NEWPID counts for the children only. The thread is not used again.
func (e *execution) spawn() (*nsenter.Child, error) {
	runtime.LockOSThread()
	if !e.SharedPid {
		if err := unix.Setns(e.pidfd, unix.CLONE_NEWPID); err != nil {
			return nil, errs.Op("join the pid namespace of", e.ID, err)
		}
	}
	return nsenter.Spawn(nsenter.Args{Plan: e.talk.plan, Pass: []int{e.pidfd}, Stdio: [3]int{0, 1, 2}})
}

func (e *execution) died(status unix.WaitStatus) error {
	if !e.alive() {
		return must("cannot exec in a stopped container")
	}
	return &errs.Error{Op: "exec", Path: e.ID, Kind: errs.Internal, Err: errs.New(errs.Internal, "the process died before it could start: "+describe(status))}
}
