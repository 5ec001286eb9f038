package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestCopyUpDeviceRace: another container exchanges a file with a device while it is copied. To
// open some devices has effects, so none is: the driver, which is missing, is never asked for.
func TestCopyUpDeviceRace(t *testing.T) {
	needBinary(t, peers{runc: differs("opens by path"), crun: differs("is not ours to judge")})
	needRoot(t)
	watch(t)
	r := newRace(t, func(r *race) {
		r.must(os.WriteFile(r.volume+"/file", []byte("mine"), 0o644))
		r.must(unix.Mknod(r.volume+"/device", unix.S_IFCHR|0o666, int(unix.Mkdev(10, 250))))
	}, "file:device")
	r.c.config(args("sleep", "300"), r.shared("/mnt"), copied("/mnt"))
	r.run(func(int) string {
		if end := r.made(func(int) string { return "copied" }, "has a device in it", "permission denied", "stale"); end == "copied" {
			return end
		}
		return "refused"
	}, "copied", "refused")
}

// busy is a container whose workload changes the volume all the time.
func busy(t *testing.T, volume, loop string) *container {
	t.Helper()
	c := newContainer(t, script("cd /mnt; while :; do "+loop+"; done"), addMount(specs.Mount{Destination: "/mnt", Type: "bind", Source: volume, Options: []string{"bind"}}))
	c.create().must(t)
	c.start().must(t)
	return c
}

// copies is a container that copies the volume up.
func copies(t *testing.T, volume string, options ...string) *container {
	t.Helper()
	return newContainer(t, args("sleep", "300"), addMount(specs.Mount{Destination: "/mnt", Type: "bind", Source: volume, Options: []string{"bind"}}), copied("/mnt", options...))
}

// TestCopyUpMoving: what the image's other users do meanwhile.
func TestCopyUpMoving(t *testing.T) {
	rt := peers{runc: rtOnly, crun: rtOnly}
	runScenes(t, []scene{
		{name: "files and directories that vanish", peers: rt, play: func(t *testing.T) {
			volume := t.TempDir()
			c := copies(t, volume)
			enemy := busy(t, volume, "mkdir d d/e; echo >f; echo >d/f; rm -r d f")
			for i := range 20 {
				cmd := c.command("create", "--bundle", c.bundle, c.id)
				if i%2 == 0 { // a look at a directory that is gone by then
					cmd = c.strace(nil, "-o", "/dev/null", "-e", "trace=getdents64", "-e", "inject=getdents64:delay_enter=20000")
				}
				cmd.run(t).must(t)
				c.delete("--force").must(t)
			}
			enemy.delete("--force").must(t)
		}},
		{name: "a directory that grows", peers: rt, play: func(t *testing.T) {
			volume := t.TempDir()
			c := copies(t, volume, "nr_inodes=2000")
			enemy := busy(t, volume, "i=$((i+1)); : >$i")
			until(t, "files", func() bool { return has("2500").check(enemy.sh("ls /mnt").stdout) == nil })
			want(t, c.create(), 1, match{}, has("no space left on device (config.json: /mounts/8)"))
			enemy.delete("--force").must(t)
		}},
		{name: "TERM in the middle", peers: rt, play: func(t *testing.T) {
			volume := t.TempDir()
			c := copies(t, volume)
			c.do(os.WriteFile(volume+"/big", make([]byte, 256<<20), 0o644))
			r := c.command("create", "--bundle", c.bundle, c.id).start(t)
			until(t, "a record", func() bool { return len(c.records()) > 0 })
			r.cmd.Process.Signal(unix.SIGTERM)
			if got := r.wait(t); got.code == 0 {
				c.delete("--force").must(t)
			}
		}},
	})
}

// TestCopyUpImages are more that a hostile image may have in store.
func TestCopyUpImages(t *testing.T) {
	long := strings.Repeat("n", 255)
	own := peers{runc: rtOnly, crun: rtOnly}
	runRows(t, []row{
		{name: "names of 255 bytes", prep: inImage("var/"+long+"/"+long, "long\n"), edit: copied("/var"), sh: "cat /var/*/*", want: is("long\n")},
		{name: "a file with many names", prep: func(c *container) {
			c.write("rootfs/var/0", "one\n")
			for i := range 5000 {
				c.do(os.Link(c.rootfs()+"/var/0", fmt.Sprintf("%s/var/l%d", c.rootfs(), i)))
			}
			c.before = listTree(c.rootfs())
		}, edit: copied("/var"), sh: "stat -c %h /var/0; ls -a /var | wc -l", want: like(`^5001\n\s*5003\n$`), peers: own},
		{name: "immutable", prep: func(c *container) { immutable(c, "var/kept") }, edit: edits(writable, copied("/var")), sh: "echo new >/var/kept; rm /var/kept; ls /var", want: is(""), peers: own},
		{name: "large extended attributes", prep: func(c *container) {
			c.write("rootfs/var/f", "")
			for i := range 3 {
				if err := unix.Setxattr(c.rootfs()+"/var/f", fmt.Sprintf("user.bomb%d", i), make([]byte, 1000), 0); err != nil {
					skip(c.t, "user attributes")
				}
			}
			c.before = listTree(c.rootfs())
		}, edit: copied("/var"), sh: "ls /var", want: is("f\n"), peers: own},
		{name: "a small stack", edit: copied("/var"), prep: preps(inImage("var/x", "x\n"), smallStack), sh: "cat /var/x", want: is("x\n"), peers: own},
	})
}

