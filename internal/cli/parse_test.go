package cli

import (
	"strings"
	"testing"
	"time"

	"rt/internal/plan"
	"rt/libcontainer"
)

type (
	createOptions = libcontainer.CreateOptions
	runOptions    = libcontainer.RunOptions
	execOptions   = libcontainer.ExecOptions
)

func one(method string, args ...any) call { return call{method, args} }

// callRow is a command line, and the one call that it makes.
type callRow struct {
	line string
	want call
}

func checkCalls(t *testing.T, rows []callRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.line, func(t *testing.T) {
			r := &recorder{lines: []plan.Line{{}}}
			line := strings.ReplaceAll(row.line, "LOG", t.TempDir()+"/log")
			res := r.rt(strings.Fields(line)...)
			if res.code != 0 {
				t.Fatalf("exit %d: %s", res.code, res.stderr)
			}
			equal(t, "call", r.only(t), row.want)
		})
	}
}

// TestCalls has the command lines of the managers, and what libcontainer gets for each.
func TestCalls(t *testing.T) {
	const shim = "--root R --log LOG --log-format json "
	rows := []callRow{
		// conmon: podman, CRI-O
		{"create --bundle B --pid-file P ID", one("Create", createOptions{ID: "ID", Bundle: "B", PidFile: "P"})},
		{"--log-format=json --log LOG create --bundle B --pid-file P --no-pivot --no-new-keyring --preserve-fds 3 --pidfd-socket P2 --console-socket S ID",
			one("Create", createOptions{ID: "ID", Bundle: "B", PidFile: "P", NoPivot: true, NoNewKeyring: true, PreserveFDs: 3, PidfdSocket: "P2", ConsoleSocket: "S"})},
		{"exec --pid-file P --process F --detach --tty --preserve-fds 2 --pidfd-socket P2 --console-socket S ID",
			one("Exec", "ID", execOptions{PidFile: "P", Process: "F", Detach: true, Tty: true, PreserveFDs: 2, PidfdSocket: "P2", ConsoleSocket: "S", Args: []string{}})},
		// podman
		{"start ID", one("Start", "ID")},
		{"kill ID 15", one("Kill", "ID", 15, false)},
		{"kill --all ID 9", one("Kill", "ID", 9, true)},
		{"delete --force ID", one("Delete", "ID", true)},
		{"pause ID", one("Pause", "ID")},
		{"resume ID", one("Resume", "ID")},
		// buildah
		{"create --bundle B --pid-file P --console-socket S ID", one("Create", createOptions{ID: "ID", Bundle: "B", PidFile: "P", ConsoleSocket: "S"})},
		{"state ID", one("State", "ID")},
		{"delete ID", one("Delete", "ID", false)},
		{"kill ID", one("Kill", "ID", 15, false)},
		{"kill ID SIGKILL", one("Kill", "ID", 9, false)},
		// containerd, docker, nerdctl
		{shim + "create --bundle B --pid-file B/init.pid --console-socket S --no-pivot ID",
			one("Create", createOptions{ID: "ID", Bundle: "B", PidFile: "B/init.pid", ConsoleSocket: "S", NoPivot: true})},
		{shim + "start ID", one("Start", "ID")},
		{shim + "exec --process F --console-socket S --detach --pid-file P ID",
			one("Exec", "ID", execOptions{Process: "F", ConsoleSocket: "S", Detach: true, PidFile: "P", Args: []string{}})},
		{shim + "kill --all ID 9", one("Kill", "ID", 9, true)},
		{shim + "ps --format json ID", one("Processes", "ID")},
		{shim + "events --stats ID", one("Events", "ID", libcontainer.EventsOptions{Interval: 5 * time.Second, Once: true, Output: 1})},
		{shim + "events --interval=2s ID", one("Events", "ID", libcontainer.EventsOptions{Interval: 2 * time.Second, Output: 1})},
		{shim + "delete --force ID", one("Delete", "ID", true)},
		// go-runc
		{"list --format=json", one("List")},
		{"--debug --rootless=false run -no-subreaper --bundle B ID", one("Run", runOptions{CreateOptions: createOptions{ID: "ID", Bundle: "B"}, NoSubreaper: true})},
		// CRI-O
		{"--root=R create --bundle B --pid-file P ID", one("Create", createOptions{ID: "ID", Bundle: "B", PidFile: "P"})},
		{"--root R exec --process F ID", one("Exec", "ID", execOptions{Process: "F", Args: []string{}})},
		{"kill -a ID 9", one("Kill", "ID", 9, true)},
		{"kill ID KILL", one("Kill", "ID", 9, false)},
	}
	checkCalls(t, rows)
}

