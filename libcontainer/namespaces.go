package libcontainer

import (
	"errors"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/compile"
	"rt/internal/errs"
	"rt/internal/kernel"
	"rt/internal/plan"
)

// joined are the namespaces that config.json names by path, open.
type joined struct {
	fds   [compile.NamespaceKinds]int // by the place of the slot, -1 for none
	own   uint64                      // CLONE_NEW* of those that are the caller's own
	owned uint64                      // CLONE_NEW* of those that belong to the joined user namespace
}

// openNamespaces opens them, and makes sure that each is what it is said to be: a path is only
// a name, and what lies there may have changed.
func openNamespaces(spec *specs.Spec) (j joined, err error) {
	for i := range j.fds {
		j.fds[i] = -1
	}
	if spec.Linux == nil {
		return j, nil
	}
	for i, n := range spec.Linux.Namespaces {
		if n.Path == "" {
			continue
		}
		fd, err := openNamespace(n)
		if err != nil {
			j.close()
			return j, errs.At("/linux/namespaces/"+strconv.Itoa(i)+"/path", "join the "+string(n.Type)+" namespace", n.Path, err)
		}
		j.fds[compile.NamespaceSlot(n.Type)-plan.SlotNS] = fd
		if n.Type == specs.UserNamespace && sameFile(fdPath(fd), "/proc/self/ns/user") {
			j.own |= unix.CLONE_NEWUSER // setns(2) into one's own is an error
		}
	}
	j.compareOwners(spec)
	return j, nil
}

// ownNamespaces are the CLONE_NEW* flags of those that config.json names by path, and that the
// process pid shares with us: setns(2) into one's own user namespace is an error.
func ownNamespaces(spec *specs.Spec, pid int) uint64 {
	_, joined := compile.Namespaces(spec)
	if joined&unix.CLONE_NEWUSER != 0 && sameFile("/proc/"+strconv.Itoa(pid)+"/ns/user", "/proc/self/ns/user") {
		return unix.CLONE_NEWUSER
	}
	return 0
}

// slotCgroupNS has the container's cgroup namespace. Its setns(2) comes when the process is
// container root, to whom an init that is not dumpable, and may have been executed outside of
// the user namespace, cannot be named by a pidfd.
func slotCgroupNS() plan.Slot { return compile.NamespaceSlot(specs.CgroupNamespace) }

// openCgroupNS opens that of the process pid; the bare errno.
func openCgroupNS(pid int) (int, error) {
	return unix.Open("/proc/"+strconv.Itoa(pid)+"/ns/cgroup", unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// needUserNS: who has no rights gets them in a user namespace only.
func needUserNS(spec *specs.Spec) error {
	fresh, joined := compile.Namespaces(spec)
	caps, err := kernel.ReadCaps()
	if err != nil || (fresh|joined)&unix.CLONE_NEWUSER != 0 || caps&kernel.CapabilityBit("CAP_SYS_ADMIN") != 0 {
		return err
	}
	return &errs.Error{Op: "create", Where: "/linux/namespaces", Kind: errs.Permission,
		Err: errs.New(errs.Permission, `without CAP_SYS_ADMIN a container needs a user namespace: add {"type": "user"} and id mappings, see rt spec --rootless`)}
}

func openNamespace(n specs.LinuxNamespace) (int, error) {
	fd, err := unix.Open(n.Path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return -1, err
	}
	var fs unix.Statfs_t
	if err = unix.Fstatfs(fd, &fs); err == nil && fs.Type != unix.NSFS_MAGIC {
		err = errors.New("not a namespace")
	}
	if err == nil {
		var kind int
		kind, err = unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE)
		if err == nil && uint64(kind) != compile.NamespaceFlag(n.Type) {
			err = errors.New("a namespace of another kind")
		}
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// compareOwners asks which namespaces belong to the joined user namespace: their file systems
// can be mounted in there (ioctl_nsfs(2), NS_GET_USERNS).
func (j *joined) compareOwners(spec *specs.Spec) {
	user := j.fds[compile.NamespaceSlot(specs.UserNamespace)-plan.SlotNS]
	for _, n := range spec.Linux.Namespaces {
		fd := j.fds[compile.NamespaceSlot(n.Type)-plan.SlotNS]
		if user < 0 || fd < 0 {
			continue
		}
		owner, err := unix.IoctlRetInt(fd, unix.NS_GET_USERNS)
		if err != nil { // not ours to see, so not the container's either
			continue
		}
		if sameFile(fdPath(owner), fdPath(user)) {
			j.owned |= compile.NamespaceFlag(n.Type)
		}
		unix.Close(owner)
	}
}

func (j *joined) close() {
	for i, fd := range j.fds {
		if fd >= 0 {
			unix.Close(fd)
			j.fds[i] = -1
		}
	}
}

func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
