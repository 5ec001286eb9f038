package compile

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/plan"
	"rt/rootfs"
)

// kinds of namespaces (namespaces(7)) by the spec's names.
var kinds = []struct {
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

func namespaceFlag(t specs.LinuxNamespaceType) uint64 {
	for _, k := range kinds {
		if k.name == t {
			return k.flag
		}
	}
	return 0
}

// Namespaces are the CLONE_NEW* flags of the namespaces that the container has for
// itself, new ones and joined ones.
func Namespaces(spec *specs.Spec) uint64 {
	var all uint64
	if spec.Linux != nil {
		for _, n := range spec.Linux.Namespaces {
			all |= namespaceFlag(n.Type)
		}
	}
	return all
}

// fresh tells whether the namespace is a new one.
func (w *work) fresh(t specs.LinuxNamespaceType) bool {
	if w.in.Spec.Linux == nil {
		return false
	}
	for _, n := range w.in.Spec.Linux.Namespaces {
		if n.Type == t && n.Path == "" {
			return true
		}
	}
	return false
}

// Fresh are the CLONE_NEW* flags of the namespaces that are made first: by the fork, and by
// the init. A cgroup namespace is made later, after the join.
func Fresh(spec *specs.Spec) (fork, init uint64) {
	if spec.Linux == nil {
		return 0, 0
	}
	for _, n := range spec.Linux.Namespaces {
		if n.Path == "" {
			init |= namespaceFlag(n.Type)
		}
	}
	return init & unix.CLONE_NEWPID, init &^ (unix.CLONE_NEWPID | unix.CLONE_NEWCGROUP)
}

// namespaces: a pid namespace is made by the fork, a cgroup namespace after the join, and
// the rest by the init.
func namespaces(w *work) {
	if w.in.Spec.Linux == nil {
		w.fail(unsupported("/linux", "a container without namespaces"))
		return
	}
	mounts := false
	for i, n := range w.in.Spec.Linux.Namespaces {
		where := "/linux/namespaces/" + strconv.Itoa(i)
		flag := namespaceFlag(n.Type)
		mounts = mounts || n.Type == specs.MountNamespace
		switch {
		case flag == unix.CLONE_NEWUSER || flag == unix.CLONE_NEWTIME:
			w.fail(unsupported(where, "a "+string(n.Type)+" namespace"))
		case n.Path != "" && (flag == unix.CLONE_NEWPID || flag == unix.CLONE_NEWNS):
			w.fail(unsupported(where, "a joined "+string(n.Type)+" namespace"))
		case n.Path != "":
			w.From(where).Open(n.Path, unix.O_RDONLY, 0, plan.SlotTmp)
			w.Setns(plan.SlotTmp, flag, n.Path)
			w.Close(plan.SlotTmp)
		}
	}
	if !mounts {
		w.fail(unsupported("/linux/namespaces", "a container without a mount namespace"))
	}
	fork, fresh := Fresh(w.in.Spec)
	w.Plan.Namespaces = fork
	w.From("/linux/namespaces").Unshare(fresh)
}

func root(w *work) { rootfs.Open(w.Builder, w.in.Spec, w.out.Rootfs, w.in.RootParent) }

func earlyMounts(w *work) { w.mounts(false) }

func lateMounts(w *work) { w.mounts(true) }

func (w *work) mounts(late bool) {
	ctx := w.mountContext()
	for i, l := range rootfs.Split(w.in.Spec.Mounts) {
		if l == late {
			w.fail(rootfs.Mount(w.Builder, "/mounts/"+strconv.Itoa(i), w.in.Spec.Mounts[i], ctx))
		}
	}
}

func devices(w *work) { rootfs.Devices(w.Builder, w.in.Spec, w.in.Host.Kcore) }

func prepareMasks(w *work) { rootfs.PrepareMasks(w.Builder, w.in.Spec) }

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

// sysctls go through a procfs that nobody else has (CVE-2025-52881).
func sysctls(w *work) {
	if len(w.in.Spec.Linux.Sysctl) == 0 {
		return
	}
	w.From("/linux/sysctl").Fsopen("proc")
	w.Fsconfig(unix.FSCONFIG_CMD_CREATE, "", "")
	w.Fsmount(0, plan.SlotProc, "a private procfs")
	for _, key := range sortedKeys(w.in.Spec.Linux.Sysctl) {
		w.From("/linux/sysctl/"+strings.ReplaceAll(key, "/", "~1")).Write(plan.SlotProc, "sys/"+sysctlPath(key), w.in.Spec.Linux.Sysctl[key])
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

func callCgroup(w *work) { w.askHome(plan.CallCgroup) }

func callEnter(w *work) { w.askHome(plan.CallEnter) }

// askHome makes a call whose answer brings HOME, if the environment has none. The root
// goes along: the parent reads the container's passwd below it.
func (w *work) askHome(call int) {
	flags, slot := uint16(0), plan.SlotNone
	if variable(w.process.Env, "HOME") == "" {
		flags, slot = plan.CallText, plan.SlotRoot
		w.Plan.Home = true
		w.From("/process/user/uid").Host(plan.HostStep{Act: plan.ActHome, Call: call, A: uint64(w.process.User.UID)})
	}
	w.From("").Call(call, flags, slot, plan.SlotNone)
}

// joinCgroup: the init moves itself. In v1 a thread's own move through `tasks` waits for
// no RCU grace period, a process's through cgroup.procs does (0.4 against 11 ms).
func joinCgroup(w *work) {
	file := "/tasks"
	if w.out.Cgroup.V2 {
		file = "/cgroup.procs"
	}
	w.From("/linux/cgroupsPath")
	for _, d := range w.out.Cgroup.Dirs {
		w.Write(plan.SlotNone, d.Path+file, "0")
	}
}

func cgroupNamespace(w *work) {
	if w.fresh(specs.CgroupNamespace) {
		w.From("/linux/namespaces").Unshare(unix.CLONE_NEWCGROUP)
	}
}

func pivot(w *work) { rootfs.Enter(w.Builder, w.in.Spec) }

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

// setns joins what the container has. The root of its mount namespace is not always the
// container's: if rt ran in a chroot, the host's lies above. The init's own root is.
func setns(w *work) {
	w.From("").Setns(plan.SlotPidfd, Namespaces(w.in.Spec)&^unix.CLONE_NEWPID, "the container's namespaces")
	w.Close(plan.SlotPidfd)
	w.Chroot("the container's init")
}
