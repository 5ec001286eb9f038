package integration

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// remounted is a mount that is there already, with other options.
func remounted(dst, fs string, options ...string) func(*specs.Spec) {
	return addMount(specs.Mount{Destination: dst, Type: fs, Source: fs, Options: append([]string{"remount"}, options...)})
}

func TestRemount(t *testing.T) {
	keeps := peers{runc: differs("what is not named is taken back"), crun: differs("as runc")}
	runRows(t, []row{
		{name: "a bind mount, read-only", prep: data, edit: edits(bind("/mnt", "bind"), remounted("/mnt", "", "bind", "ro")), sh: "cat /mnt/file; touch /mnt/x 2>&1", code: 1,
			want: has("hello\ntouch: /mnt/x: Read-only"), peers: peers{runc: differs("1.1 fails on it"), vm: true}},
		{name: "what is not named stays", prep: data, edit: edits(bind("/mnt", "bind", "nosuid", "noexec"), remounted("/mnt", "", "bind", "ro")), sh: onMount("/mnt"), want: like(`^ro,nosuid,noexec,`), peers: keeps},
		{name: "a file system, writable again", edit: remounted("/sys", "sysfs", "rw", "nosuid", "nodev", "noexec"), sh: onMount("/sys"), want: like(`^rw,nosuid,nodev,noexec,relatime - sysfs`)},
		{name: "user namespace", prep: data, edit: edits(mapped, bind("/mnt", "bind"), remounted("/mnt", "", "bind", "ro")), sh: onMount("/mnt"), want: like(`^ro,`), peers: keeps},
		{name: "recursive", prep: dataTree, edit: edits(bind("/mnt", "rbind"), remounted("/mnt", "", "rbind", "rro")), sh: onMount("/mnt/sub"), want: like(`^ro,`), peers: keeps},
		{name: "through a link of the image", prep: preps(data, imageLink("lnk", "/mnt")), edit: edits(bind("/mnt", "bind"), remounted("/lnk", "", "bind", "ro")), sh: onMount("/mnt"), want: like(`^ro,`), peers: keeps},
		{name: "nothing is mounted there", edit: remounted("/mnt", "", "bind", "ro"), code: 1, fails: where("/mounts/7")},
		{name: "nothing is there", edit: remounted("/nosuch", "", "bind", "ro"), code: 1, fails: where("/mounts/7"), peers: keeps},
		{name: "options of the file system", edit: edits(tmpfs("/mnt", "size=1m"), remounted("/mnt", "tmpfs", "size=2m")), code: 1, fails: where("/mounts/8"), peers: keeps},
	})
}

// TestRecursiveAttributes: each r-option reaches a submount, and the plain one does not.
func TestRecursiveAttributes(t *testing.T) {
	var rows []row
	for _, o := range []struct{ name, shown string }{
		{"ro", "ro"}, {"nosuid", "nosuid"}, {"nodev", "nodev"}, {"noexec", "noexec"}, {"noatime", "noatime"}, {"nodiratime", "nodiratime"}, {"nosymfollow", "nosymfollow"},
	} {
		with := func(option string) func(*specs.Spec) { return edits(bind("/mnt", "rbind", option)) }
		below := onMount("/mnt/sub") + "| cut -d' ' -f1 | tr , '\\n' | grep -c -x " + o.shown
		old := peers{}
		if o.name == "nosymfollow" {
			old.runc = differs("1.1 does not know it")
		}
		inside := row{name: "r" + o.name + ", user namespace", prep: dataTree, edit: edits(mapped, with("r"+o.name)), sh: below, want: is("1\n"), peers: old}
		if strings.HasSuffix(o.name, "atime") { // a mount that a user namespace is given keeps its atime: mount_namespaces(7)
			inside.code, inside.want, inside.fails = 1, is(""), where("/mounts/7")
		}
		rows = append(rows, inside,
			row{name: "r" + o.name, prep: dataTree, edit: with("r" + o.name), sh: below, want: is("1\n"), peers: old},
			row{name: o.name + " is for one", prep: dataTree, edit: with(o.name), sh: below, code: 1, want: is("0\n"), peers: old},
		)
	}
	rows = append(rows, []row{
		{name: "rstrictatime", prep: dataTree, edit: bind("/mnt", "rbind", "rstrictatime"), sh: onMount("/mnt/sub"), want: like(`^rw - tmpfs`), peers: peers{runc: differs("1.1 gets the atime options wrong")}},
		{name: "rrelatime", prep: dataTree, edit: bind("/mnt", "rbind", "rrelatime"), sh: onMount("/mnt/sub"), want: like(`^rw,relatime - tmpfs`), peers: peers{runc: differs("1.1 gets the atime options wrong")}},
		{name: "rro, then one is writable", prep: dataTree, edit: bind("/mnt", "rbind", "rro", "rw"), sh: "touch /mnt/x && touch /mnt/sub/x 2>&1", code: 1, want: has("Read-only"), peers: peers{runc: differs("rro wins")}},
		{name: "several", prep: dataTree, edit: bind("/mnt", "rbind", "rro", "rnosuid", "rnodev", "rnoexec"), sh: onMount("/mnt/sub"), want: like(`^ro,nosuid,nodev,noexec,relatime - tmpfs`)},
	}...)
	runRows(t, rows)
}