// TestCallsByHand has what people write.
func TestCallsByHand(t *testing.T) {
	rows := []callRow{
		{"run ID", one("Run", runOptions{CreateOptions: createOptions{ID: "ID", Bundle: "."}})},
		{"run -d -b=B --keep ID", one("Run", runOptions{CreateOptions: createOptions{ID: "ID", Bundle: "B"}, Detach: true, Keep: true})},
		{"create --preserve-fds=1 ID", one("Create", createOptions{ID: "ID", Bundle: ".", PreserveFDs: 1})},
		{"create -preserve-fds 1 ID", one("Create", createOptions{ID: "ID", Bundle: ".", PreserveFDs: 1})},
		{"exec ID ls -l --root /", one("Exec", "ID", execOptions{Args: []string{"ls", "-l", "--root", "/"}})},
		{"exec ID -- ls -l", one("Exec", "ID", execOptions{Args: []string{"ls", "-l"}})},
		{"exec -- ID ls -- -l", one("Exec", "ID", execOptions{Args: []string{"ls", "--", "-l"}})},
		{"exec -e A=1,2 --env B=3 -e=C= ID x", one("Exec", "ID", execOptions{Env: []string{"A=1,2", "B=3", "C="}, Args: []string{"x"}})},
		{"exec -g 4 --additional-gids 4294967295 -c CAP_KILL --cap CAP_CHOWN ID x",
			one("Exec", "ID", execOptions{AdditionalGid: []uint32{4, 4294967295}, Caps: []string{"CAP_KILL", "CAP_CHOWN"}, Args: []string{"x"}})},
		{"exec -t -u 1:2 -d --cwd /w --apparmor P --process-label L --no-new-privs --cgroup cpu:a --cgroup /b --ignore-paused ID x",
			one("Exec", "ID", execOptions{Tty: true, User: "1:2", Detach: true, Cwd: "/w", AppArmor: "P", ProcessLabel: "L", NoNewPrivs: true,
				Cgroup: []string{"cpu:a", "/b"}, IgnorePaused: true, Args: []string{"x"}})},
		{"state help", one("State", "help")}, // a container, not the help command
		{"exec --tty tty h", one("Exec", "tty", execOptions{Tty: true, Args: []string{"h"}})},
		{"plan --json B", one("Plan", "B", "CONTAINER")},
		{"plan", one("Plan", ".", "CONTAINER")},
		{"delete -f --force ID", one("Delete", "ID", true)},
		{"delete --force=false ID", one("Delete", "ID", false)},
		{"delete --force --force=0 ID", one("Delete", "ID", false)},
		{"delete --help=false ID", one("Delete", "ID", false)},
		{"state -- -x", one("State", "-x")},
		{"state -", one("State", "-")},
		{"state -- --", one("State", "--")},
		{"exec -u -t ID x", one("Exec", "ID", execOptions{User: "-t", Args: []string{"x"}})}, // a value may look like a flag
		{"exec --cwd=/a=b ID x", one("Exec", "ID", execOptions{Cwd: "/a=b", Args: []string{"x"}})},
		{"exec --cwd /a --cwd= ID x", one("Exec", "ID", execOptions{Args: []string{"x"}})},
	}
	checkCalls(t, rows)
}

// TestValues are kept to the byte.
func TestValues(t *testing.T) {
	for _, value := range []string{"A= 1 ", "A=\xff\xfe", "A=a\nb", "", "A=\"q\""} {
		r := &recorder{}
		r.rt("exec", "-e", value, "ID", "x")
		equal(t, "env", r.only(t).args[1].(execOptions).Env, []string{value})
	}
}

// TestGlobals has the flags before the command.
func TestGlobals(t *testing.T) {
	rows := []struct {
		line    string
		dir     string
		systemd bool
	}{
		{"state ID", "/run/rt", false},
		{"--root /a state ID", "/a", false},
		{"--root=/a --root /b state ID", "/b", false},
		{"-root /a -- state ID", "/a", false},
		{"--root /a/../b/ state ID", "/b", false},
		{"--systemd-cgroup --debug --debug state ID", "/run/rt", true},
		{"--criu /usr/sbin/criu --criu=x state ID", "/run/rt", false},
	}
	for _, row := range rows {
		t.Run(row.line, func(t *testing.T) {
			r := &recorder{}
			r.rt(strings.Fields(row.line)...)
			equal(t, "call", r.only(t), one("State", "ID"))
			equal(t, "dir", r.root.Dir, row.dir)
			equal(t, "systemd", r.root.Systemd, row.systemd)
		})
	}
}

// TestRootless has who goes on without a cgroup, and whose state has to outlive cleaning.
func TestRootless(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "/xdg/")
	rows := []struct {
		line   string
		want   libcontainer.Rootless
		sticky bool
	}{
		{"list", libcontainer.RootlessAuto, false},
		{"--rootless auto list", libcontainer.RootlessAuto, false},
		{"--rootless=true list", libcontainer.RootlessYes, false},
		{"--rootless 1 list", libcontainer.RootlessYes, false},
		{"--rootless=false list", libcontainer.RootlessNo, false},
		{"--root /xdg/docker/rt list", libcontainer.RootlessAuto, true},
		{"--root /xdg/../run list", libcontainer.RootlessAuto, false},
		{"--root /xdgs list", libcontainer.RootlessAuto, false},
	}
	for _, row := range rows {
		r := &recorder{}
		r.rt(strings.Fields(row.line)...)
		equal(t, row.line, []any{r.root.Rootless, r.root.Sticky}, []any{row.want, row.sticky})
	}
	g := globals{}
	for uid, sticky := range map[int]bool{0: false, 1000: true} {
		_, have, err := g.stateDir(func() (caller, error) { return caller{euid: uid, hostUID: uid, runtimeDir: "/"}, nil })
		equal(t, "sticky, error", []any{have, err}, []any{sticky, nil})
	}
}

// TestRelativeRoot is resolved against the working directory; a flag's value that is also
// a command's name is still a value.
func TestRelativeRoot(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	r := &recorder{}
	r.rt("--root", "list", "--log-format=json", "state", "ID")
	equal(t, "call", r.only(t), one("State", "ID"))
	equal(t, "dir", r.root.Dir, dir+"/list")
}
