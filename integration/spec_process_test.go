package integration

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func env(list ...string) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Process.Env = append(s.Process.Env, list...) }
}

func cwd(dir string) func(*specs.Spec) { return func(s *specs.Spec) { s.Process.Cwd = dir } }

func TestArgs(t *testing.T) {
	path := func(s *specs.Spec) { s.Process.Env = []string{"PATH=/nosuch:/opt:/bin"} }
	opt := exe("rootfs/prog", "#!/bin/sh\necho prog $0 \"$@\"\n")
	made := "/prog"
	runRows(t, []row{
		{name: "looked up in PATH", edit: edits(path, args("echo", "a  b", "", "*")), want: is("a  b  *\n")},
		{name: "absolute", edit: args("/bin/echo", "x"), want: is("x\n")},
		{name: "relative to cwd", edit: edits(cwd("/bin"), args("./echo", "x")), want: is("x\n")},
		{name: "script", prep: opt, made: made, edit: args("/prog", "1"), want: is("prog /prog 1\n")},
		{name: "missing on PATH", edit: args("nosuch"), code: 1, fails: has("executable file not found in $PATH")},
		{name: "no args", edit: args(), code: 1},
		{name: "exit code", sh: "exit 42", code: 42},
		{name: "death by signal", sh: "kill -9 $$; sleep 1; kill -6 $$", edit: without("pid"), code: 137},
	})
}

func TestEnvironment(t *testing.T) {
	runRows(t, []row{
		{name: "as given", edit: edits(env("A=1,2", "B=", "C=x=y", "HOME=/h"), args("env")),
			want: is("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nTERM=xterm\nA=1,2\nB=\nC=x=y\nHOME=/h\n")},
		{name: "twice: the last", edit: env("A=1", "A=2"), sh: "echo $A", want: is("2\n")},
		{name: "HOME of root", sh: "echo $HOME", want: is("/root\n")},
		{name: "HOME of joe", edit: user(1000, 1000), sh: "echo $HOME", want: is("/home/joe\n")},
		{name: "HOME empty", edit: edits(user(1000, 1000), env("HOME=")), sh: "echo $HOME", want: is("/home/joe\n")},
		{name: "HOME given", edit: edits(user(1000, 1000), env("HOME=/x")), sh: "echo $HOME", want: is("/x\n")},
		{name: "HOME of nobody known", edit: user(4242, 4242), sh: "echo $HOME", want: is("/\n")},
	})
}

func TestCwd(t *testing.T) {
	runRows(t, []row{
		{name: "root", sh: "pwd", want: is("/\n")},
		{name: "given", edit: cwd("/home/joe"), sh: "pwd", want: is("/home/joe\n")},
		{name: "missing is made", edit: edits(writable, cwd("/new/dir")), sh: "pwd", want: is("/new/dir\n"), made: "/new /new/dir"},
		{name: "missing is made before the root becomes read-only", edit: cwd("/new/dir"), sh: "pwd", want: is("/new/dir\n"), made: "/new /new/dir"},
		{name: "not absolute", edit: cwd("tmp"), sh: "pwd", code: 1, fails: has("bsolute")},
		{name: "empty", edit: cwd(""), sh: "pwd", code: 1, fails: like("(?i)cwd")},
	})
}

func TestUser(t *testing.T) {
	umask := func(s *specs.Spec) { u := uint32(0o077); s.Process.User.Umask = &u }
	groups := func(s *specs.Spec) { s.Process.User.AdditionalGids = []uint32{2000, 3000} }
	twice := func(s *specs.Spec) { s.Process.User.AdditionalGids = []uint32{3000, 2000, 3000} }
	runRows(t, []row{
		{name: "root", sh: "id", want: is("uid=0(root) gid=0(root)\n")},
		{name: "joe", edit: user(1000, 1000), sh: "id", want: is("uid=1000(joe) gid=1000(joe)\n")},
		{name: "uid and gid apart", edit: user(4242, 2000), sh: "id", want: like(`^uid=4242 gid=2000\(extra\)`)},
		{name: "additional gids", edit: edits(user(1000, 1000), groups), sh: "grep Groups /proc/self/status", want: like(`^Groups:\s+2000 3000 ?$`)},
		{name: "additional gids, one twice", edit: edits(user(1000, 1000), twice), sh: "grep Groups /proc/self/status", want: like(`^Groups:\s+2000 3000 ?$`)},
		{name: "no groups of the caller", edit: user(1000, 1000), sh: "grep Groups /proc/self/status", want: like(`^Groups:\s*$`)},
		{name: "default umask", sh: "umask", want: is("0022\n")},
		{name: "umask", edit: umask, sh: "umask", want: is("0077\n")},
		{name: "home is writable", edit: edits(user(1000, 1000), writable), sh: "touch /home/joe/x", made: "/home/joe/x"},
	})
}

