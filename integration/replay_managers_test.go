package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// conmonEnv is what conmon hands on; podmanEnv is what podman gives to start, update and
// checkpoint, bareEnv what it gives to all else.
func conmonEnv(runtimeDir string) []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/nosuch", "XDG_RUNTIME_DIR=" + runtimeDir, "_OCI_SYNCPIPE=3", "_OCI_STARTPIPE=4",
		"_OCI_ATTACHPIPE=5", "_CONTAINERS_USERNS_CONFIGURED=", "_CONTAINERS_ROOTLESS_UID=", "CONTAINERS_CONF=/nosuch/containers.conf"}
}

func podmanEnv(runtimeDir string) []string {
	return append(bareEnv(runtimeDir), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
}

func bareEnv(runtimeDir string) []string { return []string{"XDG_RUNTIME_DIR=" + runtimeDir} }

// daemonEnv is that of a service without a session.
func daemonEnv() []string { return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"} }

// noCriu: runc's needs criu, and the hosts of these tests have none that works.
func noCriu() peers {
	p := later("checkpoint")
	p.runc = differs("needs criu")
	return p
}

const podmanUpdate = "update --resources=BUNDLE/resources.json ID"

const conmonLog = "--log-format=json --log LOG "

// podmanCalls: update is the call that a caller with or without a cgroup can make.
func podmanCalls(dir string, update recorded) []recorded {
	conmon, podman, bare := conmonEnv(dir), podmanEnv(dir), bareEnv(dir)
	return []recorded{
		{line: "--version", env: bare, out: like(`^\w+ version \S`)},
		{line: "checkpoint --help", env: podman, peers: later("checkpoint")},
		{line: conmonLog + "create --bundle BUNDLE --pid-file BUNDLE/pidfile --no-new-keyring ID", env: conmon, then: madeInit("pidfile")},
		{line: conmonLog + "create --bundle BUNDLE --pid-file BUNDLE/pidfile2 ID", env: conmon, code: 1, text: "container with given ID already exists"},
		{line: conmonLog + "exec --pid-file BUNDLE/early --process BUNDLE/process.json --detach ID", env: conmon, then: madeProcess("early")},
		{line: "start ID", env: podman, then: runs},
		{line: conmonLog + "exec --pid-file BUNDLE/exec --process BUNDLE/process.json --detach ID", env: conmon, then: madeProcess("exec")},
		{line: conmonLog + "exec --pid-file BUNDLE/none --process BUNDLE/nosuch.json --detach ID", env: conmon, code: 255, text: "no such file or directory"},
		update,
		{line: "kill ID 0", env: bare},
		{line: "kill ID 15", env: bare, then: nowIs("stopped")},
		{line: "kill ID 9", env: bare, code: 1, text: "container not running"},
		{line: "state ID", env: bare, out: has(`"pid": 0`)},
		{line: conmonLog + "exec --process BUNDLE/process.json --pid-file BUNDLE/none --detach ID", env: conmon, code: 255, text: "cannot exec in a stopped container"},
		{line: "delete --force ID", env: bare, then: ended},
		{line: "delete --force ID", env: bare},
		{line: "state ID", env: bare, code: 1, text: gone},
		{line: "kill ID 9", env: bare, code: 1, text: gone},
		{line: conmonLog + "create --bundle BUNDLE/bad --pid-file BUNDLE/none --no-new-keyring ID", env: conmon, code: 1, text: "executable file not found in $PATH"},
		{line: "delete --force ID", env: bare, then: ended},
	}
}

// TestReplayPodman: the calls of podman and conmon; they name no state directory.
func TestReplayPodman(t *testing.T) {
	runScenes(t, []scene{{name: "root", peers: inVM(), play: func(t *testing.T) {
		mountFor(t, "tmpfs", "/run", "tmpfs", "mode=755")
		r := podmanReplay(t, plain{}, "")
		r.play(t, podmanCalls("", recorded{line: podmanUpdate, env: podmanEnv(""), then: withNewLimits}))
		r.checkState("/run/" + it.kind)
	}}, {name: "root, pause", peers: inVM(), play: func(t *testing.T) {
		mountFor(t, "tmpfs", "/run", "tmpfs", "mode=755")
		r := podmanReplay(t, plain{}, "")
		conmon, bare := conmonEnv(""), bareEnv("")
		r.play(t, []recorded{
			{line: conmonLog + "create --bundle BUNDLE --pid-file BUNDLE/pidfile ID", env: conmon, then: madeInit("pidfile")},
			{line: "start ID", env: podmanEnv(""), then: runs},
			{line: "pause ID", env: bare, then: nowIs("paused")},
			{line: "pause ID", env: bare, code: 1, text: "container not running"},
			{line: "checkpoint --image-path BUNDLE/i --work-path BUNDLE/w --leave-running --leave-running ID", env: podmanEnv(""), peers: noCriu()},
			{line: "resume ID", env: bare, then: nowIs("running")},
			{line: "resume ID", env: bare, code: 1, text: "container not paused"},
			{line: "pause ID", env: bare, then: nowIs("paused")},
			{line: "delete --force ID", env: bare, then: ended},
		})
	}}, {name: "root, the host's processes", play: func(t *testing.T) {
		mountFor(t, "tmpfs", "/run", "tmpfs", "mode=755")
		r := podmanReplay(t, plain{}, "", without(specs.PIDNamespace))
		r.play(t, []recorded{
			{line: conmonLog + "create --bundle BUNDLE --pid-file BUNDLE/pidfile ID", env: conmonEnv(""), then: madeInit("pidfile")},
			{line: "start ID", env: podmanEnv("")},
			{line: conmonLog + "exec --pid-file BUNDLE/exec --process BUNDLE/process.json --detach ID", env: conmonEnv(""), then: madeProcess("exec")},
			{line: "kill --all ID 9", env: bareEnv(""), then: nowIs("stopped")},
			{line: "kill --all ID 9", env: bareEnv("")},
			{line: "delete --force ID", env: bareEnv(""), then: ended},
		})
	}}})
}

// TestReplayRootless: each of podman's environments leads to the same state directory, with
// and without XDG_RUNTIME_DIR, and HOME and USER are never asked.
func TestReplayRootless(t *testing.T) {
	rootlessWorld(t)
	dir := "/run/user/47110/" + it.kind
	for _, row := range []struct {
		name, xdg string
		peers
	}{
		{"XDG_RUNTIME_DIR", "/run/user/47110", peers{}},
		{"none", "", peers{runc: differs("wants to make /run/runc")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, row.peers)
			runtimeDir(t, annUID)
			watch(t)
			r := podmanReplay(t, nested(newPlain(t, annUID)), row.xdg, func(s *specs.Spec) {
				s.Hooks = &specs.Hooks{StartContainer: []specs.Hook{{Path: "/bin/true"}}}
			})
			r.play(t, podmanCalls(row.xdg, recorded{line: podmanUpdate, env: podmanEnv(row.xdg), code: 1, text: "cgroup"}))
			r.checkState(dir)
		})
	}
}

func podmanReplay(t *testing.T, p plain, dir string, edits ...func(*specs.Spec)) *replay {
	r := newReplay(t, p, edits...)
	r.one, r.quiet = true, bareEnv(dir)
	return r
}

// checkState: it is where all calls have looked, and it is empty.
func (r *replay) checkState(dir string) {
	r.t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		r.t.Error(err)
	}
	for _, e := range entries {
		if e.Name()[0] != '@' {
			r.t.Errorf("left: %s", filepath.Join(dir, e.Name()))
		}
	}
}

