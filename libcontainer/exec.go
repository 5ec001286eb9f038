package libcontainer

import (
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/cgroups"
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
	talk    conversation
	pidfd   int           // of the container's init
	root    int           // its root directory
	born    int           // cgroup v2: its group
	cgroup  int           // the container's cgroup namespace
	peer    int           // connected to the listener that gets the process's pidfd, or -1
	place   cgroups.Group // where the process goes
	host    kernel.Host   // its Caps and UserNS
	unified bool          // its group is one of v2: the init is born into it
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
	e := &execution{container: c, pidfd: -1, root: -1, born: -1, cgroup: -1, peer: -1}
	defer e.close()
	if err := e.begin(o); err != nil {
		return 255, err
	}
	if err := e.decide(r, o); err != nil {
		return 255, err
	}
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
	case len(o.Cgroup) > 0:
		return unsupportedOption("--cgroup")
	}
	return checkPreserved(o.Listen, o.PreserveFDs)
}

// begin starts an init that will join the container.
func (e *execution) begin(o ExecOptions) (err error) {
	e.talk = conversation{what: "exec", died: e.died, pass: e.pass, files: func(int) ([]int, error) { return joinFiles(e.place.JoinFiles()) }}
	e.talk.act = e.act
	if e.peer, err = dialPidfd(o.PidfdSocket); err != nil {
		return err
	}
	if e.talk.signals, err = signals.Heed(); err != nil {
		return err
	}
	e.pidfd, err = e.container.pidfd()
	if err == unix.ESRCH {
		return must("cannot exec in a stopped container")
	}
	if err != nil {
		return err
	}
	if e.host, err = kernel.ReadRights(); err != nil {
		return err
	}
	e.unified = e.CgroupV2 && len(e.Cgroup) > 0
	e.talk.child, err = nsenter.Spawn(nsenter.Start{Preserve: o.Listen.FDs + o.PreserveFDs})
	return err
}

// act does one step of the host lane.
func (e *execution) act(s plan.HostStep) error {
	if s.Act == plan.ActPidfd {
		return sendPidfd(e.peer, s.S, "setns", e.talk.child.Pidfd)
	}
	return actOn(e.talk.child, s)
}

// decide compiles the plan, while the init starts.
func (e *execution) decide(r Root, o ExecOptions) error {
	doc, err := config.Load(e.dir + "/" + fileConfig)
	if err != nil {
		return err
	}
	spec := *doc.Spec
	if spec.Process, err = r.process(spec.Process, o); err == nil {
		err = config.CheckUser(&spec)
	}
	if err == nil {
		e.talk.console, err = newConsole(spec.Process, o.ConsoleSocket, !o.Detach)
	}
	if err != nil {
		return err
	}
	if e.place, err = e.group().Beside(e.Pid); err != nil {
		return err
	}
	e.talk.filter = r.filterFor(&spec)
	out, err := compile.Exec(&compile.Input{
		Spec: &spec, Host: e.host, Unified: e.unified, Own: ownNamespaces(&spec, e.Pid), ID: e.ID,
		PidFile: o.PidFile, PreserveFDs: o.PreserveFDs,
		Listen: o.Listen.inside(false), PidfdSocket: o.PidfdSocket,
		Filter: e.talk.filter.cached.Program, FilterFlags: seccomp.Flags(e.talk.filter.profile),
	}, e.place)
	if err != nil {
		return err
	}
	for _, w := range out.Warnings {
		r.Warn(w)
	}
	e.talk.plan = out.Plan
	return nil
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
	p.Args, p.Terminal = o.Args, o.Tty
	if !o.Detach {
		p.ConsoleSize = nil // our own terminal's counts
	}
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
func (e *execution) start() error {
	e.talk.filter.start()
	err := e.open()
	if err == nil {
		err = e.talk.told(e.talk.child.Do(e.talk.plan, e.pass(e.talk.plan.Pass), 0))
	}
	if err == nil {
		err = e.talk.follow()
	}
	if err == nil {
		err = e.talk.serve()
	}
	if err != nil {
		return err
	}
	return e.talk.executed()
}

// open opens what the init needs of the container.
func (e *execution) open() (err error) {
	slots := e.talk.plan.Pass
	if slices.Contains(slots, slotCgroupNS()) {
		if e.cgroup, err = openCgroupNS(e.Pid); err == unix.ENOENT {
			return must("cannot exec in a stopped container")
		}
		err = errs.Op("open the cgroup namespace of", e.ID, err)
	}
	if err == nil {
		e.root, err = e.openRoot() // tells whether the pid still is its own
	}
	if err == nil && slices.Contains(slots, plan.SlotGroup) {
		e.born, err = openGroup(e.place)
	}
	return err
}

func (e *execution) pass(slots []plan.Slot) []int {
	return handed{pidfd: e.pidfd, root: e.root, group: e.born, cgroup: e.cgroup}.pass(slots)
}

// openRoot opens the root of the container's init. The pid is still its own if it lives now.
func (e *execution) openRoot() (int, error) {
	fd, err := unix.Open("/proc/"+itoa(e.Pid)+"/root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil && unix.PidfdSendSignal(e.pidfd, 0, nil, 0) != nil {
		unix.Close(fd)
		err = unix.ENOENT
	}
	if err == unix.ENOENT {
		return -1, must("cannot exec in a stopped container")
	}
	return fd, errs.Op("open the root of", e.ID, err)
}

func (e *execution) close() {
	e.talk.close()
	for _, fd := range []int{e.pidfd, e.root, e.born, e.cgroup, e.peer} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

func (e *execution) died(status unix.WaitStatus) error {
	if !e.alive() {
		return must("cannot exec in a stopped container")
	}
	return &errs.Error{Op: "exec", Path: e.ID, Kind: errs.Internal, Err: errs.New(errs.Internal, "the process died before it could start: "+describe(status))}
}
