//go:build managers

package managers

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// running: ways to start.
func running() []row {
	return []row{
		{"run detached", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			equal(t, "status", e.inspect(t, name, ".State.Status"), "running")
			equal(t, "command", e.proc(t, name, "comm"), "sh")
		}},
		{"run -i", func(t *testing.T, e *engine) {
			args := e.args("run", flags("--rm -i"), flags("tr a-z A-Z"))
			equal(t, "stdout", e.with(strings.NewReader("through\n"), args...).must(t), "THROUGH")
		}},
		{"run -it", func(t *testing.T, e *engine) {
			s := e.onScreen(t, e.args("run", flags("--rm -it"), flags("sh"))...)
			s.types(t, "tty; test -t 0 -a -t 1 -a -t 2 && echo all$((1+1))\n")
			s.shows(t, "all2")
			s.shows(t, "/dev/")
			eventually(t, 10*time.Second, "the size arrives", func() (string, bool) {
				s.types(t, "stty size\n")
				return s.has("31 97")
			})
			s.types(t, "exit 9\n")
			s.exits(t, 9)
		}},
		{"create, start", func(t *testing.T, e *engine) {
			name := e.fresh()
			t.Cleanup(func() { e.do("rm", "-f", name) })
			e.do(e.args("create", []string{"--name", name}, flags("echo late"))...).must(t)
			equal(t, "stdout", e.do("start", "-a", name).must(t), "late")
		}},
		{"init", func(t *testing.T, e *engine) {
			name := e.box(t, flags("--init"), "sh", "-c", "(true &) ; echo up; exec sleep 1000")
			e.logged(t, name, "up")
			if comm := e.proc(t, name, "comm"); comm == "sh" || comm == "sleep" {
				t.Errorf("the first process is %s", comm)
			}
			ps := e.do("exec", name, "ps").must(t)
			if !strings.Contains(ps, "sleep 1000") || strings.Contains(ps, "[true]") || strings.Contains(ps, " Z ") {
				t.Errorf("a zombie, or no sleep: %s", ps)
			}
		}},
		{"20 at once", func(t *testing.T, e *engine) {
			var all sync.WaitGroup
			for i := range 20 {
				all.Go(func() {
					name := e.fresh()
					d := e.do(e.args("run", []string{"--name", name}, []string{"echo", fmt.Sprint("n", i)})...)
					if d.err != nil || d.code != 0 || d.stdout != fmt.Sprintf("n%d\n", i) {
						t.Errorf("%d: %+v; its log: %q", i, d, e.do("logs", name).stdout) // which of the two has lost it?
					}
					e.do("rm", "-f", name).must(t)
				})
			}
			all.Wait()
		}},
		{"missing command", func(t *testing.T, e *engine) {
			d := e.ran(nil, "nosuch")
			d.exits(t, 127)
			d.says(t, `exec: "nosuch": executable file not found in $PATH`)
		}},
		{"missing path", func(t *testing.T, e *engine) {
			d := e.ran(nil, "/no/such")
			d.exits(t, 127)
			d.says(t, "no such file or directory")
		}},
		{"not executable", func(t *testing.T, e *engine) {
			d := e.ran(nil, "/bin/noexec")
			d.exits(t, 126)
			d.says(t, "permission denied")
		}},
		{"seccomp file", func(t *testing.T, e *engine) {
			file := e.save(t, e.fresh()+".json", `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}`, 0o644)
			d := e.shell([]string{"--security-opt", "seccomp=" + file}, "touch /mnt/file && mkdir /mnt/dir")
			d.exits(t, 1)
			d.says(t, "can't create directory '/mnt/dir': Operation not permitted")
		}},
		{"exit 125", func(t *testing.T, e *engine) { e.ran(flags("--no-such-flag"), "true").exits(t, 125) }},
	}
}

// entering: exec.
func entering() []row {
	return []row{
		{"exec", func(t *testing.T, e *engine) {
			name := e.sleeper(t, "--user", "joe")
			want := read(t, "/proc/"+e.inspect(t, name, ".State.Pid")+"/cgroup")
			equal(t, "user", e.do("exec", name, "id", "-un").must(t), "joe")
			equal(t, "flags", e.do("exec", "-u", "0", "-w", "/etc", "-e", "X=y", name, "sh", "-c", "id -u; pwd; echo $X").must(t), "0\n/etc\ny")
			equal(t, "sees", e.do("exec", name, "cat", "/proc/1/comm").must(t), "sh")
			e.do("exec", name, "sh", "-c", "exit 7").exits(t, 7)
			if want != e.proc(t, name, "cgroup") {
				t.Error("the container changed its cgroup")
			}
		}},
		{"exec: limits apply", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			go e.do("exec", name, "sleep", "77")
			eventually(t, 10*time.Second, "cgroup.procs has the process of exec", func() (string, bool) {
				procs := e.limit(t, name, "pids/cgroup.procs")
				for pid := range strings.FieldsSeq(procs) {
					if line := command(nil, nil, "cat", "/proc/"+pid+"/cmdline").stdout; strings.Contains(line, "sleep\x0077") {
						return "", true
					}
				}
				return procs, false
			})
		}},
		{"exec -i", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			equal(t, "stdout", e.with(strings.NewReader("in\n"), "exec", "-i", name, "sed", "s/^/out of /").must(t), "out of in")
		}},
		{"exec -t", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			s := e.onScreen(t, "exec", "-it", name, "sh")
			s.types(t, "echo $((20+3)) on $(tty)\n")
			s.shows(t, "23 on /dev/pts/")
			eventually(t, 10*time.Second, "the size arrives", func() (string, bool) {
				s.types(t, "stty size\n")
				return s.has("31 97")
			})
			s.types(t, "exit 6\n")
			s.exits(t, 6)
		}},
		{"exec detached", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			e.do("exec", "-d", name, "sh", "-c", "echo done >/tmp/marker").must(t)
			eventually(t, 10*time.Second, "the marker", func() (string, bool) {
				d := e.do("exec", name, "cat", "/tmp/marker")
				return d.stderr, d.stdout == "done\n"
			})
		}},
		{"exec: missing command", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			d := e.do("exec", name, "nosuch")
			d.exits(t, 127)
			d.says(t, "executable file not found in $PATH")
			e.do("exec", name, "/bin/noexec").exits(t, 126)
		}},
		{"exec: stopped", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			e.do("stop", name).must(t)
			if d := e.do("exec", name, "true"); d.code == 0 {
				t.Errorf("%+v", d)
			}
		}},
	}
}

