package libcontainer

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"rt/cgroups"
	"rt/internal/compile"
	"rt/internal/config"
	"rt/internal/errs"
	"rt/internal/idmap"
	"rt/internal/ids"
	"rt/internal/kernel"
	"rt/internal/plan"
	"rt/nsenter"
)

// act does one step of the host lane.
func (c *creation) act(s plan.HostStep) error {
	if err := c.talk.heed(); err != nil {
		return err
	}
	switch s.Act {
	case plan.ActSpawn: // done by begin
	case plan.ActRecord:
		return c.writeIntent()
	case plan.ActPlan:
		return c.handOver()
	case plan.ActForked:
		return c.forked()
	case plan.ActMaps:
		l := c.doc.Spec.Linux
		return idmap.Write(c.talk.child.Pid, idmap.Maps{UID: l.UIDMappings, GID: l.GIDMappings}, idmap.Self(c.host.Caps))
	case plan.ActCgroup:
		return c.makeGroup()
	case plan.ActPidfd:
		return sendPidfd(c.pidfd, s.S, "standard", c.talk.child.Pidfd)
	case plan.ActHook:
		return c.hooks().one(config.HookKind(s.A), int(s.B))
	case plan.ActState:
		return errs.Op("rename", c.dir+"/"+fileIntent, unix.Rename(c.dir+"/"+fileIntent, c.dir+"/"+fileState))
	}
	return actOn(c.talk.child, s)
}

// actOn does the steps that need no more than the child: exec has them, too.
func actOn(child *nsenter.Child, s plan.HostStep) error {
	switch s.Act {
	case plan.ActOOMScoreAdj:
		text := strconv.FormatInt(int64(s.A), 10)
		err := kernel.WriteProc(child.Pid, "oom_score_adj", text)
		return errs.At(s.Where, "set oom_score_adj to", text, err)
	case plan.ActStreams:
		return errs.At(s.Where, "give the standard streams to uid", strconv.FormatUint(s.A, 10), giveStreams(child.Pid, uint32(s.A), 0, 1, 2))
	case plan.ActRlimit:
		limit := unix.Rlimit{Cur: s.B, Max: s.C}
		return errs.At(s.Where, "set the resource limit", s.S, unix.Prlimit(child.Pid, int(s.A), &limit, nil))
	case plan.ActPidFile:
		return writePidFile(s.S, child.Pid)
	}
	return nil // what an answer carries is done by answer
}

// giveStreams gives pipes and terminals among fds, which the init has as well, to the user uid
// of its user namespace. What cannot be given stays.
func giveStreams(pid int, uid uint32, fds ...int) error {
	owner, ok, err := kernel.OuterUID(pid, uid)
	if err != nil || !ok {
		return err
	}
	for _, fd := range fds {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) != nil {
			continue
		}
		tty := st.Mode&unix.S_IFMT == unix.S_IFCHR && isTerminal(fd)
		if st.Mode&unix.S_IFMT != unix.S_IFIFO && !tty {
			continue
		}
		err := unix.Fchown(fd, int(owner), -1)
		if err != nil && err != unix.EPERM && err != unix.EINVAL && err != unix.EROFS {
			return err
		}
	}
	return nil
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

func writePidFile(path string, pid int) error {
	if err := writeFile(path+".rt-new", 0o600, strconv.AppendInt(nil, int64(pid), 10)); err != nil {
		return err
	}
	return errs.Op("rename the pid file to", path, unix.Rename(path+".rt-new", path))
}

// writeIntent records what is about to be made, before any of it is. The init is there
// already, but has nothing yet that outlives it; who finds the record can end it.
func (c *creation) writeIntent() error {
	boot, err := kernel.BootID()
	if err != nil {
		return errs.Op("read the boot id", "", err)
	}
	p, err := kernel.ReadProcess(c.talk.child.Pid)
	if err != nil {
		return errs.Op("look at the init", "", err)
	}
	fresh, _ := compile.Namespaces(c.doc.Spec)
	c.record = &config.Record{
		Version: config.RecordVersion, ID: c.o.ID, Bundle: c.bundle, Rootfs: c.out.Rootfs, Created: now(), BootID: boot,
		Creator: unix.Getpid(), Pid: p.Pid, PidStart: p.Start, SharedPid: fresh&unix.CLONE_NEWPID == 0,
		CgroupV2: c.out.Cgroup.V2, Cgroup: groupRecord(c.out.Cgroup.Group()),
		Hooks: config.HasHooks(c.doc.Spec.Hooks),
	}
	return c.writeRecord()
}

// writeRecord writes over a former record by one write(2), which a kill does not cut: spaces
// cover what was longer.
func (c *creation) writeRecord() error {
	body := c.record.Append(nil)
	for len(body) < c.recorded {
		body = append(body, ' ')
	}
	c.recorded = len(body)
	path := c.dir + "/" + fileIntent
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, c.mode(0o600))
	if err != nil {
		return errs.Op("open", path, err)
	}
	defer unix.Close(fd)
	return errs.Op("write", path, kernel.WriteAll(fd, body))
}

