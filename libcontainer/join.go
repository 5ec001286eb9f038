package libcontainer

import (
	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/compile"
	"rt/internal/config"
	"rt/internal/errs"
	"rt/internal/kernel"
	"rt/internal/plan"
	"rt/nsenter"
	"rt/seccomp"
)

// join starts an init in the pid namespace of the process that pidfd refers to. setns(2) with
// CLONE_NEWPID counts for children only, and for the thread that calls it: that thread is fit
// for nothing else afterwards.
func join(pidfd int, sharedPid bool, preserve int) (*nsenter.Child, error) {
	if !sharedPid {
		if err := unix.Setns(pidfd, unix.CLONE_NEWPID); err != nil {
			return nil, errs.Op("join the pid namespace", "", err)
		}
	}
	return nsenter.Spawn(nsenter.Start{Preserve: preserve})
}

// inside starts a hook in the container's namespaces, and hands its plan over. It does not
// wait: wait hears the calls of its init.
func (h *hooks) inside(p *hookProcess, k config.HookKind, hook specs.Hook) error {
	talk, err := h.planOf(k, hook)
	if err != nil {
		return err
	}
	root, err := unix.Open("/proc/"+itoa(h.pid)+"/root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return errs.Op("open the root of", h.id, err)
	}
	defer unix.Close(root)
	if talk.child, err = join(h.pidfd, h.sharedPid, 0); err != nil {
		return err
	}
	p.talk, p.joined = talk, true
	talk.filter.start()
	err = talk.child.Do(talk.plan, []int{h.pidfd, root, p.stdin, p.write})
	p.started(talk.child.Pid, talk.child.Pidfd)
	return err
}

// planOf compiles a hook that runs inside.
func (h *hooks) planOf(k config.HookKind, hook specs.Hook) (*conversation, error) {
	caps, err := kernel.ReadCaps()
	if err != nil {
		return nil, err
	}
	talk := &conversation{act: func(plan.HostStep) error { return nil }}
	in := &compile.Input{Spec: h.spec, Host: kernel.Host{Caps: caps}, ID: h.id}
	if k == config.StartContainer {
		talk.filter = h.filterFor(h.spec)
		in.Filter, in.FilterFlags = talk.filter.cached.Program, seccomp.Flags(talk.filter.profile)
	}
	out, err := compile.Hook(in, k, hook, h.rootfs, h.group)
	if err != nil {
		return nil, err
	}
	talk.plan = out.Plan
	return talk, nil
}

// isReady tells the last call before an execve.
func isReady(m plan.Message) bool { return m.Verb == plan.CallVerb && m.A == plan.CallReady }
