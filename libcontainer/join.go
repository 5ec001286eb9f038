package libcontainer

import (
	"slices"

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

// inside starts a hook in the container's namespaces, and hands its plan over. It does not
// wait: wait hears the calls of its init.
func (h *hooks) inside(p *hookProcess, k config.HookKind, hook specs.Hook) error {
	host, err := kernel.ReadRights()
	if err != nil {
		return err
	}
	unified := h.group.V2 && len(h.group.Dirs) > 0
	talk, err := h.planOf(k, hook, host, unified)
	if err != nil {
		return err
	}
	fds := handed{h.pidfd, -1, -1, -1, p.stdin, p.write}
	if fds.root, err = unix.Open("/proc/"+itoa(h.pid)+"/root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return errs.Op("open the root of", h.id, err)
	}
	defer unix.Close(fds.root)
	if unified {
		if fds.group, err = openGroup(h.group); err != nil {
			return err
		}
		defer unix.Close(fds.group)
	}
	if slices.Contains(talk.plan.Pass, slotCgroupNS()) {
		if fds.cgroup, err = openCgroupNS(h.pid); err != nil {
			return errs.Op("open the cgroup namespace of", h.id, err)
		}
		defer unix.Close(fds.cgroup)
	}
	if err = h.giveOutput(p.write, k); err != nil {
		return err
	}
	if talk.child, err = nsenter.Spawn(nsenter.Start{}); err != nil {
		return err
	}
	p.talk, p.joined = talk, true
	talk.filter.start()
	if err = talk.told(talk.child.Do(talk.plan, fds.pass(talk.plan.Pass), 0)); err == nil {
		err = talk.follow()
	}
	p.started(talk.child.Pid, talk.child.Pidfd)
	p.reaped()
	return err
}

// giveOutput has the hook be able to open its output again, as /dev/stderr: in a user
// namespace it is somebody else than who made the pipe.
func (h *hooks) giveOutput(pipe int, k config.HookKind) error {
	if fresh, joined := compile.Namespaces(h.spec); (fresh|joined)&unix.CLONE_NEWUSER == 0 {
		return nil
	}
	uid := uint32(0)
	if k == config.StartContainer {
		uid = h.spec.Process.User.UID
	}
	return errs.Op("give the hook its output", "", giveStreams(h.pid, uid, pipe))
}

// handed are what an init gets that joins a container.
type handed struct{ pidfd, root, group, cgroup, stdin, output int }

// pass are the fds for slots of the plan.
func (f handed) pass(slots []plan.Slot) []int {
	fds := make([]int, len(slots))
	for i, s := range slots {
		switch s {
		case plan.SlotPidfd:
			fds[i] = f.pidfd
		case plan.SlotRoot:
			fds[i] = f.root
		case plan.SlotGroup:
			fds[i] = f.group
		case slotCgroupNS():
			fds[i] = f.cgroup
		case plan.SlotTmp:
			fds[i] = f.stdin
		case plan.SlotTree:
			fds[i] = f.output
		}
	}
	return fds
}

// planOf compiles a hook that runs inside.
func (h *hooks) planOf(k config.HookKind, hook specs.Hook, host kernel.Host, unified bool) (*conversation, error) {
	talk := &conversation{died: diedEarly, files: func(int) ([]int, error) { return joinFiles(h.group.JoinFiles()) }}
	talk.act = func(s plan.HostStep) error { return actOn(talk.child, s) }
	in := &compile.Input{Spec: h.spec, Host: host, Unified: unified, Own: ownNamespaces(h.spec, h.pid), ID: h.id}
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
