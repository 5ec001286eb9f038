package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// ids gives a new user namespace these maps, for users and for groups.
func ids(list ...specs.LinuxIDMapping) func(*specs.Spec) {
	return func(s *specs.Spec) {
		addNamespace(specs.UserNamespace, "")(s)
		s.Linux.UIDMappings, s.Linux.GIDMappings = list, list
	}
}

func idRange(inside, outside, size uint32) specs.LinuxIDMapping {
	return specs.LinuxIDMapping{ContainerID: inside, HostID: outside, Size: size}
}

// allCaps are the names of capabilities(7), by number.
func allCaps() []string {
	names := strings.Fields("chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable " +
		"net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct " +
		"sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap " +
		"mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore")
	for i, n := range names {
		names[i] = "CAP_" + strings.ToUpper(n)
	}
	return names
}

// fullCaps gives the workload every capability.
func fullCaps(s *specs.Spec) {
	all := allCaps()
	s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: all, Effective: all, Permitted: all}
}

func extraGroups(gids ...uint32) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Process.User.AdditionalGids = gids }
}

// What is made for the container belongs to its root.
func TestUserNamespaceOwners(t *testing.T) {
	const owner = "stat -L -c '%u:%g %n' "
	root := func(path string) row {
		return row{name: path, edit: mapped, sh: owner + path, want: is("0:0 " + path + "\n")}
	}
	device := func(name, number string) row {
		return row{name: name, edit: mapped, sh: "stat -c '%F %t:%T %a' /dev/" + name, want: is("character special file " + number + " 666\n")}
	}
	runRows(t, []row{
		root("/sys/class/net/lo"), root("/sys/class/net/lo/mtu"), root("/proc/sys/net/ipv4/ip_forward"), root("/proc/self"), root("/proc/1/status"),
		root("/dev"), root("/dev/shm"), root("/dev/pts/ptmx"),
		device("null", "1:3"), device("zero", "1:5"), device("full", "1:7"), device("random", "1:8"), device("urandom", "1:9"), device("tty", "5:0"),
		{name: "mqueue", edit: mapped, sh: owner + "/dev/mqueue", want: is("0:0 /dev/mqueue\n"), peers: peers{runc: differs("made before the group is root's")}},
		{name: "loopback is up", edit: mapped, sh: "cat /sys/class/net/lo/flags; ifconfig lo", want: like(`(?s)^0x9\n.*inet addr:127.0.0.1`)},
		{name: "devices work", edit: mapped, sh: "echo x >/dev/null && head -c 3 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c && : <>/dev/ptmx", want: is("3\n4\n")},
		{name: "devices are the host's", edit: mapped, sh: `awk '$5~"^/dev/(null|zero|full|random|urandom|tty)$"{print $5}' /proc/self/mountinfo | sort`,
			want: is("/dev/full\n/dev/null\n/dev/random\n/dev/tty\n/dev/urandom\n/dev/zero\n")},
		{name: "hostname", edit: edits(mapped, fullCaps), sh: "hostname other && hostname", want: is("other\n")},
		{name: "hostname without the capability", edit: mapped, sh: "hostname other; hostname", want: is("runc\n")},
		{name: "a node may not be made", edit: edits(mapped, fullCaps, writable), sh: "mknod /tmp/x c 1 3 2>&1", code: 1, want: has("Operation not permitted")},
		{name: "default mounts", edit: mapped, sh: `awk '$5!~"^/(proc|sys|dev)/"{print $5}' /proc/self/mountinfo | sort`, want: is("/\n/dev\n/proc\n/sys\n")},
		{name: "sys is read-only", edit: edits(mapped, fullCaps), sh: "echo 1 >/sys/class/net/lo/mtu", code: 1, fails: has("Read-only")},
		{name: "stdio", edit: edits(mapped, user(1000, 1000)), sh: "stat -L -c %u /proc/self/fd/1; echo x >/proc/self/fd/2", want: is("1000\n"), fails: is("x\n")},
	})
}

