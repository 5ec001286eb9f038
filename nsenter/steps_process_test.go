package nsenter

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/kernel"
	"rt/internal/plan"
)

func bit(names ...string) (mask uint64) {
	for _, n := range names {
		mask |= kernel.CapabilityBit(n)
	}
	return mask
}

// shows is a check of lines of /proc/PID/status: "Uid", "7 7 7 7", …
func shows(pairs ...string) func(*testing.T, *probe) {
	return func(t *testing.T, p *probe) {
		for i := 0; i < len(pairs); i += 2 {
			equal(t, pairs[i], p.status(pairs[i]), pairs[i+1])
		}
	}
}

// allow is the seccomp program that allows everything: BPF_RET, SECCOMP_RET_ALLOW.
const allow = "\x06\x00\x00\x00\x00\x00\xff\x7f"

func processEffects() []effect {
	kill := bit("CAP_KILL", "CAP_CHECKPOINT_RESTORE")
	return []effect{
		{"new namespaces", func(w *world) { w.Unshare(unix.CLONE_NEWUTS | unix.CLONE_NEWIPC) }, func(t *testing.T, p *probe) {
			for name, fresh := range map[string]bool{"uts": true, "ipc": true, "net": false} {
				own, _ := os.Readlink("/proc/self/ns/" + name)
				theirs, _ := os.Readlink(p.path("ns/" + name))
				equal(t, name+" is a new one", own != theirs, fresh)
			}
		}},
		{"a namespace joined", func(w *world) {
			w.Open("/proc/self/ns/uts", unix.O_RDONLY, 0, plan.SlotTmp)
			w.Unshare(unix.CLONE_NEWUTS)
			w.Setns(plan.SlotTmp, unix.CLONE_NEWUTS, "")
		}, func(t *testing.T, p *probe) {
			own, _ := os.Readlink("/proc/self/ns/uts")
			theirs, _ := os.Readlink(p.path("ns/uts"))
			equal(t, "namespace", theirs, own)
		}},
		{"loopback", func(w *world) {
			w.Unshare(unix.CLONE_NEWNET)
			w.Text(plan.KindLoopback, "lo")
		}, func(t *testing.T, p *probe) { equal(t, "up", p.interfaceUp("lo"), true) }},
		{"a session", func(w *world) { w.Number(plan.KindSetsid) }, func(t *testing.T, p *probe) {
			sid, err := unix.Getsid(p.Pid)
			equal(t, "error", err, nil)
			equal(t, "session", sid, p.Pid)
		}},
		{"a session, twice", func(w *world) { w.Number(plan.KindSetsid); w.Number(plan.KindSetsid) }, func(*testing.T, *probe) {}},
		{"umask", func(w *world) { w.Number(plan.KindUmask, 0o127) }, shows("Umask", "0127")},
		{"umask of the init itself", func(*world) {}, shows("Umask", "0000")},
		{"limits", func(w *world) { w.Rlimit("RLIMIT_NOFILE", unix.RLIMIT_NOFILE, 123, 456) }, func(t *testing.T, p *probe) {
			var l unix.Rlimit
			equal(t, "error", unix.Prlimit(p.Pid, unix.RLIMIT_NOFILE, nil, &l), nil)
			equal(t, "limit", l, unix.Rlimit{Cur: 123, Max: 456})
		}},
		{"the standard streams' owner", func(w *world) {
			var pipe [2]int
			if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
				w.t.Fatal(err)
			}
			file, _ := unix.Open(w.file("f", "", 0o600), unix.O_RDWR|unix.O_CLOEXEC, 0)
			w.t.Cleanup(func() { unix.Close(pipe[0]); unix.Close(pipe[1]); unix.Close(file) })
			w.stdio[0], w.stdio[1] = pipe[0], file
			w.Number(plan.KindOwnStdio, 1000)
		}, func(t *testing.T, p *probe) {
			for fd, want := range []uint32{1000, 0, 0} { // a pipe, a file, /dev/null
				var st unix.Stat_t
				unix.Fstat(p.w.stdio[fd], &st)
				equal(t, p.path("fd"), st.Uid, want)
			}
		}},
		{"the image's null device", func(w *world) {
			w.nested("/dev") // the test's own directory may be on a nodev mount
			w.devices()
			w.Mknod(plan.SlotDev, "null", plan.Node{Mode: unix.S_IFCHR | 0o666, Dev: unix.Mkdev(1, 3)})
			w.Text(plan.KindReopenNull, "/dev/null")
		}, func(t *testing.T, p *probe) {
			var fd, own unix.Stat_t
			unix.Stat(p.path("fd/1"), &fd)
			unix.Stat(p.in("dev/null"), &own)
			equal(t, "file", fd.Dev<<32+fd.Ino, own.Dev<<32+own.Ino)
		}},
		{"no null device in the image", func(w *world) { w.Text(plan.KindReopenNull, "/dev/null") }, func(*testing.T, *probe) {}},
		{"bounding set", func(w *world) { w.Number(plan.KindBounding, kill) }, shows("CapBnd", "0000010000000020")},
		{"ids", func(w *world) {
			w.Groups([]uint32{7, 8, 4294967294}, 0)
			w.Number(plan.KindGid, 9)
			w.Number(plan.KindUid, 10)
		}, shows("Uid", "10 10 10 10", "Gid", "9 9 9 9", "Groups", "7 8 4294967294", "CapEff", "0000000000000000")},
		{"no groups", func(w *world) { w.Groups([]uint32{7}, 0); w.Groups(nil, 0) }, shows("Groups", "")},
		{"capabilities", func(w *world) {
			w.Capset(bit("CAP_KILL"), kill, kill)
			w.Number(plan.KindAmbient, kill)
		}, shows("CapEff", "0000000000000020", "CapPrm", "0000010000000020", "CapInh", "0000010000000020", "CapAmb", "0000010000000020")},
		{"ambient set cleared", func(w *world) {
			w.Capset(kill, kill, kill)
			w.Number(plan.KindAmbient, kill)
			w.Number(plan.KindAmbient, bit("CAP_KILL"))
		}, shows("CapAmb", "0000000000000020")},
		{"permitted set kept over setuid", func(w *world) {
			w.Number(plan.KindPrctl, unix.PR_SET_KEEPCAPS, 1)
			w.Number(plan.KindUid, 1000)
			w.Capset(kill, kill, 0)
		}, shows("CapEff", "0000010000000020", "Uid", "1000 1000 1000 1000")},
		{"no_new_privs", func(w *world) { w.Number(plan.KindPrctl, unix.PR_SET_NO_NEW_PRIVS, 1) }, shows("NoNewPrivs", "1")},
		{"cwd", func(w *world) {
			w.mkdir("d", 0o755)
			w.Pivot(0)
			w.Chdir("/d", 0)
		}, func(t *testing.T, p *probe) {
			cwd, _ := os.Readlink(p.path("cwd"))
			equal(t, "cwd", cwd, "/d")
		}},
		{"cwd that only root may enter", func(w *world) {
			w.mkdir("d", 0o700)
			w.Pivot(0)
			w.Chdir("/d", plan.ChdirTry)
			w.Number(plan.KindUid, 1000)
			w.Chdir("/d", 0)
		}, func(t *testing.T, p *probe) {
			cwd, _ := os.Readlink(p.path("cwd"))
			equal(t, "cwd", cwd, "/d")
		}},
		{"cwd that only the user may enter", func(w *world) {
			os.Chown(w.mkdir("d", 0o700), 1000, 1000)
			w.Pivot(0)
			w.Capset(bit("CAP_SETUID"), bit("CAP_SETUID"), 0)
			w.Chdir("/d", plan.ChdirTry)
			w.Number(plan.KindUid, 1000)
			w.Chdir("/d", 0)
		}, func(t *testing.T, p *probe) {
			cwd, _ := os.Readlink(p.path("cwd"))
			equal(t, "cwd", cwd, "/d")
		}},
		{"a filter", func(w *world) { w.Filter(allow, 0) }, shows("Seccomp", "2", "Seccomp_filters", "1")},
		{"a filter in a file", func(w *world) {
			w.handOver(plan.SlotFilter, w.memfd(allow))
			w.Filter("", 0)
		}, shows("Seccomp_filters", "1")},
	}
}

