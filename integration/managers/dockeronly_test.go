//go:build managers

package managers

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// dockerOnly are rows that only docker has, or has in its own way.
func dockerOnly() []row {
	return []row{
		{"it is the runtime", func(t *testing.T, e *engine) {
			name := sleeping(t, e)
			equal(t, "name", e.do("inspect", "-f", "{{.HostConfig.Runtime}}", name).must(t), "tested")
			equal(t, "path", e.do("info", "-f", `{{(index .Runtimes "tested").Path}}`).must(t), e.bin)
		}},
		{"classic build", dockerBuild},
		{"a build's RUN fails", func(t *testing.T, e *engine) {
			d := e.with(strings.NewReader("FROM "+e.image+"\nRUN exit 9\n"), "build", "-")
			d.says(t, "returned a non-zero code: 9").exits(t, 9)
		}},
		{"exit 125, 126, 127", func(t *testing.T, e *engine) {
			apart := func(command ...string) did {
				return e.do(append([]string{"run", "--rm", "--network", "none", e.image}, command...)...)
			}
			apart("nosuch").says(t, `exec: "nosuch": executable file not found in $PATH`).exits(t, 127)
			apart("/nosuch").says(t, `stat /nosuch: no such file or directory`).exits(t, 127)
			apart("/bin/noexec").says(t, "permission denied").exits(t, 126)
			apart("/etc").says(t, `exec: "/etc": `).exits(t, 126)
			e.do("run", "--rm", "--memory", "1k", e.image, "true").exits(t, 125)
			apart("sh", "-c", "kill -9 $$; kill -9 1; exit 3").exits(t, 3) // PID 1 of its namespace
		}},
		{"exec 126, 127", func(t *testing.T, e *engine) {
			name := sleeping(t, e)
			missing := 127
			if strings.HasPrefix(e.do("version", "-f", "{{.Server.Version}}").must(t), "20.") {
				missing = 126 // it does not look at the text of an exec
			}
			e.do("exec", name, "nosuch").says(t, `exec: "nosuch": executable file not found in $PATH`).exits(t, missing)
			e.do("exec", name, "/nosuch").says(t, "no such file or directory").exits(t, missing)
			e.do("exec", name, "/bin/noexec").says(t, "permission denied").exits(t, 126)
			e.do("exec", "-w", "/nosuch", name, "true").says(t, "/nosuch").exits(t, 126)
			e.do("exec", name, "sh", "-c", "kill -9 $$").exits(t, 137)
		}},
		{"oom in events and inspect", dockerOOM},
		{"update, read back", dockerUpdate},
		{"stats", dockerStats},
		{"health check", func(t *testing.T, e *engine) { // the daemon runs it, by exec
			name := sleeping(t, e, "--health-cmd", "test -e /tmp/well", "--health-interval", "100ms", "--health-retries", "1")
			inspected(t, e, name, "{{.State.Health.Status}}", "unhealthy")
			e.do("exec", name, "touch", "/tmp/well").must(t)
			inspected(t, e, name, "{{.State.Health.Status}}", "healthy")
		}},
		{"restart policy", func(t *testing.T, e *engine) {
			name := started(t, e, []string{"--restart", "on-failure:2"}, "sh", "-c", "echo again; exit 4")
			inspected(t, e, name, "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}", "2 exited 4")
			equal(t, "log", e.do("logs", name).must(t), "again\nagain\nagain")
		}},
		{"top", func(t *testing.T, e *engine) {
			name := started(t, e, nil, "sh", "-c", "sleep 61 & sleep 60 & wait")
			eventually(t, deadline/2, "all three", func() (string, bool) {
				top := e.do("top", name, "-o", "pid,args").must(t)
				return top, strings.Contains(top, "sleep 61") && strings.Contains(top, "sleep 60") && strings.Count(top, "\n") == 3
			})
		}},
		{"default profiles", func(t *testing.T, e *engine) {
			d := e.do("run", "--rm", "--network", "none", e.image, "cat", "/proc/self/status")
			equal(t, "Seccomp", status(t, d, "Seccomp"), "2")
			equal(t, "CapEff", status(t, d, "CapEff"), "00000000a80425fb")
			equal(t, "NoNewPrivs", status(t, d, "NoNewPrivs"), "0")
		}},
		{"cgroup namespace", func(t *testing.T, e *engine) {
			own := e.do("run", "--rm", "--network", "none", "--cgroupns", "private", e.image, "cat", "/proc/self/cgroup").must(t)
			if strings.Contains(own, e.parent()) {
				t.Errorf("the host's path is seen inside:\n%s", own)
			}
			e.do("run", "--rm", "--network", "none", "--cgroupns", "host", e.image, "cat", "/proc/self/cgroup").says(t, "/"+e.parent()+"/").must(t)
		}},
	}
}