func TestReplayBuildah(t *testing.T) {
	env := append(daemonEnv(), "HOME=/root")
	runScenes(t, []scene{{name: "run", play: func(t *testing.T) {
		r := newReplay(t, plain{})
		mountFor(t, "tmpfs", "/run", "tmpfs", "mode=755")
		r.play(t, []recorded{
			{line: "create --bundle BUNDLE --pid-file BUNDLE/pid --no-new-keyring ID", env: env, then: madeInit("pid")},
			{line: "start ID", env: env, then: runs},
			{line: "state ID", env: env, out: like(`"status": "running"`)},
			{line: "kill ID", env: env, then: nowIs("stopped")},
			{line: "state ID", env: env, out: like(`"status": "stopped"`)},
			{line: "delete ID", env: env, then: ended},
			{line: "create --bundle BUNDLE --pid-file BUNDLE/pid --no-new-keyring ID", env: env, then: madeInit("pid")},
			{line: "start ID", env: env, then: runs},
			{line: "kill ID SIGKILL", env: env, then: nowIs("stopped")},
			{line: "delete ID", env: env, then: ended},
			{line: "create --bundle BUNDLE/bad --pid-file BUNDLE/pid --no-new-keyring ID", env: env, code: 1, text: "executable file not found in $PATH", then: ended},
		})
		r.checkState("/run/" + it.kind)
	}}})
}

