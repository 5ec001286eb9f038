package compile

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/plan"
	"rt/rootfs"
)

func root(w *work) {
	if w.mountNS() {
		rootfs.Open(w.Builder, w.in.Spec, w.out.Rootfs, w.in.RootParent)
		return
	}
	w.fail(rootfs.Bare(w.in.Spec))
	w.From("/root/path").Open(w.out.Rootfs, unix.O_PATH|unix.O_DIRECTORY, 0, plan.SlotRoot)
}

func (w *work) mountNS() bool {
	fresh, joined := Namespaces(w.in.Spec)
	return (fresh|joined)&unix.CLONE_NEWNS != 0
}

func earlyMounts(w *work) { w.mounts(false) }

func lateMounts(w *work) { w.mounts(true) }

func (w *work) mounts(late bool) {
	ctx := w.mountContext()
	for i, l := range rootfs.Split(w.in.Spec.Mounts) {
		if l == late {
			w.fail(rootfs.Mount(w.Builder, i, w.in.Spec.Mounts[i], ctx))
		}
	}
}

// devices: in a user namespace no device can be made, only bound, and in the host's mount
// namespace not even that.
func devices(w *work) {
	bound := w.userNS() || w.in.Host.UserNS
	if !bound || w.mountNS() {
		rootfs.Devices(w.Builder, w.in.Spec, w.in.Host.Kcore, bound)
		return
	}
	if len(w.in.Spec.Linux.Devices) > 0 {
		w.fail(unsupported("/linux/devices/0", "a device in a user namespace without a mount namespace"))
	}
}

func prepareMasks(w *work) { rootfs.PrepareMasks(w.Builder, w.in.Spec, w.in.NoPivot) }

func names(w *work) {
	if h := w.in.Spec.Hostname; h != "" {
		w.From("/hostname").Text(plan.KindHostname, h)
	}
	if d := w.in.Spec.Domainname; d != "" {
		w.From("/domainname").Text(plan.KindDomainname, d)
	}
	if w.fresh(specs.NetworkNamespace) {
		w.From("").Text(plan.KindLoopback, "lo")
	}
}

// sysctls go through a procfs that nobody else has (CVE-2025-52881). With a PID namespace that
// is another's none can be made: then it is the caller's, with nothing mounted on the way.
func sysctls(w *work) {
	if len(w.in.Spec.Linux.Sysctl) == 0 {
		return
	}
	w.From("/linux/sysctl")
	if ctx := w.mountContext(); ctx.UserNS && ctx.Owned&unix.CLONE_NEWPID == 0 {
		w.Open("/proc", unix.O_PATH|unix.O_DIRECTORY, 0, plan.SlotProc)
	} else {
		w.Fsopen("proc")
		w.Fsconfig(unix.FSCONFIG_CMD_CREATE, "", "")
		w.Fsmount(0, plan.SlotProc, "a private procfs")
	}
	for _, key := range sortedKeys(w.in.Spec.Linux.Sysctl) {
		w.From("/linux/sysctl/"+strings.ReplaceAll(key, "/", "~1")).Write(plan.SlotProc, "sys/"+sysctlPath(key), w.in.Spec.Linux.Sysctl[key], plan.WriteProc)
	}
	w.Close(plan.SlotProc)
}

// sysctlPath: in a key with dots a slash stands for a dot of the name; sysctl(8).
func sysctlPath(key string) string {
	i := strings.IndexAny(key, "./")
	if i < 0 || key[i] == '/' {
		return key
	}
	return strings.NewReplacer(".", "/", "/", ".").Replace(key)
}

func makeCwd(w *work) {
	if w.process.Cwd != "/" {
		w.From("/process/cwd").Mkdir(w.process.Cwd)
	}
}

// callCgroup: the answer brings what the groups are joined by later, if the init may not
// open it.
func callCgroup(w *work) {
	flags := uint16(0)
	if w.joinsByFiles() {
		flags = plan.CallFiles
		w.From("/linux/cgroupsPath").Host(plan.HostStep{Act: plan.ActJoin, Call: plan.CallCgroup})
	}
	w.askHome(plan.CallCgroup, flags)
}