func TestMappings(t *testing.T) {
	const maps = "tr -s ' ' </proc/self/uid_map; tr -s ' ' </proc/self/gid_map; cat /proc/self/setgroups"
	both := func(rows string) match { return is(rows + rows + "allow\n") }
	alone := ids(idRange(1000, 100000, 1))
	holes := ids(idRange(0, 100000, 10), idRange(1000, 200000, 1))
	rootAlways := peers{runc: differs("wants root mapped")}
	runRows(t, []row{
		{name: "one id", edit: edits(ids(idRange(0, 100000, 1)), ptsGroup), sh: maps, want: both(" 0 100000 1\n")},
		{name: "no root", edit: edits(alone, user(1000, 1000), ptsGroup), sh: "id; " + maps, want: like(`^uid=1000\(joe\) gid=1000\(joe\)( groups=1000\(joe\))?\n 1000 100000 1\n 1000`), peers: rootAlways},
		{name: "no root, capabilities", edit: edits(alone, user(1000, 1000), ptsGroup, ambient("CAP_SYS_ADMIN")), sh: "grep CapEff /proc/self/status", want: has("0000000000200000"), peers: rootAlways},
		{name: "two ranges", edit: holes, sh: maps, want: both(" 0 100000 10\n 1000 200000 1\n")},
		{name: "two ranges, the second's user", edit: edits(holes, user(1000, 1000)), sh: "id -u; id -g; stat -c %u /proc/self/", want: is("1000\n1000\n1000\n")},
		{name: "identity", edit: ids(idRange(0, 0, 4294967295)), sh: maps + "; stat -c %u /bin/busybox", want: is(" 0 0 4294967295\n 0 0 4294967295\nallow\n0\n")},
		{name: "identity is a namespace of its own", edit: ids(idRange(0, 0, 4294967295)), sh: other("user")},
		{name: "as many as the kernel takes", edit: edits(ids(manyRanges(340, 500)...), user(7, 7)), sh: "wc -l </proc/self/uid_map; id -u; sed -n '$p' /proc/self/gid_map | tr -s ' '", want: is("340\n7\n 339 839 1\n")},
		{name: "one more", edit: ids(manyRanges(341, 500)...), code: 1, fails: where("/linux/uidMappings")},
		{name: "more than a page", edit: ids(manyRanges(340, 1000000)...), code: 1, fails: where("/linux/uidMappings")},
		{name: "more than a page: the reason", edit: ids(manyRanges(340, 1000000)...), code: 1, fails: only(like(`the kernel takes 409[56]`))},
		{name: "users and groups apart", edit: apart, sh: maps, want: is(" 0 100000 10\n 0 300000 20\nallow\n")},
		{name: "no mappings", edit: addNamespace("user", ""), code: 1, fails: where("/linux/uidMappings")},
		{name: "no gid mappings", edit: edits(mapped, func(s *specs.Spec) { s.Linux.GIDMappings = nil }), code: 1, fails: where("/linux/gidMappings")},
		{name: "mappings alone", edit: edits(mapped, without("user")), code: 1, fails: where("/linux/uidMappings"), peers: peers{runc: differs("1.1 passes over them")}},
		{name: "overlap", edit: ids(idRange(0, 100000, 10), idRange(9, 200000, 10)), code: 1, fails: where("/linux/uidMappings/1/containerID")},
		{name: "no ids", edit: ids(idRange(0, 100000, 0)), code: 1, fails: where("/linux/uidMappings/0/size")},
		{name: "user not mapped", edit: edits(holes, user(500, 0)), code: 1, fails: where("/process/user/uid")},
		{name: "root not mapped", edit: edits(alone, ptsGroup), code: 1, fails: where("/process/user/uid")},
		{name: "group not mapped", edit: edits(holes, user(1000, 500)), code: 1, fails: where("/process/user/gid")},
		{name: "additional group not mapped", edit: edits(holes, extraGroups(5, 500)), code: 1, fails: where("/process/user/additionalGids/1")},
		{name: "additional groups", edit: edits(mapped, user(1000, 1000), extraGroups(2000, 3000)), sh: "id -G", want: is("1000 2000 3000\n")},
	})
}

