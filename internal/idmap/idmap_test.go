package idmap

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

// maps reads "INSIDE OUTSIDE COUNT, …".
func maps(t *testing.T, text string) []specs.LinuxIDMapping {
	t.Helper()
	var list []specs.LinuxIDMapping
	for part := range strings.SplitSeq(text, ",") {
		var n [3]uint32
		for i, f := range strings.Fields(part) {
			v, err := strconv.ParseUint(f, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			n[i] = uint32(v)
		}
		list = append(list, specs.LinuxIDMapping{ContainerID: n[0], HostID: n[1], Size: n[2]})
	}
	return list
}

func TestText(t *testing.T) {
	for _, r := range []struct{ list, want string }{
		{"0 1000 1", "0 1000 1\n"},
		{"0 0 4294967295", "0 0 4294967295\n"},
		{"0 1000 1, 1 100000 65536", "0 1000 1\n1 100000 65536\n"},
	} {
		if have := Text(maps(t, r.list)); have != r.want {
			t.Errorf("have %q, want %q", have, r.want)
		}
	}
	if have := Text(nil); have != "" {
		t.Errorf("no map: %q", have)
	}
}

func TestSetgroups(t *testing.T) {
	const own, other, many = "0 7 1", "0 8 1", "0 7 1, 1 100 5"
	for _, r := range []struct {
		name, gid string
		caller    Caller
		want      bool
	}{
		{"own group alone", own, Caller{GID: 7}, false},
		{"own group alone, whatever it is called", "5 7 1", Caller{GID: 7}, false},
		{"own group, with CAP_SETGID", own, Caller{GID: 7, Setgid: true}, true},
		{"own group, with CAP_SETUID", own, Caller{GID: 7, Setuid: true}, false},
		{"another one, by the helper", other, Caller{GID: 7}, true},
		{"a range of which it is the first", "0 7 2", Caller{GID: 7}, true},
		{"own group and a range", many, Caller{GID: 7}, true},
		{"denied above", many, Caller{Setgid: true, NoGroups: true}, false},
	} {
		if have := Setgroups(Maps{UID: maps(t, own), GID: maps(t, r.gid)}, r.caller); have != r.want {
			t.Errorf("%s: %v", r.name, have)
		}
	}
}

// sleeper is a process that waits in a new user namespace.
func sleeper(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("sleep", "100")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process.Pid
}

// proc reads a file of the process; of maps with single spaces.
func proc(t *testing.T, pid int, file string) string {
	t.Helper()
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(raw)) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, ", ")
}

func self(t *testing.T) Caller {
	t.Helper()
	caps, err := kernel.ReadCaps()
	if err != nil {
		t.Fatal(err)
	}
	return Self(caps)
}

// row is a map that is written to a real process and read back.
type row struct {
	name, uid, gid string
	where, fails   string // of the error; "" for none
	kind           errs.Kind
}

func (r row) run(t *testing.T) {
	pid, c := sleeper(t), self(t)
	m := Maps{maps(t, r.uid), maps(t, r.gid)}
	err := Write(pid, m, c)
	if r.fails != "" {
		e, ok := errors.AsType[*errs.Error](err)
		if !ok || e.Where != r.where || e.Kind != r.kind || !strings.Contains(e.Error(), r.fails) {
			t.Fatalf("have %v (%v)\nwant %s (%v) at %s", err, errs.KindOf(err), r.fails, r.kind, r.where)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	groups := "deny"
	if Setgroups(m, c) {
		groups = "allow"
	}
	for _, f := range [][2]string{{"uid_map", r.uid}, {"gid_map", r.gid}, {"setgroups", groups}} {
		if have := proc(t, pid, f[0]); have != f[1] {
			t.Errorf("%s is %q, want %q", f[0], have, f[1])
		}
	}
}

func TestPrivileged(t *testing.T) {
	if c := self(t); !c.Setuid || !c.Setgid {
		t.Skip("needs CAP_SETUID and CAP_SETGID")
	}
	const all = "0 0 4294967295"
	for _, r := range []row{
		{name: "range", uid: "0 100000 65536", gid: "0 200000 65536"},
		{name: "several", uid: "0 100000 1, 1 0 1, 5 300000 10", gid: "0 100000 1"},
		{name: "all", uid: all, gid: all},
		{name: "root alone", uid: "0 0 1", gid: "0 0 1"},
		{name: "overlap", uid: "0 1 2, 1 5 1", gid: all, where: "/linux/uidMappings", fails: "write uid_map of process ", kind: errs.Kernel},
		{name: "overlap of gids", uid: all, gid: "0 1 2, 1 5 1", where: "/linux/gidMappings", fails: "invalid argument", kind: errs.Kernel},
	} {
		t.Run(r.name, r.run)
	}
}

// TestPage: a map has to be shorter than a page, which the validator counts on.
func TestPage(t *testing.T) {
	c := self(t)
	if !c.Setuid || !c.Setgid || os.Getpagesize() != 4096 {
		t.Skip("needs CAP_SETUID and CAP_SETGID, and pages of 4096 bytes")
	}
	var list []specs.LinuxIDMapping
	for i := range uint32(186) {
		list = append(list, specs.LinuxIDMapping{ContainerID: 100000000 + i, HostID: 100000000 + i, Size: 1})
	}
	last := &list[len(list)-1]
	for _, r := range []struct {
		last specs.LinuxIDMapping
		size int
		want error
	}{
		{specs.LinuxIDMapping{ContainerID: 2000000000, HostID: 2000000000, Size: 1}, 4094, nil},
		{specs.LinuxIDMapping{ContainerID: 2000000000, HostID: 2000000000, Size: 10}, 4095, nil},
		{specs.LinuxIDMapping{ContainerID: 2000000000, HostID: 2000000000, Size: 100}, 4096, unix.EINVAL},
	} {
		*last = r.last
		err := Write(sleeper(t), Maps{list, list[:1]}, c)
		if n := len(Text(list)); n != r.size || !errors.Is(err, r.want) {
			t.Errorf("%d bytes, want %d: %v, want %v", n, r.size, err, r.want)
		}
	}
}

// TestGone: a process that is not there, or has its maps already, is an error, not a panic.
func TestGone(t *testing.T) {
	own := []specs.LinuxIDMapping{{HostID: uint32(os.Geteuid()), Size: 1}}
	err := Write(1<<30, Maps{own, own}, self(t))
	if !errors.Is(err, unix.ENOENT) || errs.KindOf(err) != errs.Kernel {
		t.Errorf("no such process: %v", err)
	}
	err = Write(os.Getpid(), Maps{own, own}, self(t))
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "(config.json: /linux/uidMappings)") {
		t.Errorf("maps are there: %v", err)
	}
}

// TestSelf agrees with what the kernel says of this process.
func TestSelf(t *testing.T) {
	t.Setenv("PATH", "/x")
	want := Caller{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), Path: "/x"}
	want.NoGroups = proc(t, os.Getpid(), "setgroups") == "deny"
	if have := Self(^uint64(1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID)); have != want {
		t.Errorf("have %+v, want %+v", have, want)
	}
	want.Setuid = true
	if have := Self(1 << unix.CAP_SETUID); have != want {
		t.Errorf("have %+v, want %+v", have, want)
	}
	want.Setuid, want.Setgid = false, true
	if have := Self(1 << unix.CAP_SETGID); have != want {
		t.Errorf("have %+v, want %+v", have, want)
	}
}