// dockerRemapped are rows with the daemon's --userns-remap.
func dockerRemapped() []row {
	return []row{
		{"user namespace", func(t *testing.T, e *engine) {
			name := sleeping(t, e)
			pid := number(t, e.do("inspect", "-f", "{{.State.Pid}}", name).must(t))
			equal(t, "uid_map", strings.Join(strings.Fields(textOf(t, fmt.Sprintf("/proc/%d/uid_map", pid))), " "), "0 100000 65536")
			host := did{stdout: textOf(t, fmt.Sprintf("/proc/%d/status", pid))}
			equal(t, "Gid", status(t, host, "Gid"), "200000\t200000\t200000\t200000")
			equal(t, "inside", e.do("exec", name, "sh", "-c", "id -u; touch /f && stat -c %u:%g /f /var/data/seed").must(t), "0\n0:0\n0:0")
		}},
		{"volume", func(t *testing.T, e *engine) {
			got := e.do("run", "--rm", "-v", "/data", "--tmpfs", "/t", e.image, "sh", "-c", "touch /data/f /t/f && stat -c %u /data/f /t/f").must(t)
			equal(t, "owners", got, "0\n0")
		}},
		{"bridge", func(t *testing.T, e *engine) {
			e.do("run", "--rm", e.image, "ping", "-c", "1", "-W", "5", "172.17.0.1").must(t)
		}},
		{"terminal", func(t *testing.T, e *engine) {
			e.onTerminal(t, "", "run", "--rm", "-it", e.image, "sh", "-c", "tty; stat -c %u $(tty); exit 7").says(t, "/dev/pts/0\n0\n").exits(t, 7)
		}},
		{"--userns=host", func(t *testing.T, e *engine) {
			equal(t, "uid_map", strings.Join(strings.Fields(e.do("run", "--rm", "--userns", "host", e.image, "cat", "/proc/self/uid_map").must(t)), " "), "0 0 4294967295")
		}},
	}
}

// sleeping is a container that goes on.
func sleeping(t *testing.T, e *engine, flags ...string) string {
	t.Helper()
	return started(t, e, flags, "sh", "-c", "trap exit TERM; sleep 60 & wait")
}

func started(t *testing.T, e *engine, flags []string, command ...string) string {
	t.Helper()
	name := e.fresh()
	t.Cleanup(func() { e.do("rm", "-f", name).must(t) })
	e.do(append(append(append([]string{"run", "-d", "--name", name}, flags...), e.image), command...)...).must(t)
	return name
}

// inspected waits for what the daemon says.
func inspected(t *testing.T, e *engine, name, format, want string) {
	t.Helper()
	eventually(t, deadline/2, format, func() (string, bool) {
		got := e.do("inspect", "-f", format, name).must(t)
		return got, got == want
	})
}

func dockerBuild(t *testing.T, e *engine) {
	tag := "localhost/" + e.fresh() + ":1"
	file := "FROM " + e.image + "\nENV A=b\nRUN mkdir /made && echo $A > /made/file && ping -c 1 -W 5 172.17.0.1\n" +
		"USER joe\nRUN id -u > /home/joe/id\nWORKDIR /made\nCMD cat file /home/joe/id\n"
	e.with(strings.NewReader(file), "build", "-t", tag, "-").must(t)
	t.Cleanup(func() { e.do("rmi", tag).must(t) })
	equal(t, "what was built", e.do("run", "--rm", "--network", "none", tag).must(t), "b\n1000")
}

func dockerOOM(t *testing.T, e *engine) {
	heard := e.listenTo(t, "events")
	name := started(t, e, []string{"--memory", "16m", "--memory-swap", "16m"}, "tail", "/dev/zero")
	inspected(t, e, name, "{{.State.OOMKilled}} {{.State.ExitCode}}", "true 137")
	eventually(t, deadline/2, "the event", func() (string, bool) {
		text := heard()
		return text, strings.Contains(text, "container oom") && strings.Contains(text, name)
	})
}

func dockerUpdate(t *testing.T, e *engine) {
	name := sleeping(t, e, "--memory", "64m", "--memory-swap", "64m")
	e.do("update", "--memory", "32m", "--memory-swap", "32m", "--cpus", "0.5", "--cpu-shares", "512", "--pids-limit", "44", name).must(t)
	pid := number(t, e.do("inspect", "-f", "{{.State.Pid}}", name).must(t))
	for _, l := range []groupLimit{
		{"memory", "memory.limit_in_bytes", "33554432", "memory.max", "33554432"},
		{"cpu", "cpu.cfs_quota_us", "50000", "cpu.max", "50000 100000"},
		{"cpu", "cpu.shares", "512", "cpu.weight", "20"},
		{"pids", "pids.max", "44", "pids.max", "44"},
	} {
		l.check(t, pid)
	}
	e.do("update", "--cpuset-cpus", "1", name).must(t)
	groupLimit{"cpuset", "cpuset.cpus", "1", "cpuset.cpus", "1"}.check(t, pid)
	groupLimit{"memory", "memory.limit_in_bytes", "33554432", "memory.max", "33554432"}.check(t, pid) // as it was
}

func dockerStats(t *testing.T, e *engine) {
	name := sleeping(t, e, "--memory", "64m")
	text := e.do("stats", "--no-stream", "--format", "{{json .}}", name).must(t)
	var s struct{ MemUsage, PIDs, Name string }
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if !strings.HasSuffix(s.MemUsage, " / 64MiB") || s.PIDs != "2" || s.Name != name {
		t.Errorf("stats: %s", text)
	}
}