// common are mounts as docker and podman write them, for root and for a user namespace.
func common() []row {
	file := func(name, dst string, options ...string) func(*specs.Spec) {
		return addMount(specs.Mount{Destination: dst, Type: "bind", Source: name, Options: options})
	}
	run := tmpfs("/run", "nosuid", "strictatime", "mode=755", "size=65536k")
	var rows []row
	for _, name := range []string{"hosts", "resolv.conf", "hostname"} {
		prep := func(c *container) { data(c); c.put("etc/"+name, "image\n", 0o644) }
		rows = append(rows,
			row{name: name + ", docker", prep: prep, edit: file("data/file", "/etc/"+name, "rbind", "rprivate"), sh: "cat /etc/" + name + ";" + onMount("/etc/"+name), want: like(`^hello\nrw,`)},
			row{name: name + ", podman, read-only", prep: prep, edit: file("data/file", "/etc/"+name, "bind", "rprivate", "ro", "nosuid", "nodev", "noexec"),
				sh: "echo x >/etc/" + name + "; cat /etc/" + name + ";" + onMount("/etc/"+name), want: like(`^hello\nro,nosuid,nodev,noexec,`)})
	}
	for _, typ := range []string{"bind", "none", "", "rbind"} {
		for _, o := range []string{"bind", "rbind"} {
			rows = append(rows, row{name: "type " + typ + ", option " + o, prep: data, sh: "cat /mnt/file", want: is("hello\n"),
				edit: addMount(specs.Mount{Destination: "/mnt", Type: typ, Source: "data", Options: []string{o}})})
		}
	}
	return append(rows, []row{
		{name: "/run", edit: edits(writable, run), sh: "stat -c %a /run; touch /run/x; " + onMount("/run"), want: like(`^755\nrw,nosuid - tmpfs tmpfs rw,.*size=65536k.*mode=755`), made: "/run"},
		{name: "shm with a size", edit: tmpfs("/dev/shm", "nosuid", "noexec", "nodev", "mode=1777", "size=1m"), sh: "stat -c %a /dev/shm; dd if=/dev/zero of=/dev/shm/x bs=1M count=2 2>&1", code: 1, want: like(`(?s)^1777\n.*No space left`)},
		{name: "message queues", sh: "touch /dev/mqueue/x; ls /dev/mqueue; cat /dev/mqueue/x", want: like(`^x\nQSIZE:0 `)},
		{name: "devpts", edit: tmpfs("/mnt"), sh: "stat -c '%a %t:%T' /dev/pts/ptmx; readlink /dev/ptmx; ls /dev/pts", want: is("666 5:2\npts/ptmx\nptmx\n")},
		{name: "a socket", prep: socket, edit: edits(run, file("data/s.sock", "/run/docker.sock", "rbind", "rprivate")), sh: "test -S /run/docker.sock; echo $?; " + onMount("/run/docker.sock"), want: like(`^0\nrw`), made: "/run"},
		{name: "a socket in a directory by a link", prep: preps(socket, imageLink("var/run", "/run")), edit: edits(run, file("data/s.sock", "/var/run/docker.sock", "rbind")), sh: "test -S /run/docker.sock", made: "/run"},
		{name: "a device node", edit: file("/dev/null", "/dev/mine", "bind"), sh: "echo x >/dev/mine; stat -c '%t:%T %F' /dev/mine", want: is("1:3 character special file\n")},
		{name: "nested volumes", prep: dataOuter, edit: edits(bind("/mnt", "rbind"), file("outer", "/mnt/a", "rbind"), file("data/file", "/mnt/a/f", "bind", "ro")), sh: "cat /mnt/file /mnt/a/o /mnt/a/f; ls /mnt/a", want: is("hello\nouter\nhello\nf\no\n")},
		{name: "sysfs", sh: "test -d /sys/class/net/lo && touch /sys/x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "all flags of a locked source", prep: func(c *container) { c.mount("tmpfs", "src", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC) },
			edit: bindSource("src", "rbind", "nosuid", "nodev", "noexec", "ro"), sh: onMount("/mnt"), want: like(`^ro,nosuid,nodev,noexec,`)},
		{name: "no flag of a locked source", prep: func(c *container) { c.mount("tmpfs", "src", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC) },
			edit: bindSource("src", "rbind", "rprivate"), sh: onMount("/mnt"), want: like(`^rw,nosuid,nodev,noexec,`)},
	}...)
}

func socket(c *container) {
	data(c)
	l, err := net.Listen("unix", filepath.Join(c.bundle, "data/s.sock"))
	c.do(err)
	c.t.Cleanup(func() { l.Close() })
}