// containerdCalls are those of its shim, also for docker and nerdctl. update is how the
// version spells it.
func containerdCalls(update string) []recorded {
	const g = "--root ROOT --log BUNDLE/log.json --log-format json "
	env := daemonEnv()
	return []recorded{
		{line: g + "create --bundle BUNDLE --pid-file BUNDLE/init.pid ID", env: env, then: madeInit("init.pid")},
		{line: g + "start ID", env: env, then: runs},
		{line: g + "start ID", env: env, code: 1, text: "cannot start an already running container"},
		{line: g + "exec --process BUNDLE/process.json --detach --pid-file BUNDLE/exec.pid ID", env: env, then: madeProcess("exec.pid")},
		{line: g + "ps --format json ID", env: env, out: like(`^\[\d+(,\d+)+\]\n?$`)},
		{line: g + "pause ID", env: env, then: nowIs("paused")},
		{line: g + "resume ID", env: env, then: nowIs("running")},
		{line: g + update + " ID", env: env, in: newLimits, then: withNewLimits},
		{line: g + "delete ID", env: env, code: 1, text: "that is not stopped: running"},
		{line: g + "checkpoint --image-path BUNDLE/i --work-path BUNDLE/w --file-locks --leave-running ID", env: env, peers: noCriu()},
		{line: g + "list --format=json", env: env, out: like(`^\[\{.*"status":"running"`)},
		{line: g + "ps --format table ID -o pid,comm", env: env, out: like(`(?s)^ +PID.*\d+ sh.*`)},
		{line: g + "kill ID 15", env: env, then: nowIs("stopped")},
		{line: g + "kill ID 9", env: env, code: 1, text: "container not running"},
		{line: g + "kill --all ID 9", env: env},
		{line: g + "delete ID", env: env, then: ended},
		{line: g + "delete --force ID", env: env},
		{line: g + "kill --all ID 9", env: env, code: 1, text: gone},
		{line: g + "delete ID", env: env, code: 1, text: gone},
		{line: g + "create --bundle BUNDLE/bad --pid-file BUNDLE/init.pid ID", env: env, code: 1, text: "executable file not found in $PATH"},
		{line: g + "delete --force ID", env: env, then: ended},
		{line: g + "restore --image-path BUNDLE/i --work-path BUNDLE/w --detach --pid-file BUNDLE/p -no-subreaper --bundle BUNDLE ID", env: env, code: 1, peers: noCriu()},
	}
}

func TestReplayContainerd(t *testing.T) {
	replayed := func(update string, before ...recorded) func(*testing.T) {
		return func(t *testing.T) {
			r := newReplay(t, plain{})
			r.state = []string{"--root", r.bundle + "/state"}
			if update == "update --resources -" {
				r.quiet = daemonEnv()
			}
			r.play(t, append(before, containerdCalls(update)...))
		}
	}
	bare := daemonEnv()
	runScenes(t, []scene{
		{name: "1.6", play: replayed("update --resources -")},
		{name: "2", peers: inVM(), play: replayed("update --resources=-", recorded{line: "features", env: bare, out: has("ociVersionMin")})},
		{name: "docker", play: replayed("update --resources=-",
			recorded{line: "--version", env: bare, out: like(`^\w+ version \S+\n(.*\n)*commit: `)}, recorded{line: "features", env: bare, out: has("ociVersionMin")})},
	})
}

