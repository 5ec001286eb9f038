package integration

import (
	"fmt"
	"net"
	"runtime"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func hexCaps(bits uint64) string { return fmt.Sprintf("%016x\n", bits) }

// actionRows: mkdir(2) meets each action.
func actionRows() map[string]row {
	const mkdir = "mkdir /tmp/x 2>&1"
	on := func(a specs.LinuxSeccompAction) func(*specs.Spec) {
		return edits(writable, seccomp(specs.ActAllow, a, "mkdir mkdirat"))
	}
	dies := func(a specs.LinuxSeccompAction) row {
		return row{edit: edits(on(a), args("mkdir", "/tmp/x"), noCore), code: 128 + int(unix.SIGSYS)}
	}
	return map[string]row{
		"SCMP_ACT_ALLOW":        {edit: edits(writable, seccomp(specs.ActErrno, specs.ActAllow, allowed+" mkdir mkdirat")), sh: mkdir, want: is(""), made: "/tmp/x"},
		"SCMP_ACT_LOG":          {edit: on(specs.ActLog), sh: mkdir, want: is(""), made: "/tmp/x"},
		"SCMP_ACT_ERRNO":        {edit: on(specs.ActErrno), sh: mkdir, code: 1, want: has("Operation not permitted")},
		"SCMP_ACT_TRACE":        {edit: on(specs.ActTrace), sh: mkdir, code: 1, want: has("Function not implemented")},
		"SCMP_ACT_TRAP":         dies(specs.ActTrap),
		"SCMP_ACT_KILL":         dies(specs.ActKill),
		"SCMP_ACT_KILL_THREAD":  dies(specs.ActKillThread),
		"SCMP_ACT_KILL_PROCESS": dies(specs.ActKillProcess),
		"SCMP_ACT_NOTIFY":       {edit: on(specs.ActNotify), sh: mkdir, code: 1, want: has("Function not implemented"), prep: closesNotify},
	}
}

// noCore: these signals dump core, in the root file system if the host's core_pattern is a name.
func noCore(s *specs.Spec) {
	s.Process.Rlimits = append(s.Process.Rlimits, specs.POSIXRlimit{Type: "RLIMIT_CORE"})
}

// closesNotify is a seccomp agent that hangs up: calls then fail with ENOSYS, seccomp_unotify(2).
func closesNotify(c *container) {
	path := c.bundle + "/agent.sock"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.config(script("mkdir /tmp/x 2>&1"), writable, seccomp(specs.ActAllow, specs.ActNotify, "mkdir mkdirat"), func(s *specs.Spec) { s.Linux.Seccomp.ListenerPath = path })
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.AcceptUnix()
		if err != nil {
			return
		}
		defer conn.Close()
		data, oob := make([]byte, 4096), make([]byte, 256)
		_, n, _, _, _ := conn.ReadMsgUnix(data, oob)
		messages, _ := unix.ParseSocketControlMessage(oob[:n])
		for i := range messages {
			fds, _ := unix.ParseUnixRights(&messages[i])
			for _, fd := range fds {
				unix.Close(fd)
			}
		}
	}()
	c.t.Cleanup(func() { l.Close(); <-done })
}

// operatorRows compare the signal of kill(2): of CONT 18, URG 23 and WINCH 28, those are
// printed for which the rule says no.
func operatorRows() map[string]row {
	rows := map[string]row{}
	for op, want := range map[specs.LinuxSeccompOperator]string{
		specs.OpEqualTo: "23\n", specs.OpNotEqual: "18\n28\n", specs.OpGreaterThan: "28\n", specs.OpGreaterEqual: "23\n28\n",
		specs.OpLessThan: "18\n", specs.OpLessEqual: "18\n23\n", specs.OpMaskedEqual: "28\n",
	} {
		arg := specs.LinuxSeccompArg{Index: 1, Value: 23, Op: op}
		if op == specs.OpMaskedEqual {
			arg.Value, arg.ValueTwo = 8, 8 // the mask, and what is left
		}
		rows[string(op)] = row{want: is(want), sh: "for s in 18 23 28; do kill -$s $$ 2>/dev/null || echo $s; done",
			edit: edits(seccomp(specs.ActAllow, specs.ActErrno, "kill"), func(s *specs.Spec) { s.Linux.Seccomp.Syscalls[0].Args = []specs.LinuxSeccompArg{arg} })}
	}
	return rows
}

// archRows: a profile for this and another architecture compiles, and holds on this one.
func archRows(list []string) map[string]row {
	native := specs.ArchX86_64
	if runtime.GOARCH == "arm64" {
		native = specs.ArchAARCH64
	}
	rows := map[string]row{}
	for _, a := range list {
		p := peers{}
		if strings.Contains(" MIPS MIPS64 MIPS64N32 PPC PPC64 S390 S390X ", " "+strings.TrimPrefix(a, "SCMP_ARCH_")+" ") {
			p.runc = differs("fails: libseccomp does not mix byte orders")
		}
		rows[a] = row{peers: p, sh: "mkdir /tmp/x 2>&1", code: 1, want: has("Operation not permitted"),
			edit: edits(writable, seccomp(specs.ActAllow, specs.ActErrno, "mkdir mkdirat"), func(s *specs.Spec) { s.Linux.Seccomp.Architectures = []specs.Arch{native, specs.Arch(a)} })}
	}
	return rows
}

// flagRows: with each flag of seccomp(2) the profile holds.
func flagRows(list []string) map[string]row {
	rows := map[string]row{}
	for _, f := range list {
		rows[f] = row{sh: "mkdir /tmp/x 2>&1", code: 1, want: has("Operation not permitted"),
			edit: edits(writable, seccomp(specs.ActAllow, specs.ActErrno, "mkdir mkdirat"), func(s *specs.Spec) { s.Linux.Seccomp.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlag(f)} })}
	}
	return rows
}
