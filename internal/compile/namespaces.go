package compile

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/idmap"
	"rt/internal/kernel"
	"rt/internal/plan"
)

// kinds of namespaces (namespaces(7)) by the spec's names, in the order of their slots.
var kinds = [...]struct {
	name specs.LinuxNamespaceType
	flag uint64
}{
	{specs.CgroupNamespace, unix.CLONE_NEWCGROUP},
	{specs.IPCNamespace, unix.CLONE_NEWIPC},
	{specs.MountNamespace, unix.CLONE_NEWNS},
	{specs.NetworkNamespace, unix.CLONE_NEWNET},
	{specs.PIDNamespace, unix.CLONE_NEWPID},
	{specs.UTSNamespace, unix.CLONE_NEWUTS},
	{specs.TimeNamespace, unix.CLONE_NEWTIME},
	{specs.UserNamespace, unix.CLONE_NEWUSER},
}

// NamespaceKinds is how many kinds of namespaces there are.
const NamespaceKinds = len(kinds)

// NamespaceFlag is the CLONE_NEW* flag of a kind of namespace, 0 if there is no such kind.
func NamespaceFlag(t specs.LinuxNamespaceType) uint64 {
	for _, k := range kinds {
		if k.name == t {
			return k.flag
		}
	}
	return 0
}

// NamespaceSlot is where the init keeps a namespace that it joins.
func NamespaceSlot(t specs.LinuxNamespaceType) plan.Slot {
	for i, k := range kinds {
		if k.name == t {
			return plan.SlotNS + plan.Slot(i)
		}
	}
	return plan.SlotNone
}

// Namespaces are the CLONE_NEW* flags of the namespaces that the container has for itself:
// new ones and joined ones.
func Namespaces(spec *specs.Spec) (fresh, joined uint64) {
	if spec.Linux == nil {
		return 0, 0
	}
	for _, n := range spec.Linux.Namespaces {
		if n.Path == "" {
			fresh |= NamespaceFlag(n.Type)
		} else {
			joined |= NamespaceFlag(n.Type)
		}
	}
	return fresh, joined
}

// Forks tells whether the init goes on in a child once it has its plan: to be born into a
// cgroup of v2, in pid and time namespaces, which hold from birth on, and as the first
// process of a user namespace.
func Forks(spec *specs.Spec, unified bool) bool {
	fresh, joined := Namespaces(spec)
	return unified || (fresh|joined)&unix.CLONE_NEWUSER|joined&unix.CLONE_NEWPID|fresh&unix.CLONE_NEWTIME != 0
}

// Early are the CLONE_NEW* flags of the namespaces that are made before the plan is there,
// by the fork of the init and by the init. In a user namespace all others have to wait for
// it, or they would not belong to it.
func Early(spec *specs.Spec, unified bool) (fork, init uint64) {
	fresh, joined := Namespaces(spec)
	if (fresh|joined)&unix.CLONE_NEWUSER != 0 {
		return 0, 0
	}
	if !Forks(spec, unified) {
		fork = fresh & unix.CLONE_NEWPID
	}
	return fork, late(fresh)
}

// late are the namespaces that unshare makes: the others come with a fork, or after the join
// of the cgroup.
func late(fresh uint64) uint64 {
	return fresh &^ (unix.CLONE_NEWPID | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUSER)
}

// fresh tells whether the namespace is a new one.
func (w *work) fresh(t specs.LinuxNamespaceType) bool {
	fresh, _ := Namespaces(w.in.Spec)
	return fresh&NamespaceFlag(t) != 0
}

// userNS tells whether the container has a user namespace, new or joined, that is not ours.
func (w *work) userNS() bool { return w.all()&unix.CLONE_NEWUSER != 0 }

// privileged: the caller may join what belongs to its own user namespace.
func (w *work) privileged() bool { return w.in.Host.Caps&kernel.CapabilityBit("CAP_SYS_ADMIN") != 0 }

