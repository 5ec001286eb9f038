package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestExec(t *testing.T) {
	if it.why != "" || os.Geteuid() != 0 {
		needBinary(t, peers{})
		needRoot(t)
	}
	watch(t)
	c := newRunning(t)
	defer func() { c.delete("--force").must(t) }()
	const caps = `grep -E '^Cap(Eff|Bnd)' /proc/self/status`
	for _, row := range []struct {
		name  string
		flags []string
		args  []string
		code  int
		out   match
		err   match
		peers
	}{
		{name: "output", args: []string{"echo", "hi"}, out: is("hi\n"), err: is("")},
		{name: "exit 7", args: []string{"sh", "-c", "exit 7"}, code: 7},
		{name: "killed", args: []string{"sh", "-c", "kill -9 $$"}, code: 137},
		{name: "same namespaces", args: []string{"sh", "-c", `for n in pid net ipc uts mnt; do test "$(readlink /proc/1/ns/$n)" = "$(readlink /proc/self/ns/$n)" || echo $n; done`}, out: is("")},
		{name: "same cgroups", args: []string{"sh", "-c", `test "$(cat /proc/1/cgroup)" = "$(cat /proc/self/cgroup)"`}},
		{name: "user", flags: []string{"--user", "1000"}, args: []string{"id"}, out: like(`^uid=1000\(joe\) gid=0\(root\)`)},
		{name: "user and group", flags: []string{"--user", "1000:2000"}, args: []string{"id"}, out: like(`^uid=1000\(joe\) gid=2000\(extra\)`)},
		{name: "additional gids", flags: []string{"--additional-gids", "2000", "--additional-gids", "3000"}, args: []string{"grep", "Groups", "/proc/self/status"}, out: like(`2000 3000`)},
		{name: "cwd", flags: []string{"--cwd", "/home/joe"}, args: []string{"pwd"}, out: is("/home/joe\n")},
		{name: "env with a comma", flags: []string{"--env", "A=1,2", "--env", "B="}, args: []string{"sh", "-c", `echo "$A" "$B" $TERM`}, out: is("1,2  xterm\n")},
		{name: "HOME of the user", flags: []string{"--user", "1000"}, args: []string{"sh", "-c", "echo $HOME"}, out: is("/home/joe\n")},
		{name: "cap", flags: []string{"--cap", "CAP_SYS_CHROOT"}, args: []string{"sh", "-c", caps}, out: like(`CapEff:\s0*20040420\nCapBnd:\s0*20040420`)},
		{name: "without cap", args: []string{"sh", "-c", caps}, out: like(`CapEff:\s0*20000420\nCapBnd:\s0*20000420`)},
		{name: "no-new-privs", flags: []string{"--no-new-privs"}, args: []string{"grep", "NoNewPrivs", "/proc/self/status"}, out: has("1")},
		{name: "flag of the workload", args: []string{"ls", "-d", "/bin"}, out: is("/bin\n")},
		{name: "missing", args: []string{"/nosuch"}, code: 255, err: has("no such file or directory")},
		{name: "missing on PATH", args: []string{"nosuch"}, code: 255, err: has("executable file not found in $PATH")},
		{name: "rlimits", args: []string{"sh", "-c", "ulimit -n"}, out: is("1024\n")},
	} {
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, row.peers)
			watch(t)
			want(t, c.exec(row.flags, row.args...), row.code, row.out, row.err)
		})
	}
}

func TestExecScenes(t *testing.T) {
	runScenes(t, []scene{
		{name: "in created", play: func(t *testing.T) {
			c := newCreated(t)
			want(t, c.sh("echo hi"), 0, is("hi\n"), is(""))
			c.wantStatus("created")
			c.delete("--force").must(t)
		}},
		{name: "in paused, overridden", peers: peers{vm: true, crun: differs("has no such flag")}, play: func(t *testing.T) {
			c := newRunning(t)
			c.rt("pause", c.id).must(t)
			r := c.command("exec", "--ignore-paused", c.id, "echo", "hi").start(t) // waits in the frozen group
			c.rt("resume", c.id).must(t)
			want(t, r.wait(t), 0, is("hi\n"), is(""))
			c.delete("--force").must(t)
		}},
		{name: "process file", play: processFile},
		{name: "process file's umask", peers: peers{runc: differs("1.1 takes the container's umask")}, play: func(t *testing.T) {
			c := newRunning(t)
			file := c.write("process.json", `{"args": ["sh", "-c", "umask"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0, "umask": 23}}`)
			want(t, c.exec([]string{"--process", file}), 0, is("0027\n"), is(""))
			c.delete("--force").must(t)
		}},
		{name: "detach and pid file", play: detached, peers: inVM()},
		{name: "killed by kill --all", play: execKilled, peers: inVM()},
		{name: "stdin", play: func(t *testing.T) {
			c := newRunning(t)
			cmd := c.command("exec", c.id, "cat")
			cmd.stdin = leaks(t, 1)[0]
			want(t, cmd.run(t), 0, is("fd 3\n"), is(""))
			c.delete("--force").must(t)
		}},
		{name: "ends with the container", play: func(t *testing.T) {
			c := newRunning(t)
			cmd := c.command("exec", c.id, "sh", "-c", "echo up; exec sleep 300")
			cmd.files = true
			r := cmd.start(t)
			r.until(t, "the program", func() bool { return r.printed() == "up\n" }) // before, it is the exec that fails
			c.kill("KILL").must(t)
			want(t, r.wait(t), 137, is("up\n"), match{})
			c.delete("--force").must(t)
		}},
	})
}

func processFile(t *testing.T) {
	c := newRunning(t)
	p := specs.Process{
		Args: []string{"sh", "-c", "pwd; id -u; echo $A; ulimit -n"}, Cwd: "/home", Env: []string{"PATH=/bin", "A=b,c"},
		User: specs.User{UID: 1000, GID: 1000}, Rlimits: []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Hard: 99, Soft: 99}},
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	file := c.write("process.json", string(b))
	want(t, c.exec([]string{"--process", file}), 0, is("/home\n1000\nb,c\n99\n"), is(""))
	c.delete("--force").must(t)
}

func detached(t *testing.T) {
	c := newRunning(t)
	file := filepath.Join(c.bundle, "exec.pid")
	c.exec([]string{"--detach", "--pid-file", file}, "sleep", "300").must(t)
	pid := pidFile(t, file)
	if !alive(pid) || len(c.ps()) != 2 {
		t.Errorf("pid %d alive: %v, ps: %v", pid, alive(pid), c.ps())
	}
	c.delete("--force").must(t)
}

func execKilled(t *testing.T) {
	c := newRunning(t)
	file := filepath.Join(c.bundle, "exec.pid")
	c.exec([]string{"--detach", "--pid-file", file}, "sleep", "300").must(t)
	c.rt("kill", "--all", c.id, "KILL").must(t)
	c.untilStatus("stopped")
	until(t, "the exec's end", func() bool { return !alive(pidFile(t, file)) })
	c.delete().must(t)
}

// ps is what `ps --format json` prints.
func (c *container) ps() []int {
	c.t.Helper()
	var pids []int
	r := c.rt("ps", "--format", "json", c.id).must(c.t)
	if err := json.Unmarshal([]byte(r.stdout), &pids); err != nil {
		c.t.Fatalf("%v\n%v", r, err)
	}
	return pids
}
