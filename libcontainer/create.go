package libcontainer

import (
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"rt/internal/compile"
	"rt/internal/config"
	"rt/internal/errs"
	"rt/internal/ids"
	"rt/internal/kernel"
	"rt/internal/plan"
	"rt/internal/sdnotify"
	"rt/internal/signals"
	"rt/nsenter"
	"rt/seccomp"
)

// creation is a container on its way from config.json to a waiting init.
type creation struct {
	Root
	o        CreateOptions
	bundle   string // absolute
	doc      *config.Document
	record   *config.Record
	recorded int // bytes of it on disk
	out      *compile.Output
	dir      string
	lock     lock
	fifos    [2]int
	joined   joined
	group    int  // cgroup v2: the group that the init is born into
	unified  bool // the host has cgroup v2 alone
	split    bool // the first part of the plan went ahead
	host     kernel.Host
	pidfd    int              // connected to the listener that gets the init's, or -1
	notify   *sdnotify.Socket // run under a service manager
	talk     conversation
	undo     undo
}

// Create makes a container up to the point where its init waits for Start.
func (r Root) Create(o CreateOptions) error {
	c, err := r.begin(o, false)
	if err != nil {
		return err
	}
	defer c.close()
	err = c.decide(false)
	if err == nil {
		err = c.create()
	}
	c.talk.free = err == nil
	return err
}

