//go:build managers

package managers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func containerd1() manager {
	return manager{
		name:  "containerd1",
		needs: []string{program("containerd"), program("ctr"), program("containerd-shim-runc-v2")},
		open:  openContainerd1,
		rows:  slices.Concat(ctrProcess(), ctrLife(), ctrSecurity(), ctrMounts(), ctrLimits(), ctrNetwork()),
	}
}

func containerd2() manager {
	return manager{
		name:  "containerd2",
		needs: []string{built("containerd"), built("ctr"), built("containerd-shim-runc-v2")},
		open:  openContainerd2,
		rows:  append(containerd1().rows, ctrOf2()...),
	}
}

// openContainerd1 is the distribution's containerd, version 1.6 at Debian 12.
func openContainerd1(t *testing.T, e *engine) {
	e.containerd(t, 2, program("containerd"), program("ctr"))
}

// openContainerd2 is the one that make deps-managers builds.
func openContainerd2(t *testing.T, e *engine) {
	e.env[0] = "PATH=" + filepath.Dir(built("ctr")) + ":" + path // of shims, the first is taken
	e.containerd(t, 3, built("containerd"), built("ctr"))
}

// containerd starts one whose files all lie in the engine's directory. The namespace's name is
// that of the cgroup in which ctr puts its containers.
func (e *engine) containerd(t *testing.T, config int, daemon, client string) {
	t.Helper()
	over(t, "/opt")
	clean(t, "/run/containerd/runc/*/"+it.prefix+"*")
	socket := e.dir + "/c.sock"
	write(t, e.dir+"/config.toml",
		fmt.Sprintf("version = %d", config),
		fmt.Sprintf("root = %q", e.dir+"/root"),
		fmt.Sprintf("state = %q", e.dir+"/state"),
		"oom_score = 0", // lowering it takes CAP_SYS_RESOURCE
		`disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images"]`,
		"[grpc]",
		fmt.Sprintf("address = %q", socket),
	)
	e.cli = []string{client, "-a", socket, "-n", e.parent()}
	e.start(t, []string{daemon, "--config", e.dir + "/config.toml", "--log-level", "info"}).answers(t, e, "version")
	e.image = "localhost/busybox:latest"
	e.do("images", "import", archive(t, e.dir, e.image)).must(t)
}

// ctrRun is the command line of a container that is removed after its end. It stands after
// e.cli.
func ctrRun(e *engine, flags []string, argv ...string) []string {
	return slices.Concat([]string{"run", "--rm", "--runc-binary", e.bin}, flags, []string{e.image, e.fresh()}, argv)
}

// once runs a container to its end; standard output is all that it has written.
func once(t *testing.T, e *engine, flags []string, argv ...string) did {
	return e.throughShim(t, "run", ctrRun(e, flags, argv...)[1:])
}

// throughShim is do, but the shim gives the output to a program: ctr closes its pipes when the
// task has ended, whether it has read them or not, and under load the shim's own log files
// lack the end, too. For a program it waits.
func (e *engine) throughShim(t *testing.T, verb string, args []string) did {
	t.Helper()
	file := e.dir + "/" + e.fresh() + ".out"
	program := e.dir + "/logger"
	if _, err := os.Stat(program); err != nil {
		e.save(t, "logger", logger, 0o755)
	}
	d := e.do(slices.Concat(strings.Fields(verb), []string{"--log-uri", "binary://" + program + "?" + file}, args)...)
	if text, err := os.ReadFile(file); err == nil {
		d.stdout += string(text)
	}
	return d
}

// logger keeps what comes by 3 and 4, the two outputs; the shim waits until 5 is closed, and
// sends TERM when there is no more to come.
const logger = `#!/bin/sh
trap '' TERM
cat <&3 >>"$1" 5>&- &
cat <&4 >>"$1" 5>&- &
exec 5>&-
wait
`

// container is one that ctr has started, and that a row looks at.
type container struct {
	id  string
	pid int
	log string // its output
}

// up starts a container that goes on, and removes it after the row.
func up(t *testing.T, e *engine, flags []string, argv ...string) container {
	t.Helper()
	c := container{id: e.fresh()}
	c.log = e.dir + "/" + c.id + ".out"
	write(t, c.log)
	head := []string{"run", "-d", "--runc-binary", e.bin, "--pid-file", e.dir + "/" + c.id + ".pid", "--log-uri", "file://" + c.log}
	t.Cleanup(func() {
		e.do("task", "rm", "-f", c.id) // the row may have done so
		e.do("container", "rm", c.id).must(t)
	})
	e.do(slices.Concat(head, flags, []string{e.image, c.id}, argv)...).must(t)
	c.pid = number(t, textOf(t, e.dir+"/"+c.id+".pid"))
	return c
}

// inside runs a command in a running container.
func (c container) inside(t *testing.T, e *engine, argv ...string) did {
	return e.throughShim(t, "task exec", slices.Concat([]string{"--exec-id", e.fresh(), c.id}, argv))
}

// becomes waits for what ctr says about a task.
func (c container) becomes(t *testing.T, e *engine, status string) {
	t.Helper()
	eventually(t, 20*time.Second, c.id+" is "+status, func() (string, bool) {
		list := e.do("task", "ls").must(t)
		for line := range strings.Lines(list) {
			if fields := strings.Fields(line); len(fields) == 3 && fields[0] == c.id {
				return list, fields[2] == status
			}
		}
		return list, status == "gone"
	})
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
