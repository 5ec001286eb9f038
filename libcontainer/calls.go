package libcontainer

import (
	"errors"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"rt/cgroups"
	"rt/internal/config"
	"rt/internal/errs"
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
	case plan.ActCgroup:
		return c.makeGroup()
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
		err := writeProc(child.Pid, "oom_score_adj", text)
		return errs.At(s.Where, "set oom_score_adj to", text, err)
	case plan.ActPidFile:
		return writePidFile(s.S, child.Pid)
	}
	return nil // what an answer carries is done by answer
}

// writeProc writes to a file of the init in the host's procfs, which is the real one.
func writeProc(pid int, file, value string) error {
	proc, err := kernel.OpenProc()
	if err != nil {
		return err
	}
	defer unix.Close(proc)
	fd, err := unix.Openat2(proc, strconv.Itoa(pid)+"/"+file, &unix.OpenHow{
		Flags:   unix.O_WRONLY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(value))
	return err
}

func writePidFile(path string, pid int) error {
	if err := writeFile(path+".rt-new", strconv.AppendInt(nil, int64(pid), 10)); err != nil {
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
	c.record = &config.Record{
		Version: config.RecordVersion, ID: c.o.ID, Bundle: c.bundle, Rootfs: c.out.Rootfs, Created: now(), BootID: boot,
		Creator: unix.Getpid(), Pid: p.Pid, PidStart: p.Start, SharedPid: c.out.Plan.Namespaces&unix.CLONE_NEWPID == 0,
		CgroupV2: c.out.Cgroup.V2, Cgroup: groupRecord(c.out.Cgroup.Group()),
		Hooks: config.HasHooks(c.doc.Spec.Hooks),
	}
	return writeFile(c.dir+"/"+fileIntent, c.record.Append(nil))
}

// handOver gives the init its plan, and its end of everything: it could open nothing of
// ours later, as another user in another root.
func (c *creation) handOver() error {
	c.undo.push(c.talk.kill)
	pass := []int{c.lock.fd}
	if len(c.out.Plan.Pass) > 1 {
		if err := c.makeFifos(); err != nil {
			return err
		}
		defer c.closeFifos() // with ours open the status of `run` would be created for good
		pass = append(pass, c.fifos[0], c.fifos[1])
	}
	return c.talk.child.Do(c.out.Plan, pass)
}

func (c *creation) makeFifos() error {
	for i, name := range []string{fileStart, fileStarted} {
		path := c.dir + "/" + name
		err := unix.Mkfifo(path, 0o600)
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
	if oom, _ := c.out.Cgroup.Group().OOMKilled(); oom {
		err := errors.New("was killed while it set the container up: the memory limit is too low")
		return &errs.Error{Op: "container init", Where: "/linux/resources/memory/limit", Kind: errs.Internal, Err: err}
	}
	return &errs.Error{Op: "container init", Kind: errs.Internal, Err: errors.New("died: " + describe(status))}
}

func describe(status unix.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + unix.SignalName(status.Signal())
	}
	return "exit status " + strconv.Itoa(status.ExitStatus())
}

func itoa(n int) string { return strconv.Itoa(n) }