// dataOuter is data, and outer that has a file and a place for one.
func dataOuter(c *container) {
	data(c)
	c.do(os.Mkdir(filepath.Join(c.bundle, "outer"), 0o755), os.Mkdir(filepath.Join(c.bundle, "data/a"), 0o755))
	c.write("outer/o", "outer\n")
	c.write("outer/f", "")
}

func TestManagedMounts(t *testing.T) { runRows(t, common()) }

// In a user namespace the image is its root's, as managers have it.
func TestManagedMountsUserNamespace(t *testing.T) {
	rows := common()
	for i, r := range rows {
		rows[i].prep = ownedByMapped
		if r.prep != nil {
			rows[i].prep = preps(r.prep, ownedByMapped)
		}
	}
	runRows(t, under(mapped, rows))
}

func TestManagedMountsMore(t *testing.T) {
	home := edits(user(1000, 1000), func(s *specs.Spec) { s.Process.Env = []string{"PATH=/bin"} })
	passwd := addMount(specs.Mount{Destination: "/etc/passwd", Type: "bind", Source: "data/passwd", Options: []string{"bind", "ro"}})
	prep := func(c *container) { data(c); c.write("data/passwd", "ann:x:1000:1000::/home/joe/..:/bin/sh\n") }
	readOnly := func(s *specs.Spec) {
		s.Linux.ReadonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/nosuch"}
	}
	runRows(t, []row{
		{name: "another passwd gives HOME", prep: prep, edit: edits(home, passwd), sh: "echo $HOME", want: is("/home/joe/..\n")},
		{name: "another passwd gives HOME, beside tmpcopyup", prep: prep, edit: edits(home, passwd, copied("/var")), sh: "echo $HOME", want: is("/home/joe/..\n")},
		{name: "docker's read-only paths", edit: readOnly, sh: "echo x 2>/dev/null >/proc/sys/kernel/domainname && echo wrote it; awk '$5~\"^/proc/(bus|fs|irq|sys)$\"{print $5, substr($6,1,2)}' /proc/self/mountinfo", want: is("/proc/bus ro\n/proc/fs ro\n/proc/irq ro\n/proc/sys ro\n")},
		{name: "a label that no manager leaves in", prep: data, edit: bind("/mnt", "rbind", "Z"), code: 1, fails: where("/mounts/7/options/1"), peers: peers{runc: differs("takes it for data"), crun: differs("takes it for data")}},
		{name: "cgroups, writable", prep: needV1, edit: cgroupOptions("rw"), sh: "cd /sys/fs/cgroup/pids && mkdir x && rmdir x; " + onMount("/sys/fs/cgroup/pids"), want: like(`^rw,nosuid,nodev,noexec,`)},
		{name: "cgroups, writable, cgroup namespace", prep: needV1, edit: edits(addNamespace(specs.CgroupNamespace, ""), cgroupOptions("rw")), sh: "cd /sys/fs/cgroup/pids && mkdir x && rmdir x; head -n 1 cgroup.procs", want: is("1\n")},
		{name: "cgroups, read-only, cgroup namespace", prep: needV1, edit: edits(addNamespace(specs.CgroupNamespace, ""), cgroupOptions("ro")), sh: "mkdir /sys/fs/cgroup/pids/x 2>&1", code: 1, want: has("Read-only")},
		{name: "v2, writable", prep: needV2, edit: edits(addNamespace(specs.CgroupNamespace, ""), cgroupOptions("rw")), sh: "mkdir /sys/fs/cgroup/x && rmdir /sys/fs/cgroup/x; cat /sys/fs/cgroup/cgroup.procs | head -n 1", want: is("1\n"), peers: inVM()},
		{name: "v2, read-only", prep: needV2, edit: edits(addNamespace(specs.CgroupNamespace, ""), cgroupOptions("ro")), sh: "mkdir /sys/fs/cgroup/x 2>&1", code: 1, want: has("Read-only"), peers: inVM()},
		{name: "v2, no cgroup namespace", prep: needV2, edit: edits(without(specs.CgroupNamespace), cgroupOptions("rw")), sh: "cat /sys/fs/cgroup/cgroup.procs | head -n 1; " + onMount("/sys/fs/cgroup"), want: like(`^1\nrw,`), peers: inVM()},
		{name: "v2, user namespace", prep: needV2, edit: edits(mapped, addNamespace(specs.CgroupNamespace, ""), cgroupOptions("ro")), sh: "mkdir /sys/fs/cgroup/x 2>&1; " + onMount("/sys/fs/cgroup"), want: like(`(?s)Read-only.*\nro,`), peers: inVM()},
	})
}

// cgroupOptions replaces the cgroup mount's ro.
func cgroupOptions(last string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		for i := range s.Mounts {
			if s.Mounts[i].Type == "cgroup" {
				s.Mounts[i].Options = strings.Fields("nosuid noexec nodev " + last)
			}
		}
	}
}
