package nsenter

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// qemu is the user-mode emulator, which gives execve(2) to the host's kernel: the
// workload may be of either architecture.
func qemu(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		t.Skip("no qemu-aarch64")
	}
	return path
}

// TestArm64 runs the other architecture's init with a plan that needs no rights.
func TestArm64(t *testing.T) {
	emulator := qemu(t)
	if _, err := os.Stat("bin/init-arm64"); err != nil {
		t.Skip("bin/init-arm64 is not built")
	}
	for _, r := range []struct {
		name  string
		build func(b *plan.Builder, dir string)
		want  string // the messages, what the workload writes, and the exit status
	}{
		{"a workload", func(b *plan.Builder, dir string) {
			b.Number(plan.KindUmask, 0o027)
			b.Chdir(dir, 0)
			b.Rlimit("RLIMIT_CORE", unix.RLIMIT_CORE, 0, 0)
			b.Number(plan.KindPrctl, unix.PR_SET_NO_NEW_PRIVS, 1)
			b.Write(plan.SlotNone, dir+"/file", "written", 0)
			b.Call(plan.CallEnter, plan.CallText, plan.SlotNone, plan.SlotNone)
			b.Find("/nosuch:/bin", "sh")
			b.Exec("sh")
		}, "call 4; 0027 written b /home; exit status 7"},
		{"find fails", func(b *plan.Builder, dir string) {
			b.Find("/nosuch", "sh")
			b.Exec("sh")
		}, "fail 2, detail 1; ; exit status 1"},
		{"a directory", func(b *plan.Builder, dir string) { b.Find("", dir); b.Exec("") }, "fail 21, detail 0; ; exit status 1"},
		{"execve fails", func(b *plan.Builder, dir string) { b.Exec("") }, "fail 2, detail 0; ; exit status 1"},
	} {
		t.Run(r.name, func(t *testing.T) {
			b := &plan.Builder{}
			dir := t.TempDir()
			os.WriteFile(dir+"/file", nil, 0o600)
			r.build(b, dir)
			b.Plan.Args, b.Plan.Env = []string{"sh", "-c", "echo $(umask) $(cat file) $A $HOME; exit 7"}, []string{"PATH=/bin:/usr/bin", "A=b"}
			equal(t, "conversation", converse(t, exec.Command(emulator, "bin/init-arm64", "3", "0"), &b.Plan), r.want)
		})
	}
}

// converse runs an init as a command, with its socket as fd 3.
func converse(t *testing.T, cmd *exec.Cmd, p *plan.Plan) string {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	var out bytes.Buffer
	cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = []*os.File{theirs}, &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	theirs.Close()
	c := &Child{sock: pair[0]}
	defer c.Close()
	if err := c.Do(p, nil, 0); err != nil {
		t.Fatal(err)
	}
	ready(t, "the init", pair[0])
	m, _, err := c.Recv()
	said := fmt.Sprint(err)
	switch {
	case err == nil && m.Verb == plan.CallVerb:
		said = fmt.Sprintf("call %d", m.A)
		c.Done("HOME=/home")
	case err == nil && m.Verb == plan.Fail:
		said = fmt.Sprintf("fail %d, detail %d", m.A, m.B)
	}
	cmd.Wait()
	return fmt.Sprintf("%s; %s; %v", said, bytes.TrimSpace(out.Bytes()), cmd.ProcessState)
}

// TestArm64Plan runs the tests of package plan on the other architecture.
func TestArm64Plan(t *testing.T) {
	cmd := exec.Command("go", "test", "-count=1", "-exec", qemu(t), "./internal/plan")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
