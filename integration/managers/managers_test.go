//go:build managers

package managers

import (
	"os"
	"os/exec"
	"testing"
)

// managers is the table of managers. Their rows lie beside them.
func managers() []manager {
	return []manager{
		podman(), podmanJSON(), podmanRootless(), buildah(), umoci(),
		containerd1(), containerd2(), docker(), remapped(), cni(),
	}
}

// runtimes are tried in this order: a row that is not green with runc says nothing about rt.
var runtimes = []string{"runc", "rt"}

func TestManagers(t *testing.T) {
	for _, m := range managers() {
		t.Run(m.name, func(t *testing.T) { m.run(t) })
	}
}

func (m manager) run(t *testing.T) {
	for _, program := range m.needs {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v (make deps-managers)", err)
		}
	}
	said, left := map[string][]string{}, map[string][]string{}
	for _, runtime := range runtimes {
		t.Run(runtime, func(t *testing.T) {
			before := census(t)
			t.Cleanup(func() { left[runtime] = remains(t, before) }) // runs last: the daemons are gone
			said[runtime] = m.with(t, runtime)
		})
	}
	t.Run("logs", func(t *testing.T) { // no error or warning that it has not with runc
		defer note(t, m.name, "rt", "logs as with runc")
		for _, line := range news(said["runc"], said["rt"]) {
			t.Errorf("only with rt: %s", line)
		}
	})
	t.Run("left", func(t *testing.T) { // no process, cgroup or mount that runc does not leave
		defer note(t, m.name, "rt", "nothing left")
		for _, thing := range news(left["runc"], left["rt"]) {
			t.Errorf("only after rt: %s", thing)
		}
	})
}

// with runs all rows with one runtime, and gives the errors and warnings that were logged.
func (m manager) with(t *testing.T, runtime string) []string {
	e := &engine{runtime: runtime, bin: binary(t, runtime), dir: scratch(t), env: []string{"PATH=" + path, "HOME=/root"}}
	m.open(t, e)
	for _, r := range m.rows {
		t.Run(r.name, func(t *testing.T) {
			defer note(t, m.name, runtime, r.name)
			cannot(t, m.lacks, r.name)
			r.run(t, e)
		})
	}
	return e.complaints(t)
}

const path = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"

func binary(t *testing.T, runtime string) string {
	if runtime == "rt" {
		return it.rt
	}
	bin, err := exec.LookPath(runtime)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(bin); err != nil {
		t.Fatal(err)
	}
	return bin
}
