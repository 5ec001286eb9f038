package nsenter

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// forked follows the init into its child.
func (p *probe) forked() {
	p.t.Helper()
	ready(p.t, "the init", p.Socket())
	m, _, err := p.Recv()
	if err != nil || m.Verb != plan.Spawned {
		p.t.Fatalf("expected a fork, got %s, %v", p.describe(m), err)
	}
	former, err := p.Became(int(m.A))
	if err != nil {
		p.t.Fatal(err)
	}
	status, err := Reap(former)
	equal(p.t, "exit status of the one that forked", status.ExitStatus(), 0)
	equal(p.t, "waiting for it", err, nil)
}

// TestFork: the child is ours, in its namespaces, and does nothing before it is told to.
func TestFork(t *testing.T) {
	needRoot(t)
	for _, r := range []struct {
		name     string
		flags    uint64
		trace    uint16
		pids     int // levels of pid namespaces
		dumpable bool
	}{
		{"nothing new", 0, 0, 1, false},
		{"pid", unix.CLONE_NEWPID, 0, 2, false},
		{"user and pid", unix.CLONE_NEWPID | unix.CLONE_NEWUSER, plan.ForkTrace, 2, true},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.Fork(r.flags, r.trace, plan.SlotNone, plan.CallForked)
			w.stop()
			p := w.run()
			p.forked()
			own := len(strings.Fields(ownStatus(t, "NSpid")))
			equal(t, "pids", len(strings.Fields(p.status("NSpid"))), own+r.pids-1)
			equal(t, "parent", p.status("PPid"), strconv.Itoa(os.Getpid()))
			equal(t, "other user namespace", userNS(t, p.path("ns/user")) != userNS(t, "/proc/self/ns/user"), r.flags&unix.CLONE_NEWUSER != 0)
			if r.dumpable {
				equal(t, "the owner may write maps", os.WriteFile(p.path("uid_map"), []byte("0 5 1"), 0), nil)
			}
			equal(t, "answer", p.Done(""), nil)
			p.called()
		})
	}
}

func userNS(t *testing.T, path string) string {
	t.Helper()
	name, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func ownStatus(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return value
		}
	}
	t.Fatalf("no %s in /proc/self/status", name)
	return ""
}

// TestForkOrphan: a child whose parent goes before it has answered does nothing at all.
func TestForkOrphan(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.Fork(0, 0, plan.SlotNone, plan.CallForked)
	w.Mkdir("/made")
	p := w.run()
	p.forked()
	p.Close()
	equal(t, "exit status", p.wait().ExitStatus(), 1)
	if _, err := os.Stat(w.root + "/made"); err == nil {
		t.Error("it went on")
	}
}

// TestForkAtOnce: without a call the child does not wait.
func TestForkAtOnce(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.Fork(unix.CLONE_NEWPID, 0, plan.SlotNone, plan.CallNone)
	w.stop()
	p := w.run()
	calls := 0
	for range 2 {
		ready(t, "the init", p.Socket())
		m, _, err := p.Recv()
		switch {
		case err != nil:
			t.Fatal(err)
		case m.Verb == plan.CallVerb:
			calls++
		case m.Verb == plan.Spawned:
			former, err := p.Became(int(m.A))
			equal(t, "error", err, nil)
			Reap(former)
		}
	}
	equal(t, "calls", calls, 1)
}

