package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// hookKind is what the specification says of a kind of hooks.
type hookKind struct {
	name   string
	inside bool   // in the container's namespaces
	image  bool   // the program is the image's
	by     string // the command that runs it
	status string
}

var hookKinds = []hookKind{
	{name: "prestart", by: "create", status: "creating"},
	{name: "createRuntime", by: "create", status: "creating"},
	{name: "createContainer", by: "create", status: "creating", inside: true},
	{name: "startContainer", by: "start", status: "created", inside: true, image: true},
	{name: "poststart", by: "start", status: "running"},
	{name: "poststop", by: "delete", status: "stopped"},
}

// set gives the spec hooks of the kind.
func (k hookKind) set(list ...specs.Hook) func(*specs.Spec) {
	return func(s *specs.Spec) {
		if s.Hooks == nil {
			s.Hooks = &specs.Hooks{}
		}
		//nolint:staticcheck // prestart is deprecated, and managers still write it
		*map[string]*[]specs.Hook{
			"prestart": &s.Hooks.Prestart, "createRuntime": &s.Hooks.CreateRuntime, "createContainer": &s.Hooks.CreateContainer,
			"startContainer": &s.Hooks.StartContainer, "poststart": &s.Hooks.Poststart, "poststop": &s.Hooks.Poststop,
		}[k.name] = list
	}
}

// shared is a directory of the bundle that the container has at /mnt.
func (c *container) shared() func(*specs.Spec) {
	os.Mkdir(c.bundle+"/shared", 0o777)
	os.Chmod(c.bundle+"/shared", 0o777)
	return addMount(specs.Mount{Destination: "/mnt", Type: "bind", Source: c.bundle + "/shared", Options: []string{"bind"}})
}

// place is the shared directory as a hook of the kind sees it.
func (k hookKind) place(c *container) string {
	if k.image {
		return "/mnt"
	}
	return c.bundle + "/shared"
}

// sh is a hook that runs text, in which @ is the shared directory.
func (k hookKind) sh(c *container, text string) specs.Hook {
	return specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", strings.ReplaceAll(text, "@", k.place(c))}, Env: []string{"PATH=/usr/bin:/bin"}}
}

// sharedFile is a file of the shared directory, "" if it is missing.
func (c *container) sharedFile(name string) string {
	b, _ := os.ReadFile(filepath.Join(c.bundle, "shared", name))
	return string(b)
}

// hookRow is something that holds for hooks of every kind.
type hookRow struct {
	name   string
	hook   func(*container, hookKind) specs.Hook
	edit   func(*specs.Spec)
	want   func(c *container, k hookKind, pid int) string // what the file `out` then holds; pid is init's
	differ string                                         // the kinds to which the verdicts apply; empty: all
	peers
}

func (r hookRow) verdicts(k hookKind) peers {
	if r.differ != "" && !strings.Contains(r.differ, k.name) {
		return peers{}
	}
	return r.peers
}

// life creates, starts and deletes a container, and lets look at it while it is created.
func (c *container) life(look func(pid int)) {
	c.t.Helper()
	c.create().must(c.t)
	look(c.state().Pid)
	c.start().must(c.t)
	c.delete("--force").must(c.t)
}

func TestHookKinds(t *testing.T) {
	for _, r := range hookRows() {
		for _, k := range hookKinds {
			t.Run(r.name+"/"+k.name, func(t *testing.T) {
				needBinary(t, r.verdicts(k))
				watch(t)
				c := newContainer(t)
				c.config(args("sleep", "300"), c.shared(), r.edit, k.set(r.hook(c, k)))
				var want string
				c.life(func(pid int) { want = r.want(c, k, pid) })
				if got := c.sharedFile("out"); got != want {
					t.Errorf("%q\nshould be %q", got, want)
				}
			})
		}
	}
}

