package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

var (
	createRuntime   = hookKinds[1]
	createContainer = hookKinds[2]
	startContainer  = hookKinds[3]
	poststart       = hookKinds[4]
	poststop        = hookKinds[5]
)

func TestHookScenes(t *testing.T) {
	runScenes(t, []scene{
		{name: "createContainer writes to a read-only root", play: func(t *testing.T) {
			c := newContainer(t)
			c.made = []string{"/etc/made"}
			c.config(args("cat", "/etc/made"), c.shared(), createContainer.set(createContainer.sh(c, "echo x >etc/made")))
			want(t, c.run(), 0, is("x\n"), is(""))
		}},
		{name: "createContainer mounts", play: func(t *testing.T) {
			c := newContainer(t)
			c.config(args("cat", "/var/f"), c.shared(), createContainer.set(createContainer.sh(c, "mount -t tmpfs x var && echo y >var/f")))
			want(t, c.run(), 0, is("y\n"), is(""))
		}},
		{name: "createRuntime mounts by the pid", play: func(t *testing.T) {
			c := newContainer(t)
			enter := `nsenter -m -t $(sed 's/.*"pid":\([0-9]*\).*/\1/') `
			c.config(args("cat", "/var/f"), c.shared(), createRuntime.set(createRuntime.sh(c, enter+"sh -c 'mount -t tmpfs x "+c.rootfs()+"/var && echo z >"+c.rootfs()+"/var/f'")))
			want(t, c.run(), 0, is("z\n"), is(""))
		}},
		{name: "masks and read-only paths come after them", play: func(t *testing.T) {
			c := newContainer(t)
			look := "cat /proc/keys; echo x >/proc/sys/kernel/domainname; echo x >/etc/x; true"
			c.config(script(look), c.shared(), createContainer.set(createContainer.sh(c, "true")))
			want(t, c.run(), 0, is(""), like("(?s)Read-only file system.*Read-only file system"))
		}},
		{name: "startContainer has the rights of root as the workload", play: func(t *testing.T) { rights(t, func(*specs.Spec) {}) }},
		{name: "startContainer has the rights of the user", play: func(t *testing.T) { rights(t, user(1000, 1000)) }},
		{name: "startContainer without no_new_privs", play: func(t *testing.T) {
			rights(t, edits(user(1000, 1000), func(s *specs.Spec) { s.Process.NoNewPrivileges = false }))
		}},
		{name: "run in the foreground", peers: peers{runc: differs("1.1 prints more of a failed poststop hook")}, play: hooksOfRun},
		{name: "create fails without a hook's doing", peers: peers{runc: differs("has no record any more")}, play: func(t *testing.T) {
			c := newContainer(t)
			state := it.bin + " --root " + c.root + " state " + c.id
			c.config(args("nosuch"), c.shared(), poststop.set(poststop.sh(c, state+" | grep -o '\"status\": .*,' >@/out")))
			want(t, c.create(), 1, is(""), has("executable file not found in $PATH"))
			c.wantOut("\"status\": \"stopped\",\n")
		}},
		{name: "run with startContainer is running afterwards", play: func(t *testing.T) {
			c := newContainer(t)
			c.config(args("sleep", "300"), c.shared(), startContainer.set(startContainer.sh(c, "true")))
			r := c.command("run", "--bundle", c.bundle, c.id).start(t)
			r.until(t, "the container", func() bool { return len(c.records()) > 0 && c.rt("state", c.id).code == 0 })
			c.untilStatus("running")
			c.kill("KILL").must(t)
			want(t, r.wait(t), 137, is(""), is(""))
		}},
		{name: "nothing was created", play: func(t *testing.T) {
			c := newContainer(t)
			c.config(args("sleep", "300"), c.shared(), poststop.set(poststop.sh(c, "echo stopped >>@/out")))
			c.create().must(t)
			want(t, c.create(), 1, is(""), has("already exists"))
			c.wantOut("")
			c.delete("--force").must(t)
			c.wantOut("stopped\n")
		}},
		{name: "the workload ends before poststart does", peers: peers{runc: differs("1.1 runs poststart at create")}, play: func(t *testing.T) {
			c := newContainer(t)
			c.config(c.shared(), poststart.set(poststart.sh(c, "sleep 0.3; echo done >@/out")))
			c.create().must(t)
			c.start().must(t)
			c.wantOut("done\n")
			c.delete().must(t)
		}},
		{name: "a half-made container has its poststop hooks", peers: peers{runc: rtOnly}, play: halfMade},
		{name: "kill ends a container whose hook hangs", peers: peers{runc: rtOnly}, play: killWhileHanging},
		{name: "who holds the lock", peers: peers{runc: differs("takes no locks")}, play: lockedOut},
		{name: "no pid namespace", peers: peers{runc: differs("leaves the hook's children")}, play: hooksOfSharedPid},
		{name: "preserved descriptors are the workload's", peers: peers{runc: differs("createContainer inherits them")}, play: hooksPreserve},
		{name: "what a hook leaves behind keeps nobody waiting", peers: peers{runc: differs("waits for it")}, play: hookLeaves},
		{name: "plan", peers: peers{runc: rtOnly}, play: func(t *testing.T) {
			c := newContainer(t)
			for _, k := range hookKinds {
				c.config(c.shared(), k.set(k.sh(c, "true")))
				want(t, c.rt("plan", "--explain", "/hooks", c.bundle), 0, like("^host  hook +/bin/sh +/hooks/"+k.name+"/0$"), is(""))
			}
		}},
	})
}

func (c *container) wantOut(want string) {
	c.t.Helper()
	if got := c.sharedFile("out"); got != want {
		c.t.Errorf("%q, should be %q", got, want)
	}
}

