package integration

import (
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func seccomp(def specs.LinuxSeccompAction, act specs.LinuxSeccompAction, names string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.Seccomp = &specs.LinuxSeccomp{
			DefaultAction: def,
			Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchAARCH64},
			Syscalls:      []specs.LinuxSyscall{{Names: strings.Fields(names), Action: act}},
		}
	}
}

func noNewPrivs(on bool) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Process.NoNewPrivileges = on }
}

// allowed is what a small static program and a runtime's last steps need; no mkdir.
const allowed = "access arch_prctl brk capget capset chdir close clone clone3 close_range dup dup2 dup3 epoll_create1 epoll_ctl epoll_pwait " +
	"execve exit exit_group faccessat faccessat2 fchown fcntl fstat fstatfs futex getcwd getdents64 getegid geteuid getgid getpgrp getpid getppid " +
	"getrandom getrlimit gettid gettimeofday getuid ioctl keyctl lseek lstat madvise mmap mprotect munmap nanosleep newfstatat open openat openat2 " +
	"pipe pipe2 poll prctl pread64 prlimit64 read readlink readlinkat rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield " +
	"seccomp sendto set_robust_list set_tid_address setgid setgroups setresgid setresuid setsid setuid sigaltstack stat statfs statx tgkill time " +
	"umask uname vfork wait4 waitid write writev"

func TestSeccomp(t *testing.T) {
	const allow, errno = specs.ActAllow, specs.ActErrno
	noMkdir := seccomp(allow, errno, "mkdir mkdirat")
	ret := func(s *specs.Spec) { n := uint(95); s.Linux.Seccomp.Syscalls[0].ErrnoRet = &n } // EOPNOTSUPP
	kill := seccomp(allow, specs.ActKillProcess, "mkdir mkdirat")
	mkdir := "mkdir /tmp/x 2>&1"
	runRows(t, []row{
		{name: "errno", edit: edits(writable, noMkdir), sh: mkdir, code: 1, want: has("Operation not permitted")},
		{name: "errno without no_new_privs", edit: edits(writable, noMkdir, noNewPrivs(false)), sh: mkdir, code: 1, want: has("Operation not permitted")},
		{name: "errno of the rule", edit: edits(writable, noMkdir, ret), sh: mkdir, code: 1, want: has("Operation not supported")},
		{name: "kill", edit: edits(kill, args("mkdir", "/tmp/x")), code: 159},
		{name: "kill without no_new_privs", edit: edits(kill, noNewPrivs(false), args("mkdir", "/tmp/x")), code: 159},
		{name: "allow list", edit: edits(writable, seccomp(errno, allow, allowed)), sh: mkdir, code: 1, want: has("Operation not permitted")},
		{name: "allow list without no_new_privs", edit: edits(writable, seccomp(errno, allow, allowed), noNewPrivs(false)), sh: mkdir, code: 1, want: has("Operation not permitted")},
		{name: "log", edit: edits(writable, seccomp(allow, specs.ActLog, "mkdir mkdirat")), sh: mkdir, made: "/tmp/x"},
		{name: "filter mode", edit: noMkdir, sh: "grep Seccomp: /proc/self/status", want: is("Seccomp:\t2\n")},
		{name: "joe without no_new_privs", edit: edits(user(1000, 1000), noMkdir, noNewPrivs(false)), sh: "grep Seccomp: /proc/self/status", want: is("Seccomp:\t2\n")},
		{name: "unknown call is passed over", edit: seccomp(allow, errno, "frobnicate"), sh: "true"},
		{name: "unknown action", edit: seccomp(allow, "SCMP_ACT_FROB", "mkdir"), sh: "true", code: 1, fails: has("SCMP_ACT_FROB")},
	})
}

// With no_new_privs the filter is the last step before execve: nothing else need be allowed
// (the workload then dies of the first call that its start-up cannot do without).
func TestSeccompOnlyExecve(t *testing.T) {
	runRows(t, []row{
		{name: "reaches the workload", edit: edits(seccomp(specs.ActKillProcess, specs.ActAllow, "execve"), args("true")), code: 159,
			peers: peers{runc: differs("its init makes more calls after the filter")}},
	})
}

func TestSeccompExec(t *testing.T) {
	check := func(nnp bool) func(*testing.T) {
		return func(t *testing.T) {
			c := newRunning(t, writable, seccomp(specs.ActAllow, specs.ActErrno, "mkdir mkdirat"), noNewPrivs(nnp))
			want(t, c.sh("mkdir /tmp/x 2>&1"), 1, has("Operation not permitted"), match{})
			c.delete("--force").must(t)
		}
	}
	runScenes(t, []scene{{name: "with no_new_privs", play: check(true)}, {name: "without", play: check(false)}})
}
