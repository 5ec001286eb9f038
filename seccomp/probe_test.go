package seccomp

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// probe is testdata/probe/probe.c, compiled by TestMain.
var probe string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rt-seccomp-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	probe = filepath.Join(dir, "probe")
	out, err := exec.Command("gcc", "-O1", "-Wall", "-Werror", "-o", probe, "testdata/probe/probe.c").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	return m.Run()
}

// unset is a result that the probe did not live to write.
const unset = 0x5555555555555555

// run makes calls under f in a process of its own.
func run(t *testing.T, f Filter, calls ...string) ([]int64, syscall.WaitStatus) {
	t.Helper()
	filter, result := memfd(t, f.Program), memfd(t, make([]byte, 4096))
	fill := make([]byte, 0, 8*len(calls))
	for range calls {
		fill = binary.NativeEndian.AppendUint64(fill, unset)
	}
	if _, err := result.WriteAt(fill, 0); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(probe, append([]string{fmt.Sprint(f.Flags)}, calls...)...)
	cmd.ExtraFiles = []*os.File{filter, result}
	_ = cmd.Run() // judged by its status
	if cmd.ProcessState == nil {
		t.Fatal("the probe did not start")
	}
	if _, err := result.ReadAt(fill, 0); err != nil {
		t.Fatal(err)
	}
	out := make([]int64, len(calls))
	for i := range out {
		out[i] = int64(binary.NativeEndian.Uint64(fill[8*i:]))
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Exited() && status.ExitStatus() >= 100 {
		t.Fatalf("the probe stopped at %d, see its source", status.ExitStatus())
	}
	return out, status
}

func memfd(t *testing.T, content []byte) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "test")
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	return f
}

func native(nr int, args ...uint64) string { return call("native", nr, args) }

func i386(nr int, args ...uint64) string { return call("i386", nr, args) }

func call(abi string, nr int, args []uint64) string {
	return abi + ":" + strings.ReplaceAll(strings.Trim(fmt.Sprint(append([]uint64{uint64(nr)}, args...)), "[]"), " ", ":")
}

func dockerSize(t testing.TB) *specs.LinuxSeccomp {
	t.Helper()
	text, err := os.ReadFile("testdata/docker-size.json")
	if err != nil {
		t.Fatal(err)
	}
	p := new(specs.LinuxSeccomp)
	if err := json.Unmarshal(text, p); err != nil {
		t.Fatal(err)
	}
	return p
}

func mustCompile(t testing.TB, p *specs.LinuxSeccomp) Filter {
	t.Helper()
	f, warnings, err := Compile(p)
	if err != nil || warnings != nil {
		t.Fatal(err, warnings)
	}
	return f
}

// profile is a default action and entries; exit_group is always allowed.
func profile(def specs.LinuxSeccompAction, entries ...specs.LinuxSyscall) *specs.LinuxSeccomp {
	p := &specs.LinuxSeccomp{DefaultAction: def, Syscalls: entries}
	p.Syscalls = append(p.Syscalls, entry(specs.ActAllow, "exit_group"))
	return p
}

func entry(act specs.LinuxSeccompAction, names ...string) specs.LinuxSyscall {
	return specs.LinuxSyscall{Names: names, Action: act}
}

func fails(errno uint, names ...string) specs.LinuxSyscall {
	return specs.LinuxSyscall{Names: names, Action: specs.ActErrno, ErrnoRet: &errno}
}

func when(s specs.LinuxSyscall, args ...specs.LinuxSeccompArg) specs.LinuxSyscall {
	s.Args = args
	return s
}

func arg(index uint, op specs.LinuxSeccompOperator, value, two uint64) specs.LinuxSeccompArg {
	return specs.LinuxSeccompArg{Index: index, Op: op, Value: value, ValueTwo: two}
}