// TestForkMapped: the one that forks writes the maps, and the child goes on with them.
func TestForkMapped(t *testing.T) {
	needRoot(t)
	for _, r := range []struct {
		name, uid, gid string
		want           uint32
	}{
		{"good", "0 4711 1\n7 5000 9\n", "0 4712 1\n", plan.DetailNone},
		{"a bad uid_map", "0 4711\n", "0 4712 1\n", plan.DetailUIDMap},
		{"a bad gid_map", "0 4711 1\n", "x", plan.DetailGIDMap},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.ForkMapped(unix.CLONE_NEWUSER|unix.CLONE_NEWPID, plan.SlotNone, r.uid, r.gid)
			w.User(0, 0, 0)
			w.stop()
			p := w.run()
			if r.want != plan.DetailNone {
				f, _ := p.failed()
				equal(t, "failure", f, failure{plan.KindFork, unix.EINVAL, r.want})
				return
			}
			p.forked()
			p.called()
			equal(t, "uid", p.status("Uid"), "4711 4711 4711 4711")
			equal(t, "gid", p.status("Gid"), "4712 4712 4712 4712")
		})
	}
}

// TestForkOutside: where the child cannot be born into the cgroup it joins it by a write.
func TestForkOutside(t *testing.T) {
	needRoot(t)
	for _, r := range []struct {
		name       string
		group, old bool
	}{{"no group", false, false}, {"not a group", true, false}, {"no clone3", true, true}} {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.file("procs", "", 0o644)
			if r.group {
				dir, err := unix.Open(w.root, unix.O_PATH|unix.O_CLOEXEC, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(dir)
				w.handOver(plan.SlotGroup, dir)
			}
			if r.old {
				w.Filter(withoutClone3(), 0)
			}
			w.Fork(0, 0, plan.SlotGroup, plan.CallForked)
			w.Write(plan.SlotNone, w.root+"/procs", "0", plan.WriteOutside)
			w.stop()
			p := w.run()
			p.forked()
			p.Done("")
			p.called()
			raw, _ := os.ReadFile(w.root + "/procs")
			equal(t, "written", string(raw), "0")
		})
	}
}

// withoutClone3 is a seccomp program of a host around us that does not know clone3(2).
func withoutClone3() string {
	var program []byte
	for _, f := range []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_CLONE3},
		{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ALLOW},
	} {
		program = binary.LittleEndian.AppendUint16(program, f.Code)
		program = append(program, f.Jt, f.Jf)
		program = binary.LittleEndian.AppendUint32(program, f.K)
	}
	return string(program)
}

// TestForkInto: a child that is born into its cgroup writes nothing.
func TestForkInto(t *testing.T) {
	needRoot(t)
	tree := unifiedTree(t)
	dir := filepath.Join(tree, "rt-test-fork-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Rmdir(dir) })
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	w := newWorld(t)
	w.handOver(plan.SlotGroup, fd)
	w.Fork(0, 0, plan.SlotGroup, plan.CallForked)
	w.Write(plan.SlotNone, w.root+"/nosuch", "0", plan.WriteOutside)
	w.stop()
	p := w.run()
	p.forked()
	p.Done("")
	p.called()
	if !strings.Contains(p.proc("cgroup"), "/"+filepath.Base(dir)+"\n") {
		t.Errorf("it is in\n%s", p.proc("cgroup"))
	}
	p.Kill()
	p.reaped = true
}

// unifiedTree is where cgroup v2 is mounted.
func unifiedTree(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			return dir
		}
	}
	t.Skip("no cgroup v2 is mounted")
	return ""
}

// TestRenew: executed anew, in its user namespace, it has all its capabilities, and begins
// with the step that it is told.
func TestRenew(t *testing.T) {
	needRoot(t)
	for _, id := range []uint32{0, 1000} {
		t.Run(strconv.Itoa(int(id)), func(t *testing.T) {
			w := newWorld(t)
			os.Chmod(w.root, 0o777)
			w.Fork(unix.CLONE_NEWUSER, plan.ForkTrace, plan.SlotNone, plan.CallForked)
			w.User(id, id, 0)
			w.Renew()
			w.Unshare(unix.CLONE_NEWNS) // needs CAP_SYS_ADMIN
			w.stop()
			p := w.run()
			p.forked()
			line := strconv.Itoa(int(id)) + " 4711 1"
			for _, file := range []string{"uid_map", "gid_map"} {
				equal(t, file, os.WriteFile(p.path(file), []byte(line), 0), nil)
			}
			p.Done("")
			equal(t, "the plan again", p.Do(&w.Plan, w.pass, 4), nil)
			p.called()
			equal(t, "uid", p.status("Uid"), "4711 4711 4711 4711")
			equal(t, "capabilities", p.status("CapEff"), p.status("CapBnd"))
		})
	}
}