// namespaces: who has rights of its own joins with them first, an unprivileged caller gets
// them from the user namespace. Time is set before a process is born into it.
func namespaces(w *work) {
	if w.in.Spec.Linux == nil {
		w.fail(unsupported("/linux", "a container without namespaces"))
		return
	}
	fresh, joined := Namespaces(w.in.Spec)
	w.Plan.Namespaces, _ = Early(w.in.Spec, w.in.Unified)
	w.refuseOld(fresh, joined)
	others := joined &^ unix.CLONE_NEWUSER
	if w.joinsGroupsLate() {
		others &^= unix.CLONE_NEWCGROUP
	}
	if w.privileged() {
		w.join(others)
	}
	switch {
	case joined&unix.CLONE_NEWUSER != 0:
		w.join(unix.CLONE_NEWUSER)
	case fresh&unix.CLONE_NEWUSER != 0:
		fresh = w.newUserNS(fresh)
	}
	if !w.privileged() {
		w.join(others)
	}
	if !w.userNS() {
		w.unshare(late(fresh))
	} else if fresh&unix.CLONE_NEWTIME != 0 {
		w.unshare(unix.CLONE_NEWTIME)
	}
	w.timeOffsets()
	w.fork(fresh)
	if w.userNS() {
		w.containerRoot()
		w.unshare(late(fresh) &^ unix.CLONE_NEWTIME)
	}
	if w.in.Split && w.privileged() {
		w.Next()
	}
}

// refuseOld: a new user namespace has no rights in a mount namespace that was there before it,
// so nothing could be mounted.
func (w *work) refuseOld(fresh, joined uint64) {
	if fresh&unix.CLONE_NEWUSER == 0 || joined&unix.CLONE_NEWNS == 0 {
		return
	}
	for i, n := range w.in.Spec.Linux.Namespaces {
		if n.Type == specs.MountNamespace {
			w.fail(&errs.Error{Op: "join the mount namespace", Path: n.Path, Where: "/linux/namespaces/" + strconv.Itoa(i), Kind: errs.Invalid,
				Err: errs.New(errs.Invalid, "a new user namespace has no rights in it: leave its path out, or join its user namespace too")})
		}
	}
}

func (w *work) unshare(flags uint64) { w.From("/linux/namespaces").Unshare(flags) }

// join joins the namespaces of flags, by fds from the parent, in the order of the file.
func (w *work) join(flags uint64) {
	for i, n := range w.in.Spec.Linux.Namespaces {
		if n.Path == "" || NamespaceFlag(n.Type)&flags == 0 || NamespaceFlag(n.Type)&w.in.Own != 0 {
			continue
		}
		slot := NamespaceSlot(n.Type)
		w.pass = append(w.pass, slot)
		w.From("/linux/namespaces/"+strconv.Itoa(i)).Setns(slot, NamespaceFlag(n.Type), n.Path)
		w.Close(slot)
	}
}

// newUserNS makes the user namespace in a fork of its own if a time namespace has to belong
// to it; else the fork that follows makes it. It gives what is left to be made.
func (w *work) newUserNS(fresh uint64) uint64 {
	if fresh&unix.CLONE_NEWTIME == 0 {
		return fresh
	}
	w.forkUser(unix.CLONE_NEWUSER, plan.SlotNone)
	return fresh &^ unix.CLONE_NEWUSER
}

// forkUser makes a user namespace. Who may write any map does so right away; for others the
// parent does, by newuidmap(1) perhaps.
func (w *work) forkUser(fresh uint64, group plan.Slot) {
	l := w.in.Spec.Linux
	w.From("/linux/uidMappings")
	if w.writesMaps() {
		w.ForkMapped(fresh, group, idmap.Text(l.UIDMappings), idmap.Text(l.GIDMappings))
		return
	}
	w.Fork(fresh, plan.ForkTrace, group, plan.CallForked)
}

func (w *work) writesMaps() bool {
	need := kernel.CapabilityBit("CAP_SETUID") | kernel.CapabilityBit("CAP_SETGID")
	return w.in.Host.Caps&need == need
}

// fork: the new process is born into its pid namespace, its user namespace and, with v2,
// its cgroup.
func (w *work) fork(fresh uint64) {
	if !Forks(w.in.Spec, w.in.Unified) {
		return
	}
	fresh &= unix.CLONE_NEWPID | unix.CLONE_NEWUSER
	if fresh&unix.CLONE_NEWUSER != 0 {
		w.forkUser(fresh, w.groupSlot())
	} else {
		w.From("/linux/namespaces").Fork(fresh, 0, w.groupSlot(), plan.CallNone)
	}
	w.closeGroup()
}

// born: the fork puts the init into its cgroup.
func (w *work) born() bool { return w.in.Unified && w.out.Cgroup.V2 && len(w.out.Cgroup.Dirs) > 0 }