// ptsGroup drops the group of terminals, 5, which is not mapped.
func ptsGroup(s *specs.Spec) {
	for i, m := range s.Mounts {
		if m.Destination == "/dev/pts" {
			s.Mounts[i].Options = []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}
		}
	}
}

func ambient(caps ...string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps, Inheritable: caps, Ambient: caps}
	}
}

// manyRanges are n ids, each a range of its own.
func manyRanges(n, from uint32) []specs.LinuxIDMapping {
	var list []specs.LinuxIDMapping
	for i := range n {
		list = append(list, idRange(i, from+i, 1))
	}
	return list
}

func apart(s *specs.Spec) {
	ids(idRange(0, 100000, 10))(s)
	s.Linux.GIDMappings = []specs.LinuxIDMapping{idRange(0, 300000, 20)}
}

func TestUserNamespaceProcess(t *testing.T) {
	limit := func(typ string, soft, hard uint64) func(*specs.Spec) {
		return func(s *specs.Spec) {
			s.Process.Rlimits = []specs.POSIXRlimit{{Type: typ, Soft: soft, Hard: hard}}
		}
	}
	sysctl := func(name, value string) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Linux.Sysctl = map[string]string{name: value} }
	}
	const allow, errno = specs.ActAllow, specs.ActErrno
	status := func(name string) string { return "grep " + name + ": /proc/self/status | tr -d '\\t'" }
	noMkdir := seccomp(allow, errno, "mkdir mkdirat")
	runRows(t, under(mapped, []row{
		{name: "rlimit", edit: limit("RLIMIT_NOFILE", 200, 300), sh: "ulimit -Sn; ulimit -Hn", want: is("200\n300\n")},
		raisedLimit(t),
		{name: "nproc counts the user's own", edit: edits(user(1000, 1000), limit("RLIMIT_NPROC", 50, 60)), sh: "ulimit -Sp 2>&1 || grep processes /proc/self/limits", want: has("50")},
		{name: "oom_score_adj", edit: func(s *specs.Spec) { s.Process.OOMScoreAdj = ptr(500) }, sh: "cat /proc/self/oom_score_adj", want: is("500\n")},
		{name: "sysctl net", edit: sysctl("net.ipv4.ip_forward", "1"), sh: "cat /proc/sys/net/ipv4/ip_forward", want: is("1\n")},
		{name: "sysctl ipc", edit: sysctl("kernel.msgmax", "12345"), sh: "cat /proc/sys/kernel/msgmax", want: is("12345\n")},
		{name: "sysctl mqueue", edit: sysctl("fs.mqueue.queues_max", "77"), sh: "cat /proc/sys/fs/mqueue/queues_max", want: is("77\n")},
		{name: "sysctl, host's pid", edit: edits(without("pid"), sysctl("net.ipv4.ip_forward", "1")), sh: "cat /proc/sys/net/ipv4/ip_forward; [ $$ != 1 ] && echo shared", want: is("1\nshared\n"), peers: peers{runc: differs("cannot show another's PID namespace")}},
		{name: "sysctl of the host", edit: sysctl("vm.swappiness", "1"), code: 1, fails: has("vm.swappiness")},
		{name: "device", edit: hostDevice("/dev/kmsg", 1, 11), sh: "stat -c %t:%T /dev/kmsg", want: is("1:b\n")},
		{name: "device that the host does not have", edit: extraNode(0o666, 0, 0), code: 1, fails: where("/linux/devices/0")},
		{name: "masked file", sh: "wc -c </proc/keys", want: is("0\n")},
		{name: "masked directory", sh: onMount("/sys/firmware"), want: like(`^ro,.* - tmpfs`)},
		{name: "read-only path", edit: fullCaps, sh: "echo 1 >/proc/sys/net/ipv4/ip_forward", code: 1, fails: has("Read-only file system")},
		{name: "all capabilities", edit: fullCaps, sh: status("CapEff") + ";" + status("CapBnd"), want: is("CapEff:000001ffffffffff\nCapBnd:000001ffffffffff\n")},
		{name: "no capabilities", edit: ambient(), sh: status("CapEff") + ";" + status("CapBnd"), want: is("CapEff:0000000000000000\nCapBnd:0000000000000000\n")},
		{name: "ambient", edit: edits(user(1000, 1000), ambient("CAP_NET_RAW")), sh: status("CapEff"), want: is("CapEff:0000000000002000\n")},
		{name: "user without capabilities", edit: edits(user(1000, 1000), func(s *specs.Spec) { s.Process.Capabilities.Ambient = nil }), sh: status("CapEff"), want: is("CapEff:0000000000000000\n")},
		{name: "no_new_privs", sh: status("NoNewPrivs"), want: is("NoNewPrivs:1\n")},
		{name: "without no_new_privs", edit: noNewPrivs(false), sh: status("NoNewPrivs"), want: is("NoNewPrivs:0\n")},
		{name: "seccomp", edit: edits(writable, noMkdir), sh: "mkdir /tmp/x 2>&1", code: 1, want: has("Operation not permitted")},
		{name: "seccomp without no_new_privs", edit: edits(writable, noMkdir, noNewPrivs(false)), sh: "mkdir /tmp/x 2>&1", code: 1, want: has("Operation not permitted")},
		{name: "seccomp, user, without no_new_privs", edit: edits(noMkdir, user(1000, 1000), noNewPrivs(false)), sh: status("Seccomp"), want: is("Seccomp:2\n")},
		{name: "cwd", edit: edits(user(1000, 1000), cwd("/home/joe")), sh: "pwd; echo $HOME", want: is("/home/joe\n/home/joe\n")},
		{name: "cgroup namespace", edit: addNamespace("cgroup", ""), sh: "cut -d: -f3 /proc/self/cgroup | sort -u; " + other("cgroup"), want: is("/\n")},
	}))
}