// memfd is a file with that content.
func (w *world) memfd(content string) int {
	w.t.Helper()
	fd, err := unix.MemfdCreate("rt-test", unix.MFD_CLOEXEC)
	if err == nil {
		_, err = unix.Write(fd, []byte(content))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func processRefusals() []refusal {
	long := strings.Repeat(allow, 0x10000+1)
	return []refusal{
		{"a fork that contradicts itself", func(w *world) { w.Fork(unix.CLONE_NEWNS|unix.CLONE_FS, 0, plan.SlotNone, plan.CallNone) }, failure{plan.KindFork, unix.EINVAL, 0}},
		{"unshare", func(w *world) { w.Unshare(1 << 40) }, failure{plan.KindUnshare, unix.EINVAL, 0}},
		{"setns to another kind", func(w *world) {
			w.Open("/proc/self/ns/uts", unix.O_RDONLY, 0, plan.SlotTmp)
			w.Setns(plan.SlotTmp, unix.CLONE_NEWNET, "")
		}, failure{plan.KindSetns, unix.EINVAL, 0}},
		{"no such interface", func(w *world) { w.Text(plan.KindLoopback, "nosuch") }, failure{plan.KindLoopback, unix.ENODEV, 0}},
		{"soft above hard limit", func(w *world) { w.Rlimit("RLIMIT_NOFILE", unix.RLIMIT_NOFILE, 2, 1) }, failure{plan.KindRlimit, unix.EINVAL, 0}},
		{"a file instead of the null device", func(w *world) {
			w.file("dev/null", "", 0o666)
			w.Text(plan.KindReopenNull, "/dev/null")
		}, failure{plan.KindReopenNull, unix.ENODEV, 0}},
		{"bounding set without CAP_SETPCAP", func(w *world) { w.Capset(0, 0, 0); w.Number(plan.KindBounding, 0) }, failure{plan.KindBounding, unix.EPERM, 0}},
		{"groups without CAP_SETGID", func(w *world) { w.Capset(0, 0, 0); w.Groups([]uint32{1}, 0) }, failure{plan.KindGroups, unix.EPERM, 0}},
		{"another user without CAP_SETUID", func(w *world) { w.Capset(0, 0, 0); w.Number(plan.KindUid, 1) }, failure{plan.KindUid, unix.EPERM, 0}},
		{"a bad prctl", func(w *world) { w.Number(plan.KindPrctl, unix.PR_SET_NO_NEW_PRIVS, 2) }, failure{plan.KindPrctl, unix.EINVAL, 0}},
		{"capabilities that nobody has", func(w *world) { w.Capset(0, 0, 0); w.Capset(1, 1, 0) }, failure{plan.KindCapset, unix.EPERM, 0}},
		{"ambient, but not inheritable", func(w *world) { w.Number(plan.KindAmbient, 1) }, failure{plan.KindAmbient, unix.EPERM, 0}},
		{"cwd missing", func(w *world) { w.Pivot(0); w.Chdir("/d", plan.ChdirTry) }, failure{plan.KindChdir, unix.ENOENT, 0}},
		{"cwd is a file", func(w *world) { w.file("d", "", 0o755); w.Pivot(0); w.Chdir("/d", 0) }, failure{plan.KindChdir, unix.ENOTDIR, 0}},
		{"cwd forbidden", func(w *world) {
			w.mkdir("d", 0o700)
			w.Pivot(0)
			w.Number(plan.KindUid, 1000)
			w.Chdir("/d", 0)
		}, failure{plan.KindChdir, unix.EACCES, 0}},
		{"cwd through a leaked fd", func(w *world) { w.leak(); w.Chdir("/proc/self/fd/5", 0) }, failure{plan.KindChdir, unix.EXDEV, plan.DetailOutside}},
		{"cwd through a leaked fd, tried", func(w *world) { w.leak(); w.Chdir("/proc/self/fd/5", plan.ChdirTry) },
			failure{plan.KindChdir, unix.EXDEV, plan.DetailOutside}},
		{"a filter without a right to it", func(w *world) { w.Capset(0, 0, 0); w.Filter(allow, 0) }, failure{plan.KindFilter, unix.EACCES, 0}},
		{"half an instruction", func(w *world) { w.Filter(allow[:4], 0) }, failure{plan.KindFilter, unix.EINVAL, 0}},
		{"a filter that would be cut", func(w *world) { w.Filter(long, 0) }, failure{plan.KindFilter, unix.E2BIG, 0}},
		{"a file with a filter that would be cut", func(w *world) {
			w.handOver(plan.SlotFilter, w.memfd(long))
			w.Filter("", 0)
		}, failure{plan.KindFilter, unix.E2BIG, 0}},
		{"no fd to duplicate", func(w *world) { w.Dup(plan.SlotTmp, 0) }, failure{plan.KindDup, unix.EBADF, 0}},
		{"no filter at all", func(w *world) { w.Filter("", 0) }, failure{plan.KindFilter, unix.EBADF, 0}},
		{"an empty file", func(w *world) { w.handOver(plan.SlotFilter, w.memfd("")); w.Filter("", 0) }, failure{plan.KindFilter, unix.ENODATA, 0}},
	}
}

// leak enters the image with a procfs, and with a directory of the host as fd 5.
func (w *world) leak() {
	fd, err := unix.Open(w.outside, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { unix.Close(fd) })
	w.handOver(plan.SlotPidfd, fd)
	w.procfs()
	w.Pivot(0)
}

func outputs() []output {
	return []output{
		{"names", func(w *world) {
			w.Unshare(unix.CLONE_NEWUTS)
			w.Text(plan.KindHostname, "web")
			w.Text(plan.KindDomainname, "example.org")
		}, "cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname", "web\nexample.org\n"},
		{"an fd that execve keeps", func(w *world) {
			w.handOver(plan.SlotTmp, w.memfd("a state"))
			w.Open("/dev/zero", unix.O_RDONLY, 0, plan.SlotTree)
			w.Dup(plan.SlotTmp, 0)
		}, "readlink /proc/self/fd/0; ls /proc/self/fd | tr '\\n' ' '", "/memfd:rt-test (deleted)\n0 1 2 3 "},
		{"no fd of ours survives", func(w *world) {
			w.handOver(plan.SlotPidfd, w.memfd("x"))
			w.Open("/", unix.O_PATH, 0, plan.SlotTmp)
		}, "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 "}, // 3 is ls's own
		{"environment and arguments", func(w *world) { w.env = []string{"A=1,2", "B="} }, `echo "$A[$B]"; cat /proc/$$/cmdline`,
			"1,2[]\n/bin/sh\x00-c\x00" + `echo "$A[$B]"; cat /proc/$$/cmdline` + "\x00"},
	}
}