// groupSlot has the container's cgroup if a process can be born into it.
func (w *work) groupSlot() plan.Slot {
	if !w.born() {
		return plan.SlotNone
	}
	w.pass = append(w.pass, plan.SlotGroup)
	return plan.SlotGroup
}

// closeGroup lets go of a directory of the host.
func (w *work) closeGroup() {
	if w.born() {
		w.Close(plan.SlotGroup)
	}
}

// joinsGroupsLate: from inside another cgroup namespace the kernel lets no process move itself
// to a group outside of it. Who is about to leave the host's user namespace could not join one
// of the host's later, and moves by files that the parent has opened.
func (w *work) joinsGroupsLate() bool { return !w.userNS() }

// timeOffsets holds for those who are born into the namespace; time_namespaces(7).
func (w *work) timeOffsets() {
	var text strings.Builder
	for _, clock := range []string{"monotonic", "boottime"} {
		if o, ok := w.in.Spec.Linux.TimeOffsets[clock]; ok {
			text.WriteString(clock + " " + strconv.FormatInt(o.Secs, 10) + " " + strconv.FormatUint(uint64(o.Nanosecs), 10) + "\n")
		}
	}
	if text.Len() > 0 {
		w.From("/linux/timeOffsets").Write(plan.SlotNone, "/proc/self/timens_offsets", text.String(), plan.WriteProc)
	}
}

// containerRoot becomes root of the user namespace, or the container's user where root is
// not mapped: what is made from now on belongs to it, and nothing to an unmapped id. Of a
// joined one only the kernel knows what it maps.
func (w *work) containerRoot() {
	flags := uint16(0)
	if !w.fresh(specs.UserNamespace) {
		flags = plan.IDTry
	}
	w.From("/linux/uidMappings")
	w.becomeRoot(flags)
	if !w.privileged() {
		w.Renew()
	}
}

func (w *work) becomeRoot(flags uint16) {
	l, u := w.in.Spec.Linux, w.process.User
	uid, gid := uint32(0), uint32(0)
	if w.fresh(specs.UserNamespace) {
		if !covers(l.UIDMappings, 0) {
			uid = u.UID
		}
		if !covers(l.GIDMappings, 0) {
			gid = u.GID
		}
	}
	w.Groups(nil, plan.IDTry)
	w.User(gid, uid, flags)
}

// covers tells whether the id is mapped.
func covers(list []specs.LinuxIDMapping, id uint32) bool {
	for _, m := range list {
		if id >= m.ContainerID && id-m.ContainerID < m.Size {
			return true
		}
	}
	return false
}

// setns joins what the container has, in one call: what a namespace asks for is asked of the
// rights in the container's user namespace. Its cgroup namespace comes later: from inside one
// the kernel moves no process in.
func setns(w *work) {
	w.From("").Setns(plan.SlotPidfd, w.all()&^unix.CLONE_NEWCGROUP, "the container's namespaces")
}

// birth is where the process comes into being that others in the container can see: it has
// the container's namespaces and root, and nothing of rt's but what it was handed. A child
// made in the pid namespace by rt itself would share rt's memory with whoever may trace it.
func birth(w *work) {
	w.From("").Fork(0, 0, w.groupSlot(), plan.CallNone)
	w.closeGroup()
	if w.born() {
		w.Host(plan.HostStep{Act: plan.ActJoin, Call: plan.CallJoin})
		w.Join(plan.WriteOutside)
	}
	if w.all()&unix.CLONE_NEWCGROUP != 0 { // not by the pidfd: for container root the init is not there to be looked at
		slot := NamespaceSlot(specs.CgroupNamespace)
		w.pass = append(w.pass, slot)
		w.Setns(slot, unix.CLONE_NEWCGROUP, "the container's cgroup namespace")
		w.Close(slot)
	}
	w.Close(plan.SlotPidfd)
}

// all are the namespaces that the container has for itself.
func (w *work) all() uint64 {
	fresh, joined := Namespaces(w.in.Spec)
	return fresh | joined&^w.in.Own
}

// enter: the root of a mount namespace is not always the container's: if rt ran in a chroot,
// the host's lies above. The init's own root is. In a user namespace the process is its root, or, where
// that is not mapped, the user: what is made, like a terminal, belongs to it.
func enter(w *work) {
	w.From("")
	if w.userNS() {
		w.becomeRoot(plan.IDTry)
	}
	w.Chroot("the container's init")
}
