package cgroups

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/kernel"
)

const enough = 10 * time.Second

// eachHost runs a test on what this machine has: v1, v2, or both on a hybrid one, where the
// v2 tree is taken for a host of its own (without controllers).
func eachHost(t *testing.T, test func(t *testing.T, host kernel.Cgroups)) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	host, err := kernel.ReadCgroups()
	if err != nil {
		t.Fatal(err)
	}
	ran := false
	if host.Version == 1 {
		ran = true
		t.Run("v1", func(t *testing.T) { test(t, host) })
	}
	if host.Unified.Mount != "" {
		ran = true
		v2 := kernel.Cgroups{Version: 2, Unified: host.Unified}
		t.Run("v2", func(t *testing.T) { test(t, v2) })
	}
	if !ran {
		t.Skip("no cgroups are mounted")
	}
}

// needs skips a test that needs a controller.
func needs(t testing.TB, host kernel.Cgroups, controller string) {
	t.Helper()
	for _, h := range append(host.V1[:len(host.V1):len(host.V1)], host.Unified) {
		for _, c := range h.Controllers {
			if c == controller {
				return
			}
		}
	}
	t.Skip("no " + controller + " controller here")
}

// testPath is an absolute cgroupsPath of this test alone; what is left there at the end fails
// the test, and is removed.
func testPath(t testing.TB, host kernel.Cgroups) string {
	t.Helper()
	name := fmt.Sprintf("/rt-test-cg-%d-%s", os.Getpid(), strings.NewReplacer("/", "-", "#", "-").Replace(t.Name()))
	p, _, err := Compile(name, "", nil, host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left := present(p.Group()); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		p.Group().Kill(enough)
		p.Group().Destroy(enough)
	})
	return name
}

func present(g Group) []string {
	var found []string
	for _, d := range g.Dirs {
		if _, err := os.Stat(d.Path); err == nil {
			found = append(found, d.Path)
		}
	}
	return found
}

func compile(t testing.TB, name string, r *specs.LinuxResources, host kernel.Cgroups) Plan {
	t.Helper()
	p, _, err := Compile(name, "", r, host)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// create makes a group that is destroyed when the test ends.
func create(t testing.TB, name string, r *specs.LinuxResources, host kernel.Cgroups) Group {
	t.Helper()
	g, err := Create(compile(t, name, r, host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		check(t, g.Kill(enough))
		check(t, g.Destroy(enough))
	})
	return g
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// process starts a shell that is in the groups before it does anything. Its output is lines.
func process(t testing.TB, g Group, script string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "read go; "+script)
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reap(t, cmd) })
	for _, d := range g.Dirs {
		put(t, d.Path+"/cgroup.procs", strconv.Itoa(cmd.Process.Pid))
	}
	in.Write([]byte("go\n"))
	in.Close()
	return cmd, bufio.NewReader(out)
}

// reap does not wait for ever: a frozen process does not die.
func reap(t testing.TB, cmd *exec.Cmd) {
	cmd.Process.Kill()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(enough):
		t.Errorf("process %d does not die", cmd.Process.Pid)
	}
}

func put(t testing.TB, name, value string) {
	t.Helper()
	check(t, os.WriteFile(name, []byte(value), 0))
}

func get(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	check(t, err)
	return strings.TrimSpace(string(text))
}

// nested makes groups below all of g's, in v1 with a filled cpuset.
func nested(t testing.TB, g Group, name string) Group {
	t.Helper()
	sub := Group{V2: g.V2}
	for _, d := range g.Dirs {
		dir := filepath.Join(d.Path, name)
		check(t, os.Mkdir(dir, 0o755))
		if d.has("cpuset") {
			for _, f := range []string{"/cpuset.cpus", "/cpuset.mems"} {
				put(t, dir+f, get(t, d.Path+f))
			}
		}
		sub.Dirs = append(sub.Dirs, Dir{d.Controller, dir, d.Mount})
	}
	return sub
}

func waitFor(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(enough); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("timeout: " + what)
		}
	}
}