func TestRlimits(t *testing.T) {
	set := func(typ string, soft, hard uint64) func(*specs.Spec) {
		return func(s *specs.Spec) {
			s.Process.Rlimits = []specs.POSIXRlimit{{Type: typ, Soft: soft, Hard: hard}}
		}
	}
	twice := func(s *specs.Spec) { s.Process.Rlimits = append(s.Process.Rlimits, s.Process.Rlimits[0]) }
	runRows(t, []row{
		{name: "nofile", edit: set("RLIMIT_NOFILE", 200, 300), sh: "ulimit -Sn; ulimit -Hn", want: is("200\n300\n")},
		{name: "core", edit: set("RLIMIT_CORE", 0, 0), sh: "ulimit -Sc; ulimit -Hc", want: is("0\n0\n")},
		{name: "nproc", edit: set("RLIMIT_NPROC", 50, 60), sh: "grep processes /proc/self/limits", want: like(`^Max processes +50 +60 `)},
		{name: "soft above hard", edit: set("RLIMIT_NOFILE", 400, 300), sh: "true", code: 1, fails: like(`nvalid|above the hard`)},
		{name: "unknown", edit: set("RLIMIT_FROB", 1, 1), sh: "true", code: 1, fails: has("RLIMIT_FROB")},
		{name: "twice", edit: twice, sh: "true", code: 1, fails: has("RLIMIT_NOFILE"), peers: peers{runc: differs("takes the last")}},
		{name: "oom_score_adj", edit: func(s *specs.Spec) { v := 500; s.Process.OOMScoreAdj = &v }, sh: "cat /proc/self/oom_score_adj", want: is("500\n")},
	})
}

func TestNoNewPrivileges(t *testing.T) {
	set := func(on bool) func(*specs.Spec) { return func(s *specs.Spec) { s.Process.NoNewPrivileges = on } }
	runRows(t, []row{
		{name: "on", edit: set(true), sh: "grep NoNewPrivs /proc/self/status", want: is("NoNewPrivs:\t1\n")},
		{name: "off", edit: set(false), sh: "grep NoNewPrivs /proc/self/status", want: is("NoNewPrivs:\t0\n")},
	})
}

func TestCapabilities(t *testing.T) {
	set := func(c specs.LinuxCapabilities) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Process.Capabilities = &c }
	}
	three := []string{"CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"} // bits 0, 5, 10: 0x421
	kill := []string{"CAP_KILL"}                                       // 0x20
	mixed := specs.LinuxCapabilities{Bounding: three, Permitted: three, Effective: kill, Inheritable: kill, Ambient: kill}
	bounded := specs.LinuxCapabilities{Bounding: three, Permitted: kill, Effective: kill}
	const show = `grep '^Cap' /proc/self/status | tr -d '\t' | sed s/:0*/:0x/`
	runRows(t, []row{
		{name: "root", edit: set(mixed), sh: show, want: is("CapInh:0x20\nCapPrm:0x421\nCapEff:0x421\nCapBnd:0x421\nCapAmb:0x20\n")},
		{name: "user with ambient", edit: edits(user(1000, 1000), set(mixed)), sh: show, want: is("CapInh:0x20\nCapPrm:0x20\nCapEff:0x20\nCapBnd:0x421\nCapAmb:0x20\n")},
		{name: "user without", edit: edits(user(1000, 1000), set(bounded)), sh: show, want: is("CapInh:0x\nCapPrm:0x\nCapEff:0x\nCapBnd:0x421\nCapAmb:0x\n")},
		{name: "none", edit: set(specs.LinuxCapabilities{}), sh: show, want: is("CapInh:0x\nCapPrm:0x\nCapEff:0x\nCapBnd:0x\nCapAmb:0x\n")},
		{name: "ambient not inheritable", sh: show, want: is("CapInh:0x\nCapPrm:0x20000420\nCapEff:0x20000420\nCapBnd:0x20000420\nCapAmb:0x\n")},
		{name: "unknown is a warning", edit: set(specs.LinuxCapabilities{Bounding: []string{"CAP_FROB", "CAP_KILL"}}), sh: show, want: has("CapBnd:0x20\n"), fails: has("CAP_FROB")},
	})
}
