package integration

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// container is a bundle with a state root of its own.
type container struct {
	t      *testing.T
	id     string
	bundle string
	root   string   // --root
	made   []string // paths below the rootfs that the runtime may make, or the workload change
	before []string // the rootfs as built
	caller plain    // who calls the runtime; zero: root
	bin    string   // another runtime than the one under test
}

// newContainer writes a bundle with the default config as changed by edits. At the end of
// the test the rootfs must be as it was and the state root empty; deleting the container is
// the test's work.
func newContainer(t *testing.T, edits ...func(*specs.Spec)) *container {
	t.Helper()
	it.next++
	c := &container{t: t, id: fmt.Sprintf("%s-%d", it.prefix, it.next)}
	c.bundle = filepath.Join(it.base, c.id)
	c.root = filepath.Join(c.bundle, "state")
	if err := os.Mkdir(c.bundle, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := copyImage(it.image, c.rootfs()); err != nil {
		t.Fatal(err)
	}
	c.before = listTree(c.rootfs())
	c.config(edits...)
	t.Cleanup(c.close)
	return c
}

func (c *container) rootfs() string { return filepath.Join(c.bundle, "rootfs") }

func (c *container) config(edits ...func(*specs.Spec)) {
	c.t.Helper()
	s := defaultSpec()
	for _, e := range edits {
		if e != nil {
			e(s)
		}
	}
	b, err := json.Marshal(s)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write("config.json", string(b))
}

// write makes a file in the bundle; its name may begin with rootfs/.
func (c *container) write(name, data string) string {
	c.t.Helper()
	path := filepath.Join(c.bundle, name)
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// put makes a file of the rootfs before the runtime sees it.
func (c *container) put(name, data string, mode os.FileMode) {
	c.t.Helper()
	path := c.write("rootfs/"+name, data)
	if err := os.Chmod(path, mode); err != nil {
		c.t.Fatal(err)
	}
	c.before = listTree(c.rootfs())
}

func (c *container) close() {
	if c.t.Failed() {
		c.rt("delete", "--force", c.id)
	}
	c.checkRootfs()
	for _, name := range c.records() {
		c.t.Errorf("left in the state root: %s", name)
	}
	os.RemoveAll(c.bundle)
}

func (c *container) checkRootfs() {
	for _, f := range faults(c.before, listTree(c.rootfs())) {
		path := strings.Fields(f)[1]
		expected := false
		for _, m := range c.made {
			expected = expected || path == m
		}
		if !expected {
			c.t.Errorf("rootfs changed: %s", f)
		}
	}
}

// records lists the containers in the state root. No id begins with '@': such a directory
// is the runtime's own.
func (c *container) records() []string {
	entries, _ := os.ReadDir(c.root)
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "@") {
			names = append(names, e.Name())
		}
	}
	return names
}

// command is the runtime with --root and args. What may outlive it gets files as stdio.
func (c *container) command(args ...string) command {
	outlived := false
	for _, a := range args {
		outlived = outlived || a == "create" || a == "--detach" || a == "-d"
	}
	return c.caller.command(command{args: append(c.binary(), args...), dir: it.base, files: outlived})
}

// binary leaves the choice of the state directory to the runtime where root is empty.
func (c *container) binary() []string {
	bin := cmp.Or(c.bin, it.bin)
	if c.root == "" {
		return []string{bin}
	}
	return []string{bin, "--root", c.root}
}

func (c *container) rt(args ...string) result {
	c.t.Helper()
	return c.command(args...).run(c.t)
}

// with puts flags between the command and its operands.
func with(name string, flags []string, operands ...string) []string {
	return append(append([]string{name}, flags...), operands...)
}

func (c *container) create(flags ...string) result {
	c.t.Helper()
	return c.rt(with("create", append([]string{"--bundle", c.bundle}, flags...), c.id)...)
}

func (c *container) run(flags ...string) result {
	c.t.Helper()
	return c.rt(with("run", append([]string{"--bundle", c.bundle}, flags...), c.id)...)
}

func (c *container) start() result {
	c.t.Helper()
	return c.rt("start", c.id)
}

func (c *container) kill(signal string) result {
	c.t.Helper()
	return c.rt("kill", c.id, signal)
}

func (c *container) delete(flags ...string) result {
	c.t.Helper()
	return c.rt(with("delete", flags, c.id)...)
}

// exec runs args inside; flags come before the id.
func (c *container) exec(flags []string, args ...string) result {
	c.t.Helper()
	return c.rt(append(with("exec", flags, c.id), args...)...)
}

// sh is exec of a shell script.
func (c *container) sh(script string) result {
	c.t.Helper()
	return c.exec(nil, "sh", "-c", script)
}

// state is what the `state` command prints.
type state struct {
	OCIVersion  string            `json:"ociVersion"`
	ID          string            `json:"id"`
	Pid         int               `json:"pid"`
	Status      string            `json:"status"`
	Bundle      string            `json:"bundle"`
	Rootfs      string            `json:"rootfs"`
	Created     string            `json:"created"`
	Annotations map[string]string `json:"annotations"`
	Owner       string            `json:"owner"`
}

func (c *container) state() state {
	c.t.Helper()
	r := c.rt("state", c.id).must(c.t)
	var s state
	if err := json.Unmarshal([]byte(r.stdout), &s); err != nil {
		c.t.Fatalf("%v\n%v", r, err)
	}
	return s
}

func (c *container) wantStatus(want string) state {
	c.t.Helper()
	s := c.state()
	if s.Status != want {
		c.t.Fatalf("status %q, want %q\n%s", s.Status, want, diagnosis())
	}
	return s
}

func (c *container) untilStatus(want string) {
	c.t.Helper()
	until(c.t, "status "+want, func() bool { return c.state().Status == want })
}

// running gives a started container whose workload is sleep.
func newRunning(t *testing.T, edits ...func(*specs.Spec)) *container {
	t.Helper()
	c := newCreated(t, edits...)
	c.start().must(t)
	return c
}

// newCreated gives a created container whose workload is sleep, unless an edit says otherwise.
func newCreated(t *testing.T, edits ...func(*specs.Spec)) *container {
	t.Helper()
	c := newContainer(t, append([]func(*specs.Spec){args("sleep", "300")}, edits...)...)
	c.create().must(t)
	return c
}

// newStopped gives a container whose workload has ended.
func newStopped(t *testing.T, edits ...func(*specs.Spec)) *container {
	t.Helper()
	c := newRunning(t, append(edits, args("true"))...)
	c.untilStatus("stopped")
	return c
}

func pidFile(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(b))
	if err != nil {
		t.Fatalf("pid file holds %q: %v", b, err)
	}
	return pid
}