// begin reads the configuration and starts an init for it. stays: this process will stand
// for the workload.
func (r Root) begin(o CreateOptions, stays bool) (*creation, error) {
	if err := r.check(o); err != nil {
		return nil, err
	}
	bundle, doc, err := readBundle(o.Bundle)
	if err != nil {
		return nil, err
	}
	c := &creation{Root: r, o: o, bundle: bundle, doc: doc, dir: r.dir(o.ID), lock: lock{-1}, fifos: [2]int{-1, -1}, group: -1, pidfd: -1}
	c.talk = conversation{what: "create " + o.ID, act: c.act, died: c.died, source: c.source, files: c.files, pass: c.pass}
	if c.talk.console, err = newConsole(doc.Spec.Process, o.ConsoleSocket, stays); err != nil {
		return nil, err
	}
	if c.talk.signals, err = signals.Heed(); err != nil {
		return nil, err
	}
	if err = needUserNS(doc.Spec); err != nil {
		return nil, err
	}
	if c.pidfd, err = dialPidfd(o.PidfdSocket); err != nil {
		return nil, err
	}
	if c.joined, err = openNamespaces(doc.Spec); err != nil {
		return nil, err
	}
	c.unified = kernel.Unified()
	fork, init := compile.Early(doc.Spec, c.unified)
	c.talk.child, err = nsenter.Spawn(nsenter.Start{Namespaces: fork, Unshare: init, Preserve: o.Listen.FDs + o.PreserveFDs})
	if err == nil && compile.Splits(doc.Spec, c.unified) {
		err = c.ahead()
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// ahead hands over the steps that make a user namespace, and what belongs to it, while the
// others are compiled.
func (c *creation) ahead() (err error) {
	c.split = true
	caps, err := kernel.ReadCaps()
	if err != nil {
		return err
	}
	c.talk.plan, err = compile.Prelude(&compile.Input{Spec: c.doc.Spec, Host: kernel.Host{Caps: caps}, Own: c.joined.own, Split: true})
	if err != nil {
		return err
	}
	return c.talk.told(c.talk.child.Do(c.talk.plan, c.pass(c.talk.plan.Pass), 0))
}

// decide compiles the plan, while the init makes its namespaces. Up to here nothing has
// changed that does not end with this process.
func (c *creation) decide(run bool) error {
	var err error
	if c.host, err = kernel.ReadHost(); err != nil {
		return err
	}
	c.deny(&c.host, c.doc.Spec, c.o.ID)
	fresh, _ := compile.Namespaces(c.doc.Spec)
	c.talk.filter = c.filterFor(c.doc.Spec)
	in := &compile.Input{
		Spec: c.doc.Spec, Host: c.host, Split: c.split, Unified: c.unified, Own: c.joined.own, Owned: c.joined.owned,
		ID: c.o.ID, Bundle: c.bundle, PidFile: c.o.PidFile, PreserveFDs: c.o.PreserveFDs, Run: run,
		Listen: c.o.Listen.inside(fresh&unix.CLONE_NEWPID != 0), PidfdSocket: c.o.PidfdSocket, Notify: c.notifyDir(), NoPivot: c.o.NoPivot,
		Filter: c.talk.filter.cached.Program, FilterFlags: seccomp.Flags(c.talk.filter.profile),
	}
	if c.out, err = c.compile(in, c.doc.Warnings); err != nil {
		return err
	}
	c.talk.plan = c.out.Plan
	return nil
}

// compile adds what only this host can tell to in, and passes warnings on.
func (r Root) compile(in *compile.Input, warnings config.Faults) (*compile.Output, error) {
	var err error
	if in.RootParent, err = rootParent(in); err != nil {
		return nil, err
	}
	if in.NoPivot {
		if in.HostMounts, err = kernel.Mounts(); err != nil {
			return nil, errs.Op("read", "/proc/self/mountinfo", err)
		}
	}
	out, err := compile.Container(in)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		r.Warn("config.json: " + w.String())
	}
	for _, w := range out.Warnings {
		r.Warn(w)
	}
	return out, nil
}

func (r Root) check(o CreateOptions) error {
	if err := ids.Check(o.ID); err != nil {
		return err
	}
	if r.Systemd {
		return unsupportedOption("--systemd-cgroup")
	}
	if err := r.checkNotify(); err != nil {
		return err
	}
	return checkPreserved(o.Listen, o.PreserveFDs)
}

func unsupportedOption(flag string) error {
	return &errs.Error{Op: flag, Kind: errs.Unsupported, Err: errs.New(errs.Unsupported, "not supported by this version of rt")}
}

// checkPreserved: an fd that is closed, or that this process opened itself, is not the
// caller's to pass on.
func checkPreserved(listen Listen, more int) error {
	asked := "LISTEN_FDS counts it"
	for fd := 3; fd-3-listen.FDs < more; fd++ {
		if fd == 3+listen.FDs {
			asked = "--preserve-fds asks for it"
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			return &errs.Error{Op: "pass on", Path: "fd " + itoa(fd), Kind: errs.Usage, Err: errs.New(errs.Usage, asked+", but it is not open")}
		}
	}
	return nil
}

// readBundle loads and validates a bundle's configuration; the path it gives is absolute.
func readBundle(path string) (string, *config.Document, error) {
	bundle, err := openBundle(path)
	if err != nil {
		return "", nil, err
	}
	doc, err := config.Load(filepath.Join(bundle, fileConfig))
	if err == nil {
		err = doc.Validate()
	}
	return bundle, doc, err
}

func openBundle(path string) (string, error) {
	if path == "" {
		path = "."
	}
	bundle, err := filepath.Abs(path)
	if err != nil {
		return "", errs.Op("find the working directory", "", err)
	}
	var st unix.Stat_t
	if err := unix.Stat(bundle, &st); err != nil {
		return "", errs.Op("chdir", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return "", errs.Op("chdir", path, unix.ENOTDIR)
	}
	if !utf8.ValidString(bundle) {
		return "", &errs.Error{Op: "chdir", Path: path, Kind: errs.Invalid, Err: errs.New(errs.Invalid, "the path is not UTF-8, which the state file needs")}
	}
	return bundle, nil
}

// rootParent finds the mount that the root file system lies on. It is needed only where
// the host's mounts stay shared.
func rootParent(in *compile.Input) (string, error) {
	if in.Spec.Linux == nil || !strings.HasSuffix(in.Spec.Linux.RootfsPropagation, "shared") {
		return "", nil
	}
	path := in.Spec.Root.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(in.Bundle, path)
	}
	return kernel.MountPointOf(path)
}

// create does what was decided, and takes it all back if a part of it fails.
func (c *creation) create() (err error) {
	defer c.undo.run(&err)
	if err = c.claim(); err != nil {
		return err
	}
	c.undo.push(c.poststop)
	c.talk.filter.start()
	for _, s := range c.out.Plan.Host {
		if s.Call == plan.CallNone && err == nil {
			err = c.act(s)
		}
	}
	if err == nil {
		err = c.keep()
	}
	if err == nil {
		err = c.talk.serve()
	}
	return err
}

// claim takes the id: its directory, and the lock in it.
func (c *creation) claim() error {
	if err := unix.Mkdir(c.dir, c.mode(0o700)); err == unix.ENOENT {
		if err := c.makeRoot(); err != nil {
			return errs.Op("make the state directory", c.Dir, err)
		}
		return c.claim()
	} else if err == unix.EEXIST {
		return &errs.Error{Path: c.o.ID, Kind: errs.Exists, Err: errs.New(errs.Exists, "container with given ID already exists")}
	} else if err != nil {
		return errs.Op("make the state directory", c.dir, err)
	}
	c.undo.push(func() error { return removeDir(c.dir) })
	var err error
	c.lock, err = claimLock(c.dir, "create", c.mode(0o600))
	return err
}

// keep writes what exec, state and delete will read, while the init mounts.
func (c *creation) keep() error {
	return writeFile(c.dir+"/"+fileConfig, c.mode(0o600), c.doc.Raw)
}

// close lets go of what this process holds. The container lives on, or is gone.
func (c *creation) close() {
	c.closeFifos()
	c.joined.close()
	c.talk.close()
	for _, fd := range []int{c.pidfd, c.group} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	if c.notify != nil {
		c.notify.Close()
	}
	if c.lock.fd >= 0 {
		c.lock.release()
	}
}

func (c *creation) closeFifos() {
	for i, fd := range c.fifos {
		if fd >= 0 {
			unix.Close(fd)
			c.fifos[i] = -1
		}
	}
}
