package compile

import (
	"maps"
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/kernel"
	"rt/internal/plan"
)

// containerHost adds what the parent does, by pid or on its own files. Up to its first call
// the init makes nothing that outlives it, but for one that is born into a cgroup of v2:
// there the record and the group come first.
func (w *work) containerHost() {
	w.From("").Host(plan.HostStep{Act: plan.ActSpawn})
	if w.born() {
		w.recordAndGroup()
		w.handOver()
		w.Host(plan.HostStep{Act: plan.ActRecord})
	} else {
		w.handOver()
		w.recordAndGroup()
	}
	w.oomScoreAdj()
	w.ownStreams()
	w.files()
	w.Host(plan.HostStep{Act: plan.ActState, Call: plan.CallReady})
	w.hooks()
}

func (w *work) recordAndGroup() {
	w.From("").Host(plan.HostStep{Act: plan.ActRecord})
	w.From("/linux/cgroupsPath").Host(plan.HostStep{Act: plan.ActCgroup}) // while the init mounts
	w.From("")
}

// handOver gives the init its plan, and stays with it as long as it makes new processes.
func (w *work) handOver() {
	steps := []plan.Act{plan.ActPlan}
	switch {
	case w.in.Split:
		steps = []plan.Act{plan.ActAhead, plan.ActForked, plan.ActPlan}
	case Forks(w.in.Spec, w.in.Unified):
		steps = []plan.Act{plan.ActPlan, plan.ActForked}
	}
	for _, act := range steps {
		w.Host(plan.HostStep{Act: act})
	}
	w.mapsHost()
}

func (w *work) mapsHost() {
	if w.fresh(specs.UserNamespace) && !w.writesMaps() {
		w.From("/linux/uidMappings").Host(plan.HostStep{Act: plan.ActMaps, Call: plan.CallForked})
	}
	w.From("")
}

func (w *work) execHost() {
	w.From("").Host(plan.HostStep{Act: plan.ActSpawn})
	w.Host(plan.HostStep{Act: plan.ActPlan})
	w.Host(plan.HostStep{Act: plan.ActForked})
	w.oomScoreAdj()
	w.ownStreams()
	w.files()
}

// files are what tells the caller of the new process.
func (w *work) files() {
	w.From("")
	if w.in.PidFile != "" {
		w.Host(plan.HostStep{Act: plan.ActPidFile, Call: plan.CallReady, S: w.in.PidFile})
	}
	if w.in.PidfdSocket != "" {
		w.Host(plan.HostStep{Act: plan.ActPidfd, Call: plan.CallReady, S: w.in.PidfdSocket})
	}
}

const oomFile = "oom_score_adj"

// oomScoreAdj is the parent's: a lower value needs its rights, in a user namespace too.
func (w *work) oomScoreAdj() {
	if adj := w.process.OOMScoreAdj; adj != nil && w.privileged() {
		w.From("/process/oomScoreAdj").Host(plan.HostStep{Act: plan.ActOOMScoreAdj, Call: plan.CallReady, A: uint64(int64(*adj))})
	}
}

// ownScore: an unprivileged parent may not write to a process that is not dumpable, nor may
// the process itself. There is nothing in it yet that is worth a look.
func ownScore(w *work) {
	adj := w.process.OOMScoreAdj
	if adj == nil || w.privileged() {
		return
	}
	w.From("/process/oomScoreAdj").Number(plan.KindPrctl, unix.PR_SET_DUMPABLE, 1)
	w.Write(plan.SlotNone, "/proc/self/"+oomFile, strconv.Itoa(*adj), plan.WriteProc)
	w.Number(plan.KindPrctl, unix.PR_SET_DUMPABLE, 0)
}

// ownStreams: pipes of the caller belong to an id that a user namespace does not map, so it is
// the parent that gives them to the user. With a terminal of its own a process has none of
// them, and the caller's terminal stays the caller's.
func (w *work) ownStreams() {
	if w.userNS() && w.privileged() && !w.process.Terminal {
		w.From("/process/user/uid").Host(plan.HostStep{Act: plan.ActStreams, Call: plan.CallReady, A: uint64(w.process.User.UID)})
	}
}

// limits are the init's own: prlimit(2) of another user's process asks for CAP_SYS_RESOURCE.
// In a user namespace it is the init that may not raise them, and its owner that may set them.
func limits(w *work) {
	for i, r := range w.process.Rlimits {
		w.From("/process/rlimits/" + strconv.Itoa(i))
		resource := kernel.RlimitResource(r.Type)
		if w.userNS() {
			w.Host(plan.HostStep{Act: plan.ActRlimit, Call: plan.CallReady, A: uint64(resource), B: r.Soft, C: r.Hard, S: r.Type})
			continue
		}
		w.Rlimit(r.Type, resource, r.Soft, r.Hard)
	}
}

func session(w *work) { w.From("").Number(plan.KindSetsid) }

func stdio(w *work) {
	w.From("").Text(plan.KindReopenNull, "/dev/null")
	w.From("/process/user/uid").Number(plan.KindOwnStdio, uint64(w.process.User.UID))
}