// TestReplayGoRunc: what its library can send besides.
func TestReplayGoRunc(t *testing.T) {
	g := "--root ROOT --debug --log BUNDLE/log.json --log-format json --rootless=%s "
	run := func(mode string) func(*testing.T) {
		return func(t *testing.T) {
			r := newReplay(t, plain{}, args("sleep", "300"))
			r.state = []string{"--root", r.bundle + "/state"}
			g := fmt.Sprintf(g, mode)
			r.play(t, []recorded{
				{line: g + "run --bundle BUNDLE --pid-file BUNDLE/pid --no-subreaper --detach ID", env: daemonEnv(), then: madeRunning},
				{line: g + "events --stats ID", env: daemonEnv()},
				{line: g + "state ID", env: daemonEnv(), out: has(`"running"`)},
				{line: g + "exec --process BUNDLE/process.json --detach --preserve-fds 0 --pid-file BUNDLE/p ID", env: daemonEnv(), then: madeProcess("p")},
				{line: g + "delete --force ID", env: daemonEnv(), then: ended},
				{line: g + "state ID", env: daemonEnv(), code: 1, text: gone},
				{line: g + "list --format=json", env: daemonEnv(), out: is("null\n")},
			})
		}
	}
	runScenes(t, []scene{{name: "true", play: run("true")}, {name: "false", play: run("false")}, {name: "auto", play: run("auto")}})
}

func madeRunning(r *replay) {
	r.t.Helper()
	r.waitFor("running")
	r.checkPlace(r.checkPidFile("pid"))
}

func TestReplayCRIO(t *testing.T) {
	const conmon = "--root=ROOT --log-format=json --log LOG "
	env := daemonEnv()
	runScenes(t, []scene{{name: "pod", peers: inVM(), play: func(t *testing.T) {
		r := newReplay(t, plain{})
		r.state, r.one = []string{"--root", r.bundle + "/state"}, true
		r.write("stream.json", `{"args":["sh","-c","echo out; exit 7"],"cwd":"/","env":["PATH=/bin"],"user":{"uid":0,"gid":0}}`)
		r.play(t, []recorded{
			{line: "features", env: env, out: has("ociVersionMin")},
			{line: "--version", env: env, out: has("commit: ")},
			{line: conmon + "create --bundle BUNDLE --pid-file BUNDLE/pidfile ID", env: conmonEnv(""), then: madeInit("pidfile")},
			{line: "--root ROOT start ID", env: env, then: runs},
			{line: "--root ROOT state ID", env: env, out: has(`"running"`)},
			{line: "--root ROOT exec --process BUNDLE/stream.json ID", env: env, code: 7, out: is("out\n")},
			{line: conmon + "exec --pid-file BUNDLE/sync --process BUNDLE/process.json --detach ID", env: conmonEnv(""), then: madeProcess("sync")},
			{line: "--root ROOT update --resources - ID", env: env, in: newLimits, then: withNewLimits},
			{line: "--root ROOT pause ID", env: env, then: nowIs("paused")},
			{line: "--root ROOT checkpoint --file-locks --image-path BUNDLE/i --work-path BUNDLE/w --leave-running ID", env: env, peers: noCriu()},
			{line: "--root ROOT resume ID", env: env, then: nowIs("running")},
			{line: "--root ROOT kill ID 15", env: env, then: nowIs("stopped")},
			{line: "--root ROOT kill ID KILL", env: env, code: 1, text: "container not running"},
			{line: "--root ROOT kill -a ID 9", env: env},
			{line: "--root ROOT delete ID", env: env, then: ended},
			{line: "--root ROOT delete --force ID", env: env},
			{line: "--root ROOT state ID", env: env, code: 1, text: gone},
		})
	}}})
}
