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
		podman(),
		containerd1(),
		containerd2(),
		docker(),
		remapped(),
		cni(),
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
	said := map[string][]string{}
	for _, runtime := range runtimes {
		t.Run(runtime, func(t *testing.T) { said[runtime] = m.with(t, runtime) })
	}
	t.Run("logs", func(t *testing.T) { // no error or warning that it has not with runc
		defer note(t, m.name, "rt", "logs as with runc")
		for _, line := range news(said["runc"], said["rt"]) {
			t.Errorf("only with rt: %s", line)
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