// smallStack is the limit of the tests from here on to their end, which the runtime inherits.
func smallStack(c *container) {
	var old unix.Rlimit
	c.do(unix.Getrlimit(unix.RLIMIT_STACK, &old), unix.Setrlimit(unix.RLIMIT_STACK, &unix.Rlimit{Cur: 100 << 10, Max: old.Max}))
	c.t.Cleanup(func() { c.do(unix.Setrlimit(unix.RLIMIT_STACK, &old)) })
}

// immutable sets FS_IMMUTABLE_FL, ioctl_iflags(2).
func immutable(c *container, name string) {
	const flag = 0x10
	c.write("rootfs/"+name, "old\n")
	f, err := os.Open(c.rootfs() + "/" + name)
	c.do(err)
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags|flag))
	}
	if err != nil {
		skip(c.t, "immutable files")
	}
	c.t.Cleanup(func() {
		unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags))
		f.Close()
	})
	c.before = listTree(c.rootfs())
}

// TestComboCopyUp: with all that else makes a container, and with each root.
func TestComboCopyUp(t *testing.T) {
	less := peers{runc: rtOnly, crun: rtOnly}
	look := "cat /var/f; echo x >/var/new; ls /var"
	scene := func(name string, flags []string, out string, list ...func(*specs.Spec)) comboScene {
		return comboScene{name: name, peers: less, play: func(t *testing.T, by comboCaller) {
			c := newContainer(t)
			inImage("var/f", "hello\n")(c)
			if by.takes(c); by.as.uid == 0 && os.Geteuid() == 0 {
				ownedByMapped(c)
			}
			by.config(c, append([]func(*specs.Spec){script(look), copied("/var")}, list...)...)
			want(t, c.run(flags...), 0, is(out), is(""))
		}}
	}
	plain := "hello\nf\nnew\n"
	group := func(s comboScene) comboScene { s.group = true; return s }
	runCombos(t, []comboScene{
		scene("alone", nil, plain),
		scene("--no-pivot", []string{"--no-pivot"}, plain),
		scene("read-only root", nil, plain, func(s *specs.Spec) { s.Root.Readonly = true }),
		scene("a masked file in it", nil, "f\nnew\n", func(s *specs.Spec) { s.Linux.MaskedPaths = append(s.Linux.MaskedPaths, "/var/f") }, script("cat /var/f; echo x >/var/new; ls /var")),
		scene("a day ahead, --no-pivot", []string{"--no-pivot"}, plain, aDay),
		scene("hooks that look", nil, plain, idleHooks),
		group(scene("limits", nil, plain, memoryLimit(specs.LinuxMemory{Limit: ptr(16 * mib)}), pidsLimit(4))),
		group(scene("one process", nil, "hello\n", pidsLimit(1), args("cat", "/var/f"))),
	})
}

// TestComboCopyCrash: see TestComboCrash.
func TestComboCopyCrash(t *testing.T) {
	needStrace(t, peers{runc: rtOnly, crun: rtOnly})
	shape := func(flags ...string) func(*testing.T, comboCaller) (*container, []string) {
		return func(t *testing.T, by comboCaller) (*container, []string) {
			c := newContainer(t)
			for i := range 200 {
				c.write(fmt.Sprintf("rootfs/var/%d", i), "some\n")
			}
			c.before = listTree(c.rootfs())
			by.takes(c)
			by.config(c, args("sleep", "300"), copied("/var"))
			return c, flags
		}
	}
	for _, by := range comboCallers(t)[:2] { // newuidmap(1) has no rights under strace
		for _, s := range []comboShape{{"tmpcopyup", shape()}, {"tmpcopyup and --no-pivot", shape("--no-pivot")}} {
			t.Run(by.name+"/"+s.name, func(t *testing.T) { s.crash(t, by) })
		}
	}
}