// rights compares what the kernel says of a hook with what it says of the workload.
func rights(t *testing.T, edit func(*specs.Spec)) {
	c := newContainer(t)
	look := "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/self/status; ulimit -n; umask; readlink /proc/self/cwd"
	filter := func(s *specs.Spec) { s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow} }
	c.config(script(look), c.shared(), filter, edit, startContainer.set(startContainer.sh(c, "{ "+look+"; } >@/out")))
	r := c.run().must(t)
	c.wantOut(r.stdout)
	if !strings.Contains(r.stdout, "Seccomp:\t2\n") {
		t.Errorf("no filter: %s", r.stdout)
	}
}

func hooksOfRun(t *testing.T) {
	c := newContainer(t)
	edit := []func(*specs.Spec){script("echo work; exit 7"), c.shared()}
	for _, k := range hookKinds[:5] {
		edit = append(edit, k.set(k.sh(c, "echo on stdout; echo on stderr >&2")))
	}
	c.config(append(edit, poststop.set(poststop.sh(c, "echo oh; exit 1")))...)
	want(t, c.run(), 7, is("work\n"), like(`^rt: warning: poststop hook 0 /bin/sh: exit status 1 after .*, output "oh" \(config.json: /hooks/poststop/0\)\n$`))
}

func halfMade(t *testing.T) {
	c := newContainer(t)
	c.config(args("sleep", "300"), c.shared(), createRuntime.set(createRuntime.sh(c, "touch @/in; exec sleep 1000")),
		poststop.set(poststop.sh(c, "cat >@/state; echo stopped >>@/out")))
	r := c.hold(createRuntime, false)
	r.cmd.Process.Kill()
	r.wait(t)
	c.delete("--force").must(t)
	c.wantOut("stopped\n")
	if !strings.Contains(c.sharedFile("state"), `"status":"stopped"`) {
		t.Error(c.sharedFile("state"))
	}
}

func killWhileHanging(t *testing.T) {
	for _, k := range []hookKind{createRuntime, createContainer, startContainer} {
		c := newContainer(t)
		c.config(args("sleep", "300"), c.shared(), k.set(k.hang(c)))
		r := c.hold(k, false)
		c.kill("KILL").must(t)
		want(t, r.wait(t), 1, is(""), has(k.name+" hook 0 /bin/sh: killed"))
	}
}

func lockedOut(t *testing.T) {
	c := newContainer(t)
	c.config(args("sleep", "300"), c.shared(), poststart.set(poststart.sh(c, "touch @/in; exec sleep 1000")))
	r := c.hold(poststart, false)
	begin := time.Now()
	want(t, c.delete(), 1, is(""), has("another command holds it: start, pid "+strconv.Itoa(r.cmd.Process.Pid)))
	if d := time.Since(begin); d > 12*time.Second {
		t.Errorf("took %v", d)
	}
	c.sh("true").must(t) // takes no lock
	c.delete("--force").must(t)
	r.wait(t)
}

// hooksOfSharedPid: without a namespace that ends with the init, hooks that failed leave
// nothing in the cgroup all the same.
func hooksOfSharedPid(t *testing.T) {
	for _, k := range []hookKind{createContainer, startContainer} {
		c := newContainer(t)
		text := "cat >@/state; setsid sleep 1000 & echo $! >@/pid; until [ \"$(cut -d' ' -f6 /proc/$!/stat)\" = $! ]; do sleep 0.01; done; exit 1"
		c.config(args("sleep", "300"), without("pid"), c.shared(), k.set(k.sh(c, text)))
		c.create("--pid-file", c.bundle+"/pidfile")
		if k.image {
			want(t, c.start(), 1, is(""), has("exit status 1"))
			pid, _ := os.ReadFile(c.bundle + "/pidfile")
			if !strings.Contains(c.sharedFile("state"), fmt.Sprintf(`"pid":%s,`, pid)) {
				t.Errorf("init is %s: %s", pid, c.sharedFile("state"))
			}
		}
		if left := c.records(); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		until(t, "no hook", func() bool { return !anybody("sleep 1000") })
	}
}

func hooksPreserve(t *testing.T) {
	c := newContainer(t)
	edit := []func(*specs.Spec){script("ls /proc/self/fd | tr '\\n' ' '"), c.shared()}
	for _, k := range hookKinds {
		edit = append(edit, k.set(k.sh(c, "for fd in /proc/self/fd/*; do echo ${fd##*/}; done | sort -n | tr '\\n' ' ' >>@/out")))
	}
	c.config(edit...)
	cmd := c.command("run", "--preserve-fds", "2", "--bundle", c.bundle, c.id)
	cmd.extra = []*os.File{scratch(t), scratch(t)}
	want(t, cmd.run(t), 0, is("0 1 2 3 4 5 "), is(""))
	c.wantOut(strings.Repeat("0 1 2 3 ", len(hookKinds)))
}

// hookLeaves has a daemon in each kind, with the hook's own streams. One of the host's lives on.
func hookLeaves(t *testing.T) {
	for _, k := range hookKinds {
		c := newContainer(t)
		c.config(args("sleep", "300"), c.shared(), k.set(k.sh(c, "sleep 1000 & echo $! >@/pid")))
		begin := time.Now()
		c.life(func(int) {})
		if d := time.Since(begin); d > 3*time.Second {
			t.Errorf("%s: took %v", k.name, d)
		}
		if k.inside && anybody("sleep 1000") {
			t.Errorf("%s: the daemon lives", k.name)
		}
		if !k.inside { // it may be a shell still
			until(t, k.name+": the daemon lives", func() bool { return anybody("sleep 1000") })
		}
		if pid, err := strconv.Atoi(strings.TrimSpace(c.sharedFile("pid"))); err == nil && !k.inside {
			killPid(pid)
		}
	}
}