// ending: ways to stop.
func ending() []row {
	return []row{
		{"stop", func(t *testing.T, e *engine) {
			name := e.box(t, nil, "sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.1; done")
			e.logged(t, name, "up")
			e.do("stop", name).must(t)
			equal(t, "exit code", e.inspect(t, name, ".State.ExitCode"), "5")
		}},
		{"stop: TERM ignored", func(t *testing.T, e *engine) {
			name := e.box(t, nil, "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done")
			e.logged(t, name, "up")
			e.do("stop", "-t", "1", name).must(t)
			equal(t, "exit code", e.inspect(t, name, ".State.ExitCode"), "137")
		}},
		{"stop-signal", func(t *testing.T, e *engine) {
			name := e.box(t, flags("--stop-signal INT"), "sh", "-c", "trap 'exit 4' INT; echo up; while :; do sleep 0.1; done")
			e.logged(t, name, "up")
			e.do("stop", name).must(t)
			equal(t, "exit code", e.inspect(t, name, ".State.ExitCode"), "4")
		}},
		{"kill --signal", func(t *testing.T, e *engine) {
			name := e.box(t, nil, "sh", "-c", "trap 'echo got it' USR1; echo up; while :; do sleep 0.1; done")
			e.logged(t, name, "up")
			e.do("kill", "--signal", "USR1", name).must(t)
			e.logged(t, name, "got it")
			e.do("kill", name).must(t)
			e.becomes(t, name, ".State.ExitCode", "137")
		}},
		{"wait", func(t *testing.T, e *engine) {
			name := e.box(t, nil, "sh", "-c", "sleep 0.3; exit 42")
			equal(t, "wait", e.do("wait", name).must(t), "42")
		}},
		{"restart", func(t *testing.T, e *engine) {
			name := e.box(t, nil, "sh", "-c", "trap 'exit 0' TERM; echo run >>/tmp/runs; while :; do sleep 0.1; done")
			pid := e.inspect(t, name, ".State.Pid")
			e.do("restart", "-t", "5", name).must(t)
			if again := e.inspect(t, name, ".State.Pid"); again == pid || again == "0" {
				t.Errorf("pid %s, then %s", pid, again)
			}
			eventually(t, 5*time.Second, "it ran twice", func() (string, bool) {
				runs := e.do("exec", name, "cat", "/tmp/runs").stdout
				return runs, runs == "run\nrun\n"
			})
		}},
		{"restart policy", func(t *testing.T, e *engine) {
			name := e.box(t, flags("--restart on-failure:2"), "sh", "-c", "echo x >>/tmp/runs; cat /tmp/runs; exit 3")
			e.becomes(t, name, ".RestartCount", "2")
			e.becomes(t, name, ".State.Status", "exited")
			equal(t, "log", e.do("logs", name).must(t), "x\nx\nx\nx\nx\nx")
		}},
		{"rm -f while running", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			pid := e.inspect(t, name, ".State.Pid")
			e.do("rm", "-f", name).must(t)
			if comm := command(nil, nil, "cat", "/proc/"+pid+"/comm"); comm.code == 0 {
				t.Errorf("process %s is still there: %s", pid, comm.stdout)
			}
			if d := e.do("inspect", name); d.code == 0 {
				t.Error("it is still known")
			}
		}},
		{"rm while running", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			if d := e.do("rm", name); d.code == 0 {
				t.Error("removed")
			}
			equal(t, "status", e.inspect(t, name, ".State.Status"), "running")
		}},
		{"attach", func(t *testing.T, e *engine) {
			name := e.box(t, flags("-i"), "sh", "-c", "read x; echo got $x; exit 8")
			equal(t, "stdout", strings.TrimSpace(e.with(strings.NewReader("this\n"), "attach", name).stdout), "got this")
			e.becomes(t, name, ".State.ExitCode", "8")
		}},
	}
}