func hookRows() []hookRow {
	sh := func(text string) func(*container, hookKind) specs.Hook {
		return func(c *container, k hookKind) specs.Hook { return k.sh(c, text) }
	}
	exact := func(env ...string) func(*container, hookKind) specs.Hook {
		return func(c *container, k hookKind) specs.Hook {
			h := k.sh(c, "exec 3</proc/self/environ; /bin/cat <&3 >@/out; exec 3</proc/self/cmdline; /bin/cat <&3 >>@/out; true")
			h.Args = append(h.Args, "", "x y")
			h.Env = env
			return h
		}
	}
	environ := func(env ...string) func(*container, hookKind, int) string {
		return func(c *container, k hookKind, _ int) string {
			return strings.Join(append(append(env, exact()(c, k).Args...), ""), "\x00")
		}
	}
	return []hookRow{
		{name: "namespaces", hook: sh("for n in mnt uts ipc net pid cgroup user; do readlink /proc/self/ns/$n; done >@/out"), want: hookNamespaces},
		{name: "cgroup", hook: sh("cat /proc/self/cgroup >@/out"), want: hookGroup},
		{name: "working directory", edit: func(s *specs.Spec) { s.Process.Cwd = "/tmp" },
			hook: sh("pwd >@/out"), want: hookCwd, differ: "poststop", peers: peers{runc: differs("delete leaves poststop in its own directory")}},
		{name: "environment and arguments", hook: exact("A=1 2,3", "EMPTY=", "Z=ü"), want: environ("A=1 2,3", "EMPTY=", "Z=ü")},
		{name: "equal names", hook: exact("A=1", "A=2", "HOME="), want: environ("A=1", "A=2", "HOME="), peers: peers{runc: differs("keeps the last of equal names")}},
		{name: "no environment", hook: exact(), want: environ(), peers: peers{runc: differs("1.1 gives the hook its own environment")}},
		{name: "no arguments", hook: func(c *container, k hookKind) specs.Hook {
			c.program(k, "#!/bin/sh\necho $# $0 >"+k.place(c)+"/out\n")
			return specs.Hook{Path: k.place(c) + "/program"}
		}, want: func(c *container, k hookKind, _ int) string { return "0 " + k.place(c) + "/program\n" }},
		{name: "descriptors", hook: sh("for fd in /proc/self/fd/*; do echo ${fd##*/}; done | sort -n | tr '\\n' ' ' >@/out"),
			want:   func(*container, hookKind, int) string { return "0 1 2 3 " }, // 3 is the shell's, which lists them
			differ: "createContainer poststop", peers: peers{runc: differs("leaks its own, and what it inherited")}},
		// 32 and 33 are the C library's own, and ignored below make. For the last command busybox ignores QUIT.
		{name: "signals", hook: sh("grep -E '^Sig(Blk|Ign)' /proc/self/status | sed 's/[01]80000000$/000000000/' >@/out; true"),
			want: func(*container, hookKind, int) string {
				return "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
			}},
		{name: "umask", hook: sh("umask >@/out"), want: func(*container, hookKind, int) string { return "0022\n" }},
		{name: "a large state", hook: sh("wc -c | tr -d ' ' >@/size; [ $(cat @/size) -gt 200000 ] && echo large >@/out"),
			edit: func(s *specs.Spec) { s.Annotations = map[string]string{"x": strings.Repeat("y", 200000)} },
			want: func(*container, hookKind, int) string { return "large\n" }},
		{name: "the state can be opened again", edit: user(1000, 1000), hook: sh("grep -c ociVersion /dev/stdin >@/out"),
			want: func(*container, hookKind, int) string { return "1\n" }},
	}
}

func (c *container) program(k hookKind, text string) {
	if err := os.WriteFile(c.bundle+"/shared/program", []byte(text), 0o755); err != nil {
		c.t.Fatal(err)
	}
}

func hookNamespaces(c *container, k hookKind, pid int) string {
	whose := "self"
	if k.inside {
		whose = fmt.Sprint(pid)
	}
	var out strings.Builder
	for _, n := range strings.Fields("mnt uts ipc net pid cgroup user") {
		target, err := os.Readlink("/proc/" + whose + "/ns/" + n)
		if err != nil {
			c.t.Error(err)
		}
		out.WriteString(target + "\n")
	}
	return out.String()
}

