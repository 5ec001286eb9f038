//go:build managers

package managers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ctrLife are rows about a task from its start to its removal.
func ctrLife() []row {
	return []row{
		{"output to a log", func(t *testing.T, e *engine) {
			c := up(t, e, nil, "sh", "-c", "echo out; echo err >&2; sleep 60")
			eventually(t, deadline/2, "the log", func() (string, bool) {
				text := textOf(t, c.log)
				return text, text == "out\nerr" || text == "err\nout" // two streams
			})
		}},
		{"kill TERM", func(t *testing.T, e *engine) {
			c, ended := foreground(t, e, "sh", "-c", "trap 'exit 5' TERM; cp /proc/uptime /tmp/ready; while :; do sleep 0.1; done")
			eventually(t, deadline/2, "the trap", func() (string, bool) {
				d := c.inside(t, e, "cat", "/tmp/ready")
				return d.stderr, d.code == 0
			})
			e.do("task", "kill", "-s", "SIGTERM", c.id).must(t)
			(<-ended).exits(t, 5)
		}},
		{"kill TERM, then KILL", func(t *testing.T, e *engine) {
			c, ended := foreground(t, e, "sleep", "60") // PID 1 without a handler: TERM does nothing
			e.do("task", "kill", "-s", "SIGTERM", c.id).must(t)
			equal(t, "still there", c.inside(t, e, "echo", "yes").must(t), "yes")
			e.do("task", "kill", "-s", "SIGKILL", c.id).must(t)
			(<-ended).exits(t, 137)
		}},
		{"kill of a stopped task", func(t *testing.T, e *engine) {
			c := up(t, e, nil, "sleep", "60")
			e.do("task", "kill", "-s", "SIGKILL", c.id).must(t)
			c.becomes(t, e, "STOPPED")
			e.do("task", "kill", "-s", "SIGKILL", c.id).says(t, "process already finished").exits(t, 1)
		}},
		{"kill --all", func(t *testing.T, e *engine) {
			c := up(t, e, []string{"--with-ns", "pid:/proc/self/ns/pid"}, "sh", "-c", "sleep 62 & sleep 60 & wait")
			pids := tasksOf(t, e, c, 3)
			e.do("task", "kill", "--all", "-s", "SIGKILL", c.id).must(t)
			for _, pid := range pids {
				eventually(t, deadline/2, fmt.Sprint(pid, " is dead"), func() (string, bool) { return "", !alive(pid) })
			}
		}},
		{"pause, resume", ctrPause},
		{"metrics", ctrMetrics},
		{"oom", ctrOOM},
		{"rm -f of a running task", func(t *testing.T, e *engine) {
			c := up(t, e, nil, "sleep", "60")
			dir, _ := group(t, c.pid, "memory")
			e.do("task", "rm", "-f", c.id).must(t)
			gone(t, c, dir, e)
		}},
		{"rm of a running task is refused", func(t *testing.T, e *engine) {
			c := up(t, e, nil, "sleep", "60")
			e.do("task", "rm", c.id).says(t, "must be stopped").exits(t, 1)
			equal(t, "still there", c.inside(t, e, "echo", "yes").must(t), "yes")
		}},
		{"the same id twice", func(t *testing.T, e *engine) {
			c := up(t, e, nil, "sleep", "60")
			e.do("run", "--rm", "--runc-binary", e.bin, e.image, c.id, "true").says(t, "already exists").exits(t, 1)
			equal(t, "still there", c.inside(t, e, "echo", "yes").must(t), "yes")
		}},
		{"the init is killed from outside", func(t *testing.T, e *engine) {
			c, ended := foreground(t, e, "sleep", "60")
			signalled(t, c.pid, unix.SIGKILL)
			(<-ended).exits(t, 137)
		}},
		{"the shim is killed", func(t *testing.T, e *engine) {
			c := up(t, e, nil, "sleep", "60")
			dir, _ := group(t, c.pid, "memory")
			signalled(t, parentOf(t, c.pid), unix.SIGKILL)
			c.becomes(t, e, "gone")
			gone(t, c, dir, e)
		}},
	}
}

// foreground runs a container whose end comes by the channel, and returns once it runs.
func foreground(t *testing.T, e *engine, argv ...string) (c container, ended chan did) {
	t.Helper()
	file := e.save(t, e.fresh()+".pid", "", 0o644)
	c.id, ended = e.fresh(), make(chan did, 1)
	go func() {
		ended <- e.do(slices.Concat([]string{"run", "--rm", "--runc-binary", e.bin, "--pid-file", file, e.image, c.id}, argv)...)
	}()
	c.becomes(t, e, "RUNNING")
	c.pid = number(t, textOf(t, file))
	return c, ended
}

