package integration

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestVersionAsManagers: docker takes what stands around "version" in every line that has it,
// and the line commit; go-runc wants a first line `NAME version X`, and the lines commit and spec.
func TestVersionAsManagers(t *testing.T) {
	needBinary(t, peers{})
	for _, flag := range []string{"--version", "-v"} {
		r := command{args: []string{it.bin, flag}, dir: it.base, env: []string{}}.run(t).must(t)
		lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
		name, version, _ := strings.Cut(lines[0], " version ")
		if name != it.kind || version == "" || strings.ContainsAny(version, " \t") {
			t.Errorf("first line %q", lines[0])
		}
		if strings.Count(r.stdout, "version") != 1 || r.stderr != "" {
			t.Errorf("%v", r)
		}
		for _, want := range []string{`^commit: \S+$`, `^spec: \d+\.\d+\.\d+\S*$`} {
			if n := len(regexp.MustCompile("(?m)"+want).FindAllString(r.stdout, -1)); n != 1 {
				t.Errorf("%s: %d times in\n%s", want, n, r.stdout)
			}
		}
	}
}

// TestReplayTerminals: conmon says --tty and containerd's shim does not: the file does.
func TestReplayTerminals(t *testing.T) {
	const conmon, shim = "--root=ROOT " + conmonLog, "--root ROOT --log LOG --log-format json "
	const process = `{"terminal":true,"consoleSize":{"height":20,"width":70},"args":["sh","-c","test -t 0 && stty size; echo done; sleep 300"],"cwd":"/","env":["PATH=/bin"],"user":{"uid":0,"gid":0}}`
	play := func(g, tty string) func(*testing.T) {
		return func(t *testing.T) {
			r := newReplay(t, plain{}, terminal)
			r.state = []string{"--root", r.bundle + "/state"}
			r.write("process.json", process)
			socket, master := r.console()
			say := func(r *replay) { // a terminal arrived before the call's end
				madeProcess("exec")(r)
				r.t = t // which keeps the terminal open
				if got := readTTY(master()); got != "20 70\r\ndone\r\n" {
					t.Errorf("%q", got)
				}
			}
			sized := func(r *replay) {
				madeInit("pidfile")(r)
				r.t = t
				if size, err := unix.IoctlGetWinsize(int(master().Fd()), unix.TIOCGWINSZ); err != nil || size.Row != 33 || size.Col != 99 {
					t.Errorf("%+v, %v", size, err)
				}
			}
			r.play(t, []recorded{
				{line: g + "create --bundle BUNDLE --pid-file BUNDLE/pidfile --console-socket " + socket + " ID", env: conmonEnv(""), then: sized},
				{line: g + "start ID", env: daemonEnv(), then: nowIs("running")},
				{line: g + "exec --process BUNDLE/process.json --console-socket " + socket + " --detach" + tty + " --pid-file BUNDLE/exec ID", env: conmonEnv(""), then: say},
				{line: g + "delete --force ID", env: daemonEnv(), then: ended},
			})
			os.Remove(socket)
		}
	}
	runScenes(t, []scene{{name: "conmon", play: play(conmon, " --tty")}, {name: "containerd", play: play(shim, "")}})
}

// TestReplayRepeated: a manager may repeat a global flag, and the last one counts.
func TestReplayRepeated(t *testing.T) {
	runScenes(t, []scene{{name: "global flags", play: func(t *testing.T) {
		r := newReplay(t, plain{})
		r.state = []string{"--root", r.bundle + "/state"}
		const g = "--debug --debug --log /dev/null --log-format=text --root /nosuch --rootless=false --rootless auto --criu /nosuch --criu=/usr/sbin/criu --root ROOT --log-format json --log LOG "
		r.play(t, []recorded{
			{line: g + "create --bundle /nosuch --bundle=BUNDLE --pid-file /nosuch/pid --pid-file=BUNDLE/pid ID", env: daemonEnv(), then: madeInit("pid")},
			{line: g + "start ID", env: daemonEnv(), then: runs},
			{line: g + "kill --all --all ID SIGKILL", env: daemonEnv(), then: nowIs("stopped")},
			{line: g + "kill --all=true ID 9", env: daemonEnv()},
			{line: g + "delete --force --force ID", env: daemonEnv(), then: ended},
			{line: g + "delete -force=true ID", env: daemonEnv()},
			{line: g + "delete ID", env: daemonEnv(), code: 1, text: gone},
		})
	}}})
}

// TestPolledState: what CRI-O and buildah poll does not wait for anything.
func TestPolledState(t *testing.T) {
	runScenes(t, []scene{{name: "while a create hangs", peers: peers{runc: differs("has no such container yet")}, play: func(t *testing.T) {
		c := newContainer(t)
		c.config(args("sleep", "300"), c.shared(), createRuntime.set(createRuntime.sh(c, "touch @/in; exec sleep 1000")))
		r := c.command("create", "--bundle", c.bundle, c.id).start(t)
		r.until(t, "the hook", func() bool { return c.exists("shared/in") })
		began := time.Now()
		for range 20 {
			c.wantStatus("creating")
			want(t, c.rt("list", "-q"), 0, is(c.id+"\n"), is(""))
		}
		if d := time.Since(began); d > patient(3*time.Second) {
			t.Errorf("took %v", d)
		}
		r.cmd.Process.Signal(unix.SIGTERM)
		want(t, r.wait(t), 1, is(""), has("TERM"))
	}}})
}