func callEnter(w *work) { w.askHome(plan.CallEnter, 0) }

func (w *work) joinsByFiles() bool { return w.userNS() && len(w.out.Cgroup.Dirs) > 0 }

// askHome makes a call whose answer brings HOME, if the environment has none, and LISTEN_PID,
// if the init had no number yet when the plan was made. The root goes along: the parent
// reads the container's passwd below it.
func (w *work) askHome(call int, flags uint16) {
	slot := plan.SlotNone
	if variable(w.process.Env, "HOME") == "" {
		flags, slot = flags|plan.CallText, plan.SlotRoot
		w.Plan.Late = append(w.Plan.Late, "HOME")
		w.From("/process/user/uid").Host(plan.HostStep{Act: plan.ActHome, Call: call, A: uint64(w.process.User.UID)})
	}
	if l := w.in.Listen; l.FDs > 0 && l.Pid == 0 {
		flags |= plan.CallText
		w.Plan.Late = append(w.Plan.Late, "LISTEN_PID")
		w.From("").Host(plan.HostStep{Act: plan.ActListen, Call: call})
	}
	w.From("").Call(call, flags, slot, plan.SlotNone)
}

// joinCgroup: the init moves itself. In v1 a thread's own move through `tasks` waits for
// no RCU grace period, a process's through cgroup.procs does (0.4 against 11 ms). Who is root
// in a user namespace may not open these files: the parent does.
func joinCgroup(w *work) {
	if w.joinsByFiles() {
		w.From("/linux/cgroupsPath").Join(w.outside())
		return
	}
	w.writeJoin()
}

// joinOwn: an exec still is its caller. It is born into a cgroup of v2.
func joinOwn(w *work) {
	if !w.born() {
		w.writeJoin()
	}
}

func (w *work) writeJoin() {
	w.From("/linux/cgroupsPath")
	for _, file := range w.out.Cgroup.Group().JoinFiles() {
		w.Write(plan.SlotNone, file, "0", w.outside())
	}
}

// outside: a fork has mostly put the init into its cgroup already.
func (w *work) outside() uint16 {
	if w.born() {
		return plan.WriteOutside
	}
	return 0
}

func cgroupNamespace(w *work) {
	if _, joined := Namespaces(w.in.Spec); joined&unix.CLONE_NEWCGROUP != 0 && w.joinsGroupsLate() {
		w.join(unix.CLONE_NEWCGROUP)
	}
	if w.fresh(specs.CgroupNamespace) {
		w.From("/linux/namespaces").Unshare(unix.CLONE_NEWCGROUP)
	}
}

func pivot(w *work) {
	if w.mountNS() {
		if w.in.NoPivot {
			rootfs.EnterMoved(w.Builder, w.in.Spec, w.in.HostMounts)
			return
		}
		rootfs.Enter(w.Builder, w.in.Spec)
		return
	}
	w.From("/root/path").Chroot("the root file system")
}

func hideEarly(w *work) {
	if !w.createHooks() {
		rootfs.Hide(w.Builder, w.in.Spec)
	}
}

func hideLate(w *work) {
	if w.createHooks() {
		rootfs.Hide(w.Builder, w.in.Spec)
	}
}

// joinMemory: a page of a tmpfs counts for the cgroup of the one who writes it. In v1 the init
// is in none of them yet, and the devices' would refuse nodes that are still to be made.
func joinMemory(w *work) {
	if !rootfs.CopiesUp(w.in.Spec.Mounts) || len(w.out.Cgroup.Group().MemoryFiles()) == 0 {
		return
	}
	w.From("/linux/cgroupsPath").Host(plan.HostStep{Act: plan.ActJoin, Call: plan.CallMemory})
	w.JoinMemory(w.outside())
}