func hookGroup(c *container, k hookKind, pid int) string {
	whose := "self"
	if k.inside && hasV2() { // whose default has a cgroup namespace
		return "0::/\n"
	}
	if k.inside {
		whose = fmt.Sprint(pid)
	}
	b, err := os.ReadFile("/proc/" + whose + "/cgroup")
	if err != nil {
		c.t.Error(err)
	}
	return string(b)
}

func hookCwd(c *container, k hookKind, _ int) string {
	switch {
	case k.image:
		return "/tmp\n"
	case k.inside:
		return c.rootfs() + "\n"
	}
	return c.bundle + "\n"
}

// TestHookStates: what a hook is told, and what others are told while it runs.
func TestHookStates(t *testing.T) {
	verdicts := map[string]verdict{
		"create": differs("has no record yet"), "delete": differs("has no record any more"), "start": differs("1.1 says created to poststart, and runs it at create"),
	}
	var scenes []scene
	for _, k := range hookKinds {
		p := peers{runc: verdicts[k.by]}
		if k.image {
			p = peers{}
		}
		for _, run := range []bool{false, true} {
			scenes = append(scenes, scene{name: fmt.Sprintf("%s, run %v", k.name, run), peers: p, play: func(t *testing.T) { k.states(t, run) }})
		}
	}
	runScenes(t, scenes)
}

// states holds the hook while the test looks.
func (k hookKind) states(t *testing.T, run bool) {
	c := newContainer(t)
	annotated := func(s *specs.Spec) { s.Annotations = map[string]string{"a.b": "<c>"} }
	c.config(args("sleep", "300"), c.shared(), annotated, k.set(k.sh(c, "cat >@/out; touch @/in; until [ -e @/go ]; do sleep 0.01; done")))
	r := c.hold(k, run)
	s := c.state()
	if s.Status != k.status || s.ID != c.id || s.Bundle != c.bundle || s.Annotations["a.b"] != "<c>" {
		t.Errorf("state: %+v, should be %s", s, k.status)
	}
	want(t, c.rt("list", "-q"), 0, is(c.id+"\n"), is(""))
	os.WriteFile(c.bundle+"/shared/go", nil, 0o644)
	r.settle(c, k)
	k.told(c, s.Pid)
}

// hold starts what runs the hook, up to when the file `in` is there.
func (c *container) hold(k hookKind, run bool) *running {
	c.t.Helper()
	in := func() bool { _, err := os.Stat(c.bundle + "/shared/in"); return err == nil }
	if run {
		r := c.command("run", "--detach", "--bundle", c.bundle, c.id).start(c.t)
		if k.by == "delete" {
			r.wait(c.t).must(c.t)
			r = c.command("delete", "--force", c.id).start(c.t)
		}
		r.until(c.t, "the hook", in)
		return r
	}
	r := c.command("create", "--bundle", c.bundle, c.id).start(c.t)
	if k.by != "create" {
		r.wait(c.t).must(c.t)
		operands := map[string][]string{"start": {"start", c.id}, "delete": {"delete", "--force", c.id}}
		r = c.command(operands[k.by]...).start(c.t)
	}
	r.until(c.t, "the hook", in)
	return r
}

// settle waits for the end of what hold started, and takes the container away.
func (r *running) settle(c *container, k hookKind) {
	r.wait(c.t).must(c.t)
	if k.by != "delete" {
		c.delete("--force").must(c.t)
	}
}

// told checks what the hook had on its standard input.
func (k hookKind) told(c *container, pid int) {
	c.t.Helper()
	var s state
	if err := json.Unmarshal([]byte(c.sharedFile("out")), &s); err != nil {
		c.t.Fatalf("%v: %q", err, c.sharedFile("out"))
	}
	if k.inside {
		pid = 1
	}
	want := state{OCIVersion: "1.0.2-dev", ID: c.id, Pid: pid, Status: k.status, Bundle: c.bundle}
	if s.Annotations["a.b"] != "<c>" {
		c.t.Errorf("annotations: %v", s.Annotations)
	}
	s.Annotations = nil
	if fmt.Sprintf("%+v", s) != fmt.Sprintf("%+v", want) {
		c.t.Errorf("told   %+v\nshould %+v", s, want)
	}
}