// handOver gives the init its plan, and its end of everything: it could open nothing of
// ours later, as another user in another root.
func (c *creation) handOver() error {
	c.undo.push(c.talk.kill)
	waits := slices.Contains(c.out.Plan.Pass, plan.SlotStart)
	if err := c.makeNotifyDir(!waits); err != nil {
		return err
	}
	if waits {
		if err := c.makeFifos(); err != nil {
			return err
		}
	}
	if slices.Contains(c.out.Plan.Pass, plan.SlotGroup) {
		var err error
		if c.group, err = openGroup(c.out.Cgroup.Group()); err != nil {
			return err
		}
	}
	if c.split {
		return c.handRest()
	}
	err := c.talk.told(c.talk.child.Do(c.out.Plan, c.pass(c.out.Plan.Pass), 0))
	if err == nil && c.out.Plan.Rest() > 0 { // the init waits for the rest when it has forked
		return nil
	}
	c.closeFifos()
	return err
}

// handRest: with our ends of the fifos open the status of `run` would be created for good.
func (c *creation) handRest() error {
	err := c.talk.rest()
	c.closeFifos()
	return err
}

// forked follows the init. One that went ahead gets the rest later, one that executes itself
// again gets it now.
func (c *creation) forked() error {
	err := c.talk.follow()
	if err == nil && !c.split && c.out.Plan.Rest() > 0 {
		err = c.handRest()
	}
	return err
}

// pass are the fds for slots of the plan.
func (c *creation) pass(slots []plan.Slot) []int {
	fds := make([]int, len(slots))
	for i, s := range slots {
		switch s {
		case plan.SlotLock:
			fds[i] = c.lock.fd
		case plan.SlotStart:
			fds[i] = c.fifos[0]
		case plan.SlotStarted:
			fds[i] = c.fifos[1]
		case plan.SlotGroup:
			fds[i] = c.group
		default:
			fds[i] = c.joined.fds[s-plan.SlotNS]
		}
	}
	return fds
}

// openGroup opens the group of v2 for CLONE_INTO_CGROUP.
func openGroup(g cgroups.Group) (int, error) {
	fd, err := unix.Open(g.Dirs[0].Path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return fd, errs.Op("open the cgroup", g.Dirs[0].Path, err)
}

// joinFiles opens what the init writes to when it may not open it by itself.
func joinFiles(paths []string) ([]int, error) {
	var fds []int
	for _, path := range paths {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			closeAll(fds)
			return nil, errs.At("/linux/cgroupsPath", "open", path, err)
		}
		fds = append(fds, fd)
	}
	return fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

func (c *creation) makeFifos() error {
	for i, name := range []string{fileStart, fileStarted} {
		path := c.dir + "/" + name
		err := unix.Mkfifo(path, c.mode(0o600))
		if err == nil {
			c.fifos[i], err = unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
		}
		if err != nil {
			return errs.Op("make the fifo", path, err)
		}
	}
	return nil
}

// teardown is how long a killed container may take to go.
const teardown = 10 * time.Second

func (c *creation) makeGroup() error {
	g, err := cgroups.Create(c.out.Cgroup)
	if err != nil {
		return err
	}
	c.undo.push(func() error {
		if err := c.talk.kill(); err != nil { // nothing can be removed around a live init
			return err
		}
		if c.record.Hooks { // what a hook has left in the group
			if err := g.Kill(teardown); err != nil {
				return err
			}
		}
		return g.Destroy(teardown)
	})
	return nil
}

// maxPasswd is the largest passwd(5) that is read, in bytes.
const maxPasswd = 1 << 20

// home reads HOME from the container's passwd. The file is the image's: only a regular
// one counts, resolved below the root that the init sent, and a bounded part of it.
func home(root int, uid uint32) string {
	fd, err := unix.Openat2(root, "etc/passwd", &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return "HOME=/"
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return "HOME=/"
	}
	buf := make([]byte, min(st.Size, maxPasswd))
	n, err := unix.Read(fd, buf)
	if err != nil {
		return "HOME=/"
	}
	return "HOME=" + ids.Home(buf[:n], uid)
}

// died explains the end of the socket before the init was ready.
func (c *creation) died(status unix.WaitStatus) error {
	if c.out != nil && c.oomKilled() {
		err := errors.New("was killed while it set the container up: the memory limit is too low")
		return &errs.Error{Op: "container init", Where: "/linux/resources/memory/limit", Kind: errs.Internal, Err: err}
	}
	return &errs.Error{Op: "container init", Kind: errs.Internal, Err: errors.New("died: " + describe(status))}
}

func (c *creation) oomKilled() bool {
	killed, _ := c.out.Cgroup.Group().OOMKilled()
	return killed
}

func describe(status unix.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + unix.SignalName(status.Signal())
	}
	return "exit status " + strconv.Itoa(status.ExitStatus())
}

func itoa(n int) string { return strconv.Itoa(n) }

func (c *creation) files(call int) ([]int, error) {
	if call == plan.CallMemory {
		return joinFiles(c.out.Cgroup.Group().MemoryFiles())
	}
	return joinFiles(c.out.Cgroup.Group().JoinFiles())
}
