//go:build managers

package managers

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// ctrProcess are rows about one process: what it is given, and how it ends.
func ctrProcess() []row {
	return []row{
		{"run", func(t *testing.T, e *engine) {
			equal(t, "stdout", e.do(ctrRun(e, nil, "sh", "-c", "echo hello"+late)...).must(t), "hello")
		}},
		{"stdout and stderr apart", func(t *testing.T, e *engine) {
			d := e.do(ctrRun(e, nil, "sh", "-c", "echo out; echo err >&2"+late)...)
			equal(t, "stdout", d.must(t), "out")
			equal(t, "stderr", words(d.stderr), "err")
		}},
		{"stdin", ctrStdin},
		{"exit code 0", func(t *testing.T, e *engine) { once(t, e, nil, "true").exits(t, 0) }},
		{"exit code 1", func(t *testing.T, e *engine) { once(t, e, nil, "false").exits(t, 1) }},
		{"exit code 7", func(t *testing.T, e *engine) { once(t, e, nil, "sh", "-c", "exit 7").exits(t, 7) }},
		{"killed: 137", func(t *testing.T, e *engine) {
			once(t, e, nil, "sh", "-c", "sleep 60 & kill -9 $!; wait $!; exit $?").exits(t, 137)
		}},
		{"missing command", func(t *testing.T, e *engine) {
			once(t, e, nil, "nosuch").says(t, `exec: "nosuch": executable file not found in $PATH`).exits(t, 1)
		}},
		{"missing path", func(t *testing.T, e *engine) {
			once(t, e, nil, "/nosuch").says(t, `exec: "/nosuch": stat /nosuch: no such file or directory`).exits(t, 1)
		}},
		{"not executable", func(t *testing.T, e *engine) {
			once(t, e, nil, "/bin/noexec").says(t, `exec: "/bin/noexec": permission denied`).exits(t, 1)
		}},
		{"cwd is a file", func(t *testing.T, e *engine) {
			once(t, e, []string{"--cwd", "/etc/passwd"}, "true").says(t, "not a directory").exits(t, 1)
		}},
		{"env", func(t *testing.T, e *engine) {
			equal(t, "$FOO", once(t, e, []string{"--env", "FOO=b a r"}, "sh", "-c", "echo $FOO").must(t), "b a r")
		}},
		{"env file", func(t *testing.T, e *engine) {
			file := e.save(t, "env", "A=1\nB=2\n", 0o644)
			equal(t, "$A$B", once(t, e, []string{"--env-file", file}, "sh", "-c", "echo $A$B").must(t), "12")
		}},
		{"cwd", func(t *testing.T, e *engine) {
			equal(t, "pwd", once(t, e, []string{"--cwd", "/var/data"}, "pwd").must(t), "/var/data")
		}},
		{"cwd is made", func(t *testing.T, e *engine) {
			equal(t, "pwd", once(t, e, []string{"--cwd", "/not/there"}, "pwd").must(t), "/not/there")
		}},
		{"terminal", ctrTerminal},
		{"exec", ctrExec},
		{"exec with a terminal", ctrExecTerminal},
		{"exec user and cwd", ctrExecAs},
		{"exec is killed", ctrExecKill},
		{"missing exec", func(t *testing.T, e *engine) {
			c := up(t, e, nil, "sleep", "60")
			c.inside(t, e, "nosuch").says(t, `exec: "nosuch": executable file not found in $PATH`).exits(t, 1)
			equal(t, "exec after it", c.inside(t, e, "echo", "well").must(t), "well")
		}},
		{"pid file", func(t *testing.T, e *engine) {
			c := up(t, e, nil, "sleep", "60")
			eventually(t, deadline/2, "the workload", func() (string, bool) { // start returns before execve
				comm := textOf(t, fmt.Sprintf("/proc/%d/comm", c.pid))
				return comm, comm == "sleep"
			})
		}},
		{"20 at once", ctrTwenty},
	}
}