// raisedLimit: what the caller may raise, it raises for a user namespace too.
func raisedLimit(t *testing.T) row {
	above := aboveHard(t)
	r := row{name: "raised rlimit", sh: "ulimit -Hn", edit: func(s *specs.Spec) {
		s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 200, Hard: above}}
	}}
	if readFacts(statusOf(t))["CapEff"][7]&1 != 0 { // the digit of bits 27 to 24; 24 is CAP_SYS_RESOURCE
		r.want = is(fmt.Sprintln(above))
		return r
	}
	r.code, r.fails = 1, where("/process/rlimits/0")
	return r
}

// under has e come before each row's own edit.
func under(e func(*specs.Spec), rows []row) []row {
	for i, r := range rows {
		rows[i].edit = e
		if r.edit != nil {
			rows[i].edit = edits(e, r.edit)
		}
	}
	return rows
}

func hostDevice(path string, major, minor int64) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.Devices = []specs.LinuxDevice{{Path: path, Type: "c", Major: major, Minor: minor}}
	}
}

func TestUserNamespaceFiles(t *testing.T) {
	const show = "stat -c '%u:%g' "
	runRows(t, under(mapped, []row{
		{name: "root's files are nobody's", sh: show + "/bin/busybox", want: is("65534:65534\n")},
		{name: "tmpfs", edit: tmpfs("/mnt", "uid=1000", "gid=2000"), sh: "stat -c %u:%g /mnt", want: is("1000:2000\n")},
		{name: "terminals' group", edit: fullCaps, sh: onMount("/dev/pts"), want: has("gid=200005,mode=620,ptmxmode=666")},
		{name: "bind, read-only", prep: data, edit: edits(fullCaps, bind("/mnt", "bind", "ro")), sh: "touch /mnt/x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "bind, recursively read-only", prep: dataTree, edit: edits(fullCaps, bind("/mnt", "rbind", "rro")), sh: "touch /mnt/sub/x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "a file of the host's root is not writable", prep: data, edit: edits(fullCaps, bind("/mnt", "bind")), sh: "echo x >>/mnt/file", code: 1, fails: has("Permission denied")},
		{name: "rootfs of mapped ids", prep: ownedByMapped, edit: writable, sh: show + "/; touch /x && " + show + "/x", want: is("0:0\n0:0\n"), made: "/x"},
		{name: "rootfs of mapped ids: a mount point is made", prep: ownedByMapped, edit: edits(writable, tmpfs("/a/b")), sh: show + "/a; mount | grep -c /a/b", want: is("0:0\n1\n"), made: "/a /a/b"},
		{name: "rootfs of mapped ids: cwd is made", prep: ownedByMapped, edit: cwd("/new"), sh: "pwd; " + show + "/new", want: is("/new\n0:0\n"), made: "/new"},
		{name: "a source that container root may not reach", prep: secret, edit: bindSource("secret/deep", "rbind"), sh: "cat /mnt/file", want: is("hello\n")},
		{name: "a file below it", prep: secret, sh: "cat /etc/group", want: is("hello\n"),
			edit: addMount(specs.Mount{Destination: "/etc/group", Type: "bind", Source: "secret/deep/file", Options: []string{"bind"}})},
	}))
}