// capSets are the sets of capabilities(7) as masks.
type capSets struct{ bounding, effective, permitted, inheritable, ambient uint64 }

// capSets leaves out what the caller does not have: capset(2) would refuse it all. An
// ambient capability has to be permitted and inheritable, too.
func (w *work) capSets() capSets {
	c := w.process.Capabilities
	if c == nil {
		return capSets{}
	}
	for _, name := range c.Permitted {
		if kernel.CapabilityBit(name)&^w.possible() != 0 {
			w.warn(name + " is left out: rt itself does not have it")
		}
	}
	s := capSets{
		bounding:    w.capMask(c.Bounding),
		permitted:   w.capMask(c.Permitted),
		inheritable: w.capMask(c.Inheritable),
	}
	s.effective = w.capMask(c.Effective) & s.permitted
	s.ambient = w.capMask(c.Ambient) & s.permitted & s.inheritable
	return s
}

func (w *work) capMask(names []string) uint64 {
	var mask uint64
	for _, name := range names {
		mask |= kernel.CapabilityBit(name) & w.possible()
	}
	return mask
}

// possible are the capabilities of the container's root: in a user namespace it has all.
func (w *work) possible() uint64 {
	if w.userNS() {
		return ^uint64(0)
	}
	return w.in.Host.Caps
}

func bounding(w *work) {
	w.From("/process/capabilities/bounding").Number(plan.KindBounding, w.caps.bounding)
}

// distinct sorts groups, as setgroups(2) does, and drops the double ones, as it does not: Docker
// gives a group twice that the user has and that --group-add names.
func distinct(gids []uint32) []uint32 { return slices.Compact(slices.Sorted(slices.Values(gids))) }

// user changes to the user and keeps the permitted set until capset. Root tries the cwd
// first: the user may lack the right to go there, or root may (NFS).
func user(w *work) {
	u := w.process.User
	if u.UID != 0 {
		w.From("/process/cwd").Chdir(w.process.Cwd, plan.ChdirTry)
		w.From("").Number(plan.KindPrctl, unix.PR_SET_KEEPCAPS, 1)
	}
	groups := uint16(0)
	if (w.userNS() || w.in.Host.UserNS) && len(u.AdditionalGids) == 0 {
		groups = plan.IDTry // a namespace that denies setgroups(2) leaves no more to drop
	}
	w.From("/process/user/additionalGids").Groups(distinct(u.AdditionalGids), groups)
	w.From("/process/user/gid").Number(plan.KindGid, uint64(u.GID))
	w.From("/process/user/uid").Number(plan.KindUid, uint64(u.UID))
	w.From("/process/cwd").Chdir(w.process.Cwd, 0)
	umask := uint64(0o022)
	if u.Umask != nil {
		umask = uint64(*u.Umask)
	}
	w.From("/process/user/umask").Number(plan.KindUmask, umask)
}

func find(w *work) {
	w.From("/process/args").Find(variable(w.process.Env, "PATH"), w.process.Args[0])
}

func capabilities(w *work) {
	w.From("/process/capabilities").Capset(w.caps.effective, w.caps.permitted, w.caps.inheritable)
	w.From("/process/capabilities/ambient").Number(plan.KindAmbient, w.caps.ambient)
}

func noNewPrivileges(w *work) {
	w.From("/process/noNewPrivileges").Number(plan.KindPrctl, unix.PR_SET_NO_NEW_PRIVS, 1)
}

func (w *work) seccomp() bool { return w.in.Spec.Linux != nil && w.in.Spec.Linux.Seccomp != nil }

// fetchFilter: a program that is not compiled yet comes by a call, so that libseccomp's
// 10 ms pass while the init mounts.
func fetchFilter(w *work) {
	if w.seccomp() && len(w.in.Filter) == 0 {
		w.From("/linux/seccomp").Host(plan.HostStep{Act: plan.ActFilter, Call: plan.CallFilter})
		w.Call(plan.CallFilter, 0, plan.SlotNone, plan.SlotFilter)
	}
}

func filter(w *work) {
	if !w.seccomp() {
		return
	}
	w.From("/linux/seccomp")
	if !w.process.NoNewPrivileges && w.process.User.UID != 0 {
		// setuid(2) emptied the effective set; the permitted one is still whole.
		admin := kernel.CapabilityBit("CAP_SYS_ADMIN")
		w.Capset(admin, w.caps.permitted|admin, 0)
	}
	w.Filter(string(w.in.Filter), w.in.FilterFlags)
}

// ready is the last that the parent hears before it goes. `run` keeps the line: its
// answer is the start.
func ready(w *work) {
	w.From("")
	if slices.Contains(w.pass, plan.SlotLock) {
		w.Close(plan.SlotLock) // from here on, whoever wants the lock need not wait for us
	}
	if w.hook { // after the user and the capabilities, whose change would clear it
		w.Number(plan.KindPrctl, unix.PR_SET_PDEATHSIG, uint64(unix.SIGKILL))
	}
	w.Call(plan.CallReady, 0, plan.SlotNone, plan.SlotNone)
	if w.resume {
		w.Close(plan.SlotSock)
		w.Wait()
	}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