// tasksOf waits until task ps lists count processes, and gives their pids.
func tasksOf(t *testing.T, e *engine, c container, count int) []int {
	t.Helper()
	var pids []int
	eventually(t, deadline/2, fmt.Sprint(count, " processes"), func() (string, bool) {
		list := e.do("task", "ps", c.id).must(t)
		pids = nil
		for line := range strings.Lines(list) {
			if fields := strings.Fields(line); fields[0] != "PID" {
				pids = append(pids, number(t, fields[0]))
			}
		}
		return list, len(pids) == count
	})
	return pids
}

// gone fails the row unless all of a removed container is away: its process, its cgroup, and
// its directory below the runtime's root.
func gone(t *testing.T, c container, group string, e *engine) {
	t.Helper()
	state := filepath.Join("/run/containerd/runc", e.parent(), c.id)
	eventually(t, 20*time.Second, c.id+" is away", func() (string, bool) {
		_, noGroup := os.Stat(group)
		_, noState := os.Stat(state)
		return fmt.Sprintln("process:", alive(c.pid), group, noGroup, state, noState), !alive(c.pid) && os.IsNotExist(noGroup) && os.IsNotExist(noState)
	})
}

func ctrPause(t *testing.T, e *engine) {
	c := up(t, e, nil, "sh", "-c", "while :; do echo tick; sleep 0.01; done")
	e.do("task", "pause", c.id).must(t)
	c.becomes(t, e, "PAUSED")
	groupLimit{"freezer", "freezer.state", "FROZEN", "cgroup.freeze", "1"}.check(t, c.pid)
	was := textOf(t, c.log)
	time.Sleep(100 * time.Millisecond) // ten ticks, if it were running
	equal(t, "log while paused", textOf(t, c.log), was)
	e.do("task", "resume", c.id).must(t)
	c.becomes(t, e, "RUNNING")
	groupLimit{"freezer", "freezer.state", "THAWED", "cgroup.freeze", "0"}.check(t, c.pid)
	eventually(t, deadline/2, "it goes on", func() (string, bool) { return "", len(textOf(t, c.log)) > len(was) })
}

func ctrMetrics(t *testing.T, e *engine) {
	c := up(t, e, []string{"--memory-limit", "33554432"}, "sh", "-c", "sleep 60 & wait")
	tasksOf(t, e, c, 2)
	text := e.do("task", "metrics", "--format", "json", c.id).must(t)
	var m struct {
		Pids   struct{ Current int }
		Memory struct {
			Usage struct{ Limit, Usage int64 } // cgroup v1
			Limit int64                        `json:"usage_limit"` // v2
		}
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if m.Pids.Current != 2 || max(m.Memory.Usage.Limit, m.Memory.Limit) != 33554432 {
		t.Errorf("metrics: %s", text)
	}
}

func ctrOOM(t *testing.T, e *engine) {
	heard := e.listenTo(t, "events")
	id := e.fresh()
	d := e.do("run", "--rm", "--runc-binary", e.bin, "--memory-limit", "16777216", e.image, id, "sh", "-c", "head -c 100000000 /dev/zero | tail; sleep 1")
	t.Log(d.code, d.stderr) // the shell or tail is the one that is killed: either code is right; a shim says nothing of a group that has gone meanwhile
	eventually(t, deadline/2, "the event", func() (string, bool) {
		text := heard()
		return text, strings.Contains(text, "/tasks/oom") && strings.Contains(text, id)
	})
	once(t, e, []string{"--memory-limit", "16777216"}, "tail", "/dev/zero").exits(t, 137)
}

// listenTo runs a command that goes on printing, until the row's end, and gives what it has said.
func (e *engine) listenTo(t *testing.T, args ...string) (heard func() string) {
	t.Helper()
	file, err := os.Create(e.dir + "/" + e.fresh() + ".heard")
	if err != nil {
		t.Fatal(err)
	}
	argv := slices.Concat(e.cli, args)
	cmd := exec.Command(argv[0], argv[1:]...)
	var errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = e.env, file, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	file.Close()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if errs.Len() > 0 {
			t.Log(errs.String())
		}
	})
	return func() string { return textOf(t, file.Name()) }
}