// ctrStdin ends its input only when it has come back: ctr forgets an end of file that it sees
// before the task is made.
func ctrStdin(t *testing.T, e *engine) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	file := e.save(t, e.fresh(), "", 0o644)
	ended := make(chan did, 1)
	go func() {
		ended <- e.with(r, ctrRun(e, []string{"--mount", "type=bind,src=" + file + ",dst=/mnt/file,options=bind"}, "sh", "-c", "tee /mnt/file"+late)...)
		r.Close()
	}()
	fmt.Fprintln(w, "typed")
	eventually(t, deadline/2, "the input is read", func() (string, bool) { text := textOf(t, file); return text, text == "typed" })
	w.Close()
	equal(t, "stdout", (<-ended).must(t), "typed")
}

// sized waits for the terminal's size, which a client may set after the start.
const sized = "until stty size | grep '30 100'; do sleep 0.05; done"

// late lets ctr read its pipes before it closes them: see throughShim.
const late = "; sleep 0.1"

func ctrTerminal(t *testing.T, e *engine) {
	shown := e.onTerminal(t, "typed\n", ctrRun(e, []string{"-t"}, "sh", "-c", "tty; read line; echo got $line; "+sized+"; exit 7")...)
	shown.exits(t, 7)
	shown.says(t, "/dev/pts/0\n").says(t, "got typed\n")
}

// words are the lines of stderr that the container has written: ctr 2 warns of cgroup v1 in it.
func words(stderr string) string {
	var lines []string
	for line := range strings.Lines(stderr) {
		if !strings.Contains(line, "level=warning msg=\"DEPRECATION: ") {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, ""))
}

func ctrExec(t *testing.T, e *engine) {
	c := up(t, e, nil, "sleep", "60")
	d := e.do("task", "exec", "--exec-id", e.fresh(), c.id, "sh", "-c", "echo out; echo err >&2"+late+"; exit 7")
	d.exits(t, 7)
	equal(t, "stdout", d.stdout, "out\n")
	equal(t, "stderr", words(d.stderr), "err")
	ns := c.inside(t, e, "readlink", "/proc/self/ns/pid").must(t)
	equal(t, "PID namespace", ns, linkTo(t, fmt.Sprintf("/proc/%d/ns/pid", c.pid)))
	in := e.with(strings.NewReader("typed\n"), "task", "exec", "--exec-id", e.fresh(), c.id, "sh", "-c", "head -n 1"+late)
	equal(t, "stdin", in.must(t), "typed")
}

func ctrExecTerminal(t *testing.T, e *engine) {
	c := up(t, e, nil, "sleep", "60")
	shown := e.onTerminal(t, "typed\n", "task", "exec", "-t", "--exec-id", e.fresh(), c.id,
		"sh", "-c", "tty; read line; echo got $line; "+sized+"; exit 9")
	shown.exits(t, 9)
	shown.says(t, "/dev/pts/0\n").says(t, "got typed\n")
}

func ctrExecAs(t *testing.T, e *engine) {
	c := up(t, e, nil, "sleep", "60")
	got := e.do("task", "exec", "--exec-id", e.fresh(), "--user", "1000:2000", "--cwd", "/var/data", c.id, "sh", "-c", "id -u; id -g; pwd").must(t)
	equal(t, "who and where", got, "1000\n2000\n/var/data")
}

func ctrExecKill(t *testing.T, e *engine) {
	c := up(t, e, nil, "sleep", "60")
	id := e.fresh()
	ended := make(chan did, 1)
	go func() { ended <- e.do("task", "exec", "--exec-id", id, c.id, "sleep", "61") }()
	eventually(t, deadline/2, "the exec runs", func() (string, bool) {
		ps := c.inside(t, e, "ps")
		return ps.stdout, strings.Contains(ps.stdout, "sleep 61")
	})
	e.do("task", "kill", "-s", "SIGKILL", "--exec-id", id, c.id).must(t)
	(<-ended).exits(t, 137)
	if !alive(c.pid) {
		t.Error("the container has ended with its exec")
	}
}

func ctrTwenty(t *testing.T, e *engine) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			d := once(t, e, nil, "sh", "-c", fmt.Sprintf("echo %d; exit %d", i, i))
			if d.stdout != fmt.Sprintln(i) || d.code != i {
				t.Errorf("container %d: %q, exit %d: %s%v", i, d.stdout, d.code, d.stderr, d.err)
			}
		})
	}
	all.Wait()
}

// signalled sends a signal to a process of the tests' PID namespace.
func signalled(t *testing.T, pid int, s unix.Signal) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Signal(s)
	}
	if err != nil {
		t.Fatal(err)
	}
}
