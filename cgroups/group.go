package cgroups

import (
	"cmp"
	"time"

	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/v1"
	"rt/cgroups/v2"
	"rt/internal/errs"
)

const freezeDeadline = 10 * time.Second

// dir is the container's group in the hierarchy of a v1 controller, "" without it.
func (g Group) dir(controller string) string {
	for _, d := range g.Dirs {
		if g.V2 || d.has(controller) {
			return d.Path
		}
	}
	return ""
}

// main is the group in which processes are looked for. The freezer's is as cheap as any,
// and killing needs the same one.
func (g Group) main() string {
	if len(g.Dirs) == 0 {
		return ""
	}
	return cmp.Or(g.dir("freezer"), g.dir("pids"), g.Dirs[0].Path)
}

func (g Group) freezer(op string) (string, error) {
	dir := g.dir("freezer")
	if dir == "" {
		return "", &errs.Error{Op: op, Kind: errs.Unsupported, Err: errs.New(errs.Unsupported, "the container has no cgroup that could be frozen")}
	}
	return dir, nil
}

// Exists says whether one of the groups is there.
func (g Group) Exists() bool {
	for _, d := range g.Dirs {
		if unix.Access(d.Path, unix.F_OK) == nil {
			return true
		}
	}
	return false
}

// Pids lists every process in the group and below, sorted, each once. It is empty if the
// group is gone.
func (g Group) Pids() ([]int, error) {
	dir := g.main()
	if dir == "" {
		return nil, nil
	}
	return cgroupfs.Pids(dir)
}

// Vacated waits until the processes in the group and below have exited by themselves; it is
// false if they have not by the deadline.
func (g Group) Vacated(deadline time.Duration) (bool, error) {
	pids, err := g.Pids()
	if err != nil || len(pids) == 0 {
		return err == nil, err
	}
	return cgroupfs.WaitPids(pids, time.Now().Add(deadline))
}

// Signal sends sig to every process in the group and below. SIGKILL also reaches those that
// are forked meanwhile, and thaws a frozen group so that it takes effect.
func (g Group) Signal(sig unix.Signal) error {
	dir := g.main()
	switch {
	case dir == "":
		return nil
	case sig == unix.SIGKILL && g.V2:
		return v2.KillNow(dir)
	case sig == unix.SIGKILL:
		return v1.KillNow(dir, g.dir("freezer") != "", time.Now().Add(freezeDeadline))
	}
	pids, err := cgroupfs.Pids(dir)
	if err != nil {
		return err
	}
	fds, err := cgroupfs.Signal(dir, pids, sig)
	cgroupfs.CloseAll(fds)
	return err
}

// Freeze stops every process in the group and below, and returns when all have stopped. After
// 10 s it gives up: the group is thawed, and the error has the kind errs.Timeout.
func (g Group) Freeze() error {
	dir, err := g.freezer("freeze")
	if err != nil {
		return err
	}
	deadline := time.Now().Add(freezeDeadline)
	if g.V2 {
		return v2.Freeze(dir, deadline)
	}
	return v1.Freeze(dir, deadline)
}

// Thaw undoes Freeze.
func (g Group) Thaw() error {
	dir, err := g.freezer("thaw")
	if err != nil {
		return err
	}
	if g.V2 {
		return v2.Thaw(dir)
	}
	return v1.Thaw(dir)
}

// Frozen says whether Freeze was done to this group; one frozen above it does not count. A
// group that is gone is not frozen.
func (g Group) Frozen() (bool, error) {
	dir := g.dir("freezer")
	if dir == "" {
		return false, nil
	}
	ask := v1.SelfFrozen
	if g.V2 {
		ask = v2.SelfFrozen
	}
	frozen, err := ask(dir)
	if cgroupfs.Gone(err) {
		return false, nil
	}
	return frozen, err
}

// Kill kills every process in the group and below, frozen or not, and returns when they are
// gone. At the deadline the error, of kind errs.Timeout, names what is left.
func (g Group) Kill(deadline time.Duration) error {
	dir, until := g.main(), time.Now().Add(deadline)
	if dir == "" {
		return nil
	}
	if g.V2 {
		return v2.Kill(dir, until)
	}
	return v1.Kill(dir, g.dir("freezer") != "", until)
}

// OOMKilled says whether the kernel has killed a process for want of memory, in the group or,
// in v2, below it. It is false without a memory controller.
func (g Group) OOMKilled() (bool, error) {
	dir, file := g.dir("memory"), "/memory.oom_control"
	if dir == "" {
		return false, nil
	}
	if g.V2 {
		file = "/memory.events"
	}
	text, err := cgroupfs.Read(dir + file)
	if cgroupfs.Gone(err) {
		return false, nil
	}
	count, found := cgroupfs.Value(text, "oom_kill")
	return found && count != "0", err
}