// TestNext: the steps go on with the next part of the plan, whose numbers go on, too.
func TestNext(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.enclosed()
	w.Next()
	w.Mkdir("/made")
	w.Chdir("/nosuch", 0)
	part := w.Plan
	part.Init = part.Init[:5]
	part.Args = w.args
	p := w.start(Start{})
	equal(t, "the first part", p.Do(&part, nil, 0), nil)
	w.Plan.Args = w.args
	equal(t, "the second part", p.Do(&w.Plan, nil, 5), nil)
	ready(t, "the init", p.Socket())
	m, _, err := p.Recv()
	equal(t, "error", err, nil)
	equal(t, "step", m.Step, 5) // SlotRoot did not come with the second part
	equal(t, "errno", unix.Errno(m.A), unix.EBADF)
}

// TestNextOrphan: an init whose parent goes does not wait for ever.
func TestNextOrphan(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.Next()
	p := w.run()
	p.Close()
	equal(t, "exit status", p.wait().ExitStatus(), 1)
}

// TestTree: the source comes from the parent, who gets the init's mount namespace.
func TestTree(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.enclosed()
	w.Tree("/source", 0, plan.Mapped{}, plan.SlotTree)
	w.Attach(plan.SlotTree, "/here", plan.AttachMakeDir)
	w.stop()
	p := w.run()
	ready(t, "the init", p.Socket())
	m, fd, err := p.Recv()
	if err != nil || m.A != plan.CallTree || fd < 0 {
		t.Fatalf("%s, fd %d, %v", p.describe(m), fd, err)
	}
	defer unix.Close(fd)
	equal(t, "namespace", userNS(t, "/proc/self/fd/"+strconv.Itoa(fd)), userNS(t, p.path("ns/mnt")))
	tree, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err == nil {
		err = unix.FsconfigCreate(tree)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(tree)
	mount, err := unix.Fsmount(tree, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(mount)
	p.Done("", mount)
	p.called()
	equal(t, "mounted", p.mounted("here").fstype, "tmpfs")
}

func TestTreeRefused(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.enclosed()
	w.Tree("/source", 0, plan.Mapped{}, plan.SlotTree)
	p := w.run()
	p.called()
	p.Done("")
	f, _ := p.failed()
	equal(t, "failure", f, failure{plan.KindTree, unix.EBADF, 0})
}

// TestJoin: every file gets its 0, and the first error counts.
func TestJoin(t *testing.T) {
	needRoot(t)
	for _, r := range []struct {
		name  string
		how   int
		files int
		want  failure
	}{
		{"twelve groups", unix.O_WRONLY, 12, failure{}},
		{"none", unix.O_WRONLY, 0, failure{}},
		{"refused", unix.O_RDONLY, 2, failure{plan.KindJoin, unix.EBADF, 0}},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.Join(0)
			w.stop()
			p := w.run()
			p.called()
			var fds []int
			for i := range r.files {
				fd, err := unix.Open(w.file(strconv.Itoa(i), "", 0o600), r.how|unix.O_CLOEXEC, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(fd)
				fds = append(fds, fd)
			}
			p.Done("", fds...)
			if r.want.kind != 0 {
				f, _ := p.failed()
				equal(t, "failure", f, r.want)
				return
			}
			p.called()
			for i := range r.files {
				raw, _ := os.ReadFile(filepath.Join(w.root, strconv.Itoa(i)))
				equal(t, "file "+strconv.Itoa(i), string(raw), "0")
			}
		})
	}
}
