//go:build managers

package managers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// flags are words of a command line; one word must not have spaces in it.
func flags(words string) []string { return strings.Fields(words) }

// args is a command line for a container: the manager's own flags, those of the row, no
// network unless the row names one, then the image and the command.
func (e *engine) args(verb string, own []string, command []string) []string {
	line := append(append([]string{verb}, e.flags...), own...)
	own = append([]string{""}, own...)
	networked := false
	for _, f := range own {
		networked = networked || strings.HasPrefix(f, "--net") || strings.HasPrefix(f, "--pod")
	}
	if !networked {
		line = append(line, "--network", "none")
	}
	return append(append(line, e.image), command...)
}

// ran runs a container to its end.
func (e *engine) ran(own []string, command ...string) did {
	return e.do(e.args("run", append([]string{"--rm", "--name", e.fresh()}, own...), command)...)
}

// shell runs a script in a container to its end.
func (e *engine) shell(own []string, script string) did { return e.ran(own, "sh", "-c", script) }

// box starts a container that goes on running, and gives its name. It is removed after the row.
func (e *engine) box(t *testing.T, own []string, command ...string) string {
	t.Helper()
	name := e.fresh()
	t.Cleanup(func() { e.do("rm", "-f", "-v", name) })
	e.do(e.args("run", append([]string{"-d", "--name", name}, own...), command)...).must(t)
	return name
}

// sleeper is a box that does nothing and ends at the first TERM.
func (e *engine) sleeper(t *testing.T, own ...string) string {
	t.Helper()
	return e.box(t, own, "sh", "-c", "trap 'exit 143' TERM; echo up; while :; do sleep 0.1; done")
}

// inspect is one field of what the manager says about a container.
func (e *engine) inspect(t *testing.T, name, field string) string {
	t.Helper()
	return e.do("inspect", "-f", "{{"+field+"}}", name).must(t)
}

// becomes waits until a field is want.
func (e *engine) becomes(t *testing.T, name, field, want string) {
	t.Helper()
	eventually(t, 20*time.Second, field+" of "+name+" becomes "+want, func() (string, bool) {
		now := e.do("inspect", "-f", "{{"+field+"}}", name)
		return now.stdout + now.stderr, strings.TrimSpace(now.stdout) == want
	})
}

// logged waits until the container has written text.
func (e *engine) logged(t *testing.T, name, text string) {
	t.Helper()
	eventually(t, 10*time.Second, "log of "+name+" has "+text, func() (string, bool) {
		d := e.do("logs", name)
		return d.stdout + d.stderr, strings.Contains(d.stdout+d.stderr, text)
	})
}

// proc is a file of the container's first process, as the host sees it.
func (e *engine) proc(t *testing.T, name, file string) string {
	t.Helper()
	return read(t, "/proc/"+e.inspect(t, name, ".State.Pid")+"/"+file)
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// limit is a file of the container's cgroup (v1), such as memory/memory.limit_in_bytes.
func (e *engine) limit(t *testing.T, name, file string) string {
	t.Helper()
	controller, base := filepath.Split(file)
	controller = strings.TrimSuffix(controller, "/")
	for line := range strings.Lines(e.proc(t, name, "cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if parts[1] == controller {
			return read(t, filepath.Join("/sys/fs/cgroup", controller, parts[2], base))
		}
	}
	t.Fatalf("%s is in no group of %s", name, controller)
	return ""
}

// shown is a container that runs to its end: what it prints, and how it ends, is the proof.
type shown struct {
	name string
	own  []string // flags
	sh   string
	want string
	code int
}

// rowsOf makes a row of each.
func rowsOf(table []shown) []row {
	var rows []row
	for _, s := range table {
		rows = append(rows, row{s.name, func(t *testing.T, e *engine) {
			equal(t, "stdout", e.shell(s.own, s.sh).exits(t, s.code), s.want)
		}})
	}
	return rows
}
