package libcontainer

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/cgroups"
	"rt/internal/config"
	"rt/internal/errs"
	"rt/internal/kernel"
	"rt/internal/signals"
)

// hooks run a container's hooks: config.md, "POSIX-platform Hooks".
type hooks struct {
	Root
	what    string // "create web", for messages
	spec    *specs.Spec
	id      string
	bundle  string // absolute
	rootfs  string // absolute
	group   cgroups.Group
	pid     int // of the init
	pidfd   int // of the init, -1 once it is gone
	signals int // readable when a signal has come
}

// hookStatus is what hooks of a kind are told: the point in the lifecycle, runtime.md, at
// which they run.
func hookStatus(k config.HookKind) status {
	return [config.HookKinds]status{creating, creating, creating, created, running, stopped}[k]
}

// all runs the hooks of a kind in order, up to the first that fails.
func (h *hooks) all(k config.HookKind) error {
	for i := range k.Of(h.spec.Hooks) {
		if err := h.one(k, i); err != nil {
			return err
		}
	}
	return nil
}

// one runs hook i of a kind to its end.
func (h *hooks) one(k config.HookKind, i int) error {
	hook := k.Of(h.spec.Hooks)[i]
	err := inThread(func() error { return h.execute(k, hook) })
	if err == nil {
		return nil
	}
	return &errs.Error{Op: k.String() + " hook " + strconv.Itoa(i), Path: hook.Path, Where: k.Where(i), Kind: errs.KindOf(err), Err: err}
}

func (h *hooks) execute(k config.HookKind, hook specs.Hook) error {
	state, err := h.state(k)
	if err != nil {
		return err
	}
	p, err := newHookProcess(h.what, state, hook.Timeout, h.signals)
	if err != nil {
		return err
	}
	defer p.close()
	if k < config.Poststart { // later ones do not need the init: it may have ended by itself
		p.init = h.pidfd
	}
	if k == config.CreateContainer || k == config.StartContainer {
		err = h.inside(p, k, hook)
	} else {
		err = p.fork(h.bundle, hook)
	}
	if err != nil {
		return err
	}
	return p.wait()
}

// state is the hook's standard input: runtime.md, "State".
func (h *hooks) state(k config.HookKind) ([]byte, error) {
	s := specs.State{
		Version: h.spec.Version, ID: h.id, Status: specs.ContainerState(hookStatus(k)),
		Pid: h.pid, Bundle: h.bundle, Annotations: h.spec.Annotations,
	}
	var err error
	if k == config.CreateContainer || k == config.StartContainer {
		s.Pid, err = kernel.InnerPid(h.pid)
	}
	if err != nil {
		return nil, errs.Op("look at the init of", h.id, err)
	}
	return json.Marshal(s)
}

// hooks of a container that is being made.
func (c *creation) hooks() *hooks {
	return &hooks{
		Root: c.Root, what: c.talk.what, spec: c.doc.Spec, id: c.o.ID, bundle: c.bundle, rootfs: c.out.Rootfs, group: c.out.Cgroup.Group(),
		pid: c.talk.child.Pid, pidfd: c.talk.child.Pidfd, signals: c.talk.signals,
	}
}

// poststop is for a container that could not be made.
func (c *creation) poststop() error {
	if c.record == nil || !c.record.Hooks { // without a record nothing was begun
		return nil
	}
	return (&container{Record: c.record, in: c.Root, dir: c.dir}).poststop(c.doc.Spec)
}

// hooks of a container that exists already: its own copy of config.json counts. The caller
// closes the pidfd.
func (c *container) hooks(what string, spec *specs.Spec) (*hooks, error) {
	h := &hooks{
		Root: c.in, what: what + " " + c.ID, spec: spec, id: c.ID, bundle: c.Bundle, rootfs: c.Rootfs, group: c.group(),
		pid: c.Pid, pidfd: -1,
	}
	var err error
	h.signals, err = signals.Heed()
	return h, err
}

// startWithHooks is start, and destroys the container if a hook fails: runtime.md,
// "Lifecycle", steps 7 and 9.
func (c *container) startWithHooks() error {
	doc, err := config.Load(c.dir + "/" + fileConfig)
	if err != nil {
		return err
	}
	h, err := c.hooks("start", doc.Spec)
	if err != nil {
		return err
	}
	if h.pidfd, err = c.pidfd(); err != nil {
		return err
	}
	defer unix.Close(h.pidfd)
	if err := h.all(config.StartContainer); err != nil {
		return errors.Join(err, c.destroy())
	}
	if err := c.start(); err != nil { // no hook's failure: who created it deletes it
		return err
	}
	if err := h.all(config.Poststart); err != nil {
		return errors.Join(err, c.destroy())
	}
	return nil
}

// poststopOwn runs the poststop hooks that the container was created with.
func (c *container) poststopOwn() error {
	if !c.Hooks {
		return nil
	}
	doc, err := config.Load(c.dir + "/" + fileConfig)
	if err != nil { // its creator was killed before there was a container
		return nil
	}
	return c.poststop(doc.Spec)
}

// poststop runs the hooks that come after the container's end. Those that fail are no reason
// to stop; a signal ends the one that runs. Until all have run the record stays.
func (c *container) poststop(spec *specs.Spec) error {
	list := config.Poststop.Of(spec.Hooks)
	if len(list) == 0 {
		return nil
	}
	if err := c.retire(); err != nil {
		return err
	}
	h, err := c.hooks("delete", spec)
	if err != nil {
		return err
	}
	h.pid = 0
	for i := range list {
		if err := h.one(config.Poststop, i); err != nil {
			h.Warn(err.Error())
		}
	}
	return nil
}

// retire records a container that has stopped, and has nothing any more that a repeated
// delete would have to remove: its cgroup's path may be another's soon.
func (c *container) retire() error {
	r := *c.Record
	r.Pid, r.Cgroup = 0, nil
	if err := writeFile(c.dir+"/"+fileIntent, c.in.mode(0o600), r.Append(nil)); err != nil {
		return err
	}
	return errs.Op("rename", c.dir+"/"+fileIntent, unix.Rename(c.dir+"/"+fileIntent, c.dir+"/"+fileState))
}