// TestFind: no helper comes from the working directory.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, mode := range map[string]os.FileMode{"program": 0o700, "text": 0o600} {
		if err := os.WriteFile(name, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct{ name, path, want string }{
		{"program", "/nowhere:" + dir, dir + "/program"},
		{"program", ".", ""},
		{"program", "", ""},
		{"text", dir, ""},
		{"folder", dir, ""},
		{"sh", "", "/usr/bin/sh"},
	} {
		if have := find(r.name, r.path); have != r.want {
			t.Errorf("%s in %q: %q, want %q", r.name, r.path, have, r.want)
		}
	}
}

// TestFakeHelpers: what is asked of the helpers, what they say, and how long they may take.
func TestFakeHelpers(t *testing.T) {
	dir := t.TempDir()
	script := func(name, text string) {
		if err := os.WriteFile(dir+"/"+name, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	m := Maps{maps(t, "0 7 1, 1 100 5"), maps(t, "0 8 2")}
	c := Caller{UID: 7, GID: 8, Path: "relative:" + dir}

	// Each waits for the other one: they run side by side.
	const both = "; i=0; until [ -e other ]; do i=$((i+1)); [ $i -lt 500 ] || exit 1; sleep 0.01; done"
	meet := func(own, other string) string {
		return "cd " + dir + "; echo \"$0 $*\" >" + own + strings.Replace(both, "other", other, 1)
	}
	script("newuidmap", meet("u", "g"))
	script("newgidmap", meet("g", "u"))
	if err := Write(77, m, c); err != nil {
		t.Error(err)
	}
	for file, want := range map[string]string{"u": dir + "/newuidmap 77 0 7 1 1 100 5\n", "g": dir + "/newgidmap 77 0 8 2\n"} {
		if have, err := os.ReadFile(dir + "/" + file); string(have) != want {
			t.Errorf("have %q, want %q (%v)", have, want, err)
		}
	}

	script("newuidmap", "exit 0")
	for _, r := range []struct{ text, want string }{
		{"echo no range >&2; echo '  at all' >&2; exit 1", "no range at all"},
		{"exit 3", "exit status 3"},
		{"kill -9 $$", "killed by SIGKILL"},
		{"env >&2; head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1", "xxx"},
	} {
		script("newgidmap", r.text)
		err := Write(77, m, c)
		if e, ok := errors.AsType[*errs.Error](err); !ok || e.Where != "/linux/gidMappings" || e.Path != dir+"/newgidmap" ||
			e.Kind != errs.Permission || !strings.Contains(e.Error(), r.want) || len(e.Error()) > 5000 {
			t.Errorf("%s: %v", r.text, err)
		}
	}

	script("newgidmap", "exec sleep 60")
	s := sides(m, c)[1]
	h, err := s.start(77, c.Path)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err = h.wait(50 * time.Millisecond)
	if errs.KindOf(err) != errs.Timeout || time.Since(began) > 20*time.Second || unix.Kill(h.pid, 0) != unix.ESRCH {
		t.Errorf("%v; it lives: %v", err, unix.Kill(h.pid, 0))
	}
}
