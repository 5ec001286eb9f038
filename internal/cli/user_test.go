package cli

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRootOfAUser: every command finds the same directory, however little of the environment a
// manager passes on.
func TestRootOfAUser(t *testing.T) {
	const stage, user = "CLI_STAGE", 47113
	if line := os.Getenv(stage); line != "" {
		os.Exit(Main(append([]string{"rt", "--debug"}, strings.Fields(line)...)))
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become another user")
	}
	xdg, err := os.MkdirTemp("", "rt-cli-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(xdg) })
	t.Cleanup(func() { os.Remove("/tmp/rt-47113") })
	if err := os.Chmod(xdg, 0o755); err != nil {
		t.Fatal(err)
	}
	home := []string{"HOME=/nosuch", "USER=nobody", "LOGNAME=nobody"}
	rows := []struct{ name, xdg, want string }{
		{"XDG_RUNTIME_DIR", xdg, xdg + "/rt"},
		{"none", "", "/tmp/rt-47113"},
	}
	lines := []string{
		"create -b /nosuch x", "run -b /nosuch x", "start x", "exec x true", "kill x", "delete x", "delete -f x",
		"state x", "list", "ps x", "pause x", "resume x", "events x",
	}
	root := regexp.MustCompile(`(?m)^rt: debug: root (.*)$`)
	for _, row := range rows {
		for _, line := range lines {
			for _, env := range [][]string{home, nil} {
				cmd := exec.Command("/proc/self/exe", "-test.run=^TestRootOfAUser$")
				cmd.Env = append([]string{stage + "=" + line, "XDG_RUNTIME_DIR=" + row.xdg}, env...)
				cmd.Dir = "/"
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
				out, _ := cmd.CombinedOutput()
				if m := root.FindSubmatch(out); m == nil || string(m[1]) != row.want {
					t.Errorf("%s: %s %v: want %s\n%s", row.name, line, env, row.want, out)
				}
			}
		}
	}
	var st unix.Stat_t
	if err := unix.Stat("/tmp/rt-47113", &st); err != nil || st.Mode&0o7777 != 0o1700 || st.Uid != user {
		t.Errorf("/tmp/rt-47113: %o of %d, %v", st.Mode, st.Uid, err)
	}
}