// ownedByMapped gives the rootfs to the root of mapped.
func ownedByMapped(c *container) { c.chownRootfs(100000, 200000) }

// secret makes a directory for root alone, with one for all in it.
func secret(c *container) {
	deep := filepath.Join(c.bundle, "secret", "deep")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		c.t.Fatal(err)
	}
	c.write("secret/deep/file", "hello\n")
	if err := os.Chmod(filepath.Dir(deep), 0o700); err != nil {
		c.t.Fatal(err)
	}
}

func bindSource(src string, options ...string) func(*specs.Spec) {
	return addMount(specs.Mount{Destination: "/mnt", Type: "bind", Source: src, Options: append([]string{"bind"}, options...)})
}

// What the host mounted read-only, or without set-uid programs, devices or programs at all,
// stays so for container root: the kernel locks the flags of a tree that a user namespace
// is given (mount_namespaces(7)). That has to hold for each way that a source takes.
func TestLockedFlags(t *testing.T) {
	var rows []row
	for _, f := range []struct {
		name, clear string
		flag        uintptr
	}{{"ro", "rw", unix.MS_RDONLY}, {"nosuid", "suid", unix.MS_NOSUID}, {"nodev", "dev", unix.MS_NODEV}, {"noexec", "exec", unix.MS_NOEXEC}} {
		prep := func(c *container) { c.mount("tmpfs", "src", "tmpfs", f.flag) }
		stays := func(way string, prep func(*container), source func(*specs.Spec), p peers) row {
			return row{name: f.name + " stays: " + way, prep: prep, edit: edits(mapped, fullCaps, source), peers: p,
				sh: "mount -o remount,bind," + f.clear + " none /mnt 2>&1; " + onMount("/mnt"), want: denied(f.name)}
		}
		rows = append(rows,
			stays("bind", prep, bindSource("src"), peers{}),
			stays("rbind", prep, bindSource("src", "rbind"), peers{}),
			stays("out of container root's reach", behindSecret(f.flag), bindSource("secret/src", "rbind"), peers{}),
			stays("idmapped", prep, bindSource("src", "idmap"), peers{runc: differs("came with 1.2")}),
			stays("idmapped, recursively", prep, bindSource("src", "rbind", "ridmap"), peers{runc: differs("came with 1.2")}),
			row{name: f.name + " taken back", prep: prep, edit: edits(mapped, bindSource("src", f.clear)), sh: "true", code: 1,
				fails: where("/mounts/7"), peers: peers{runc: differs("1.1 leaves the flag, without a word"), crun: differs("leaves the flag")}},
			row{name: f.name + " taken back without a user namespace", prep: prep, edit: edits(fullCaps, bindSource("src", f.clear)),
				sh: onMount("/mnt") + "| cut -d' ' -f1 | grep -w " + f.name, code: 1, want: is("")},
		)
	}
	runRows(t, rows)
}

// behindSecret mounts a tmpfs below a directory for root alone.
func behindSecret(flags uintptr) func(*container) {
	return func(c *container) {
		c.mount("tmpfs", "secret/src", "tmpfs", flags)
		if err := os.Chmod(filepath.Join(c.bundle, "secret"), 0o700); err != nil {
			c.t.Fatal(err)
		}
	}
}

// denied: the remount failed, and the flag is among the mount's own.
func denied(flag string) match {
	return like(`(ermission denied|not permitted).*\n(\S+,)?` + flag + `[, ]`)
}

func TestUserNamespaceExec(t *testing.T) {
	runScenes(t, []scene{
		{name: "init's namespaces, ids and capabilities", play: func(t *testing.T) {
			c := newRunning(t, mapped, cwd("/home/joe"))
			got := readFacts(c.sh(tellFacts).must(t).stdout)
			got.checkNamespacesOf(t, c)
			got.check(t, facts{"uid_map": mappedUIDs, "gid_map": mappedGIDs, "setgroups": "allow", "Uid": "0 0 0 0", "Gid": "0 0 0 0", "Groups": "",
				"CapEff": "0000000020000420", "CapBnd": "0000000020000420", "NoNewPrivs": "1"})
			checkExecUser(t, c)
			c.delete("--force").must(t)
		}},
		{name: "in created", play: func(t *testing.T) {
			c := newCreated(t, mapped)
			want(t, c.sh("id -u; tr -s ' ' </proc/self/uid_map"), 0, is("0\n 0 100000 65536\n"), match{})
			c.start().must(t)
			c.delete("--force").must(t)
		}},
		{name: "without root", peers: peers{runc: differs("wants root mapped")}, play: func(t *testing.T) {
			c := newRunning(t, ids(idRange(1000, 100000, 1)), user(1000, 1000), ptsGroup)
			want(t, c.sh("id -u; id -g"), 0, is("1000\n1000\n"), match{})
			want(t, c.exec([]string{"--user", "0"}, "id"), 255, is(""), match{})
			c.delete("--force").must(t)
		}},
		{name: "seccomp", play: func(t *testing.T) {
			c := newRunning(t, mapped, writable, seccomp(specs.ActAllow, specs.ActErrno, "mkdir mkdirat"), noNewPrivs(false))
			want(t, c.sh("mkdir /tmp/x 2>&1"), 1, has("Operation not permitted"), match{})
			c.delete("--force").must(t)
		}},
		{name: "pause, resume, kill", play: func(t *testing.T) {
			c := newRunning(t, mapped)
			c.rt("pause", c.id).must(t)
			c.wantStatus("paused")
			c.rt("resume", c.id).must(t)
			c.kill("KILL").must(t)
			c.untilStatus("stopped")
			c.delete().must(t)
		}},
	})
}

func statusOf(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func checkExecUser(t *testing.T, c *container) {
	t.Helper()
	want(t, c.exec([]string{"--user", "1000:2000", "--additional-gids", "3000"}, "sh", "-c", "id -u; id -G; pwd; echo $HOME; grep CapEff /proc/self/status"), 0,
		like(`^1000\n2000 3000\n/home/joe\n/home/joe\nCapEff:\s0+$`), match{})
	want(t, c.exec([]string{"--user", "70000"}, "id"), 255, is(""), match{})
	pid := c.state().Pid
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err != nil || !strings.Contains(string(b), "Uid:\t100000\t100000\t100000\t100000\n") {
		t.Errorf("%v: init on the host:\n%s", err, b)
	}
}
