package compile

import (
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/kernel"
	"rt/internal/plan"
)

// mount is a row with one mount more, entry 5.
func mount(name string, m specs.Mount) golden {
	return golden{name, on(func(s *specs.Spec) { s.Mounts = append(s.Mounts, m) }), below("/mounts/5")}
}

// guarded is a row with a caller who is not the host's root, and a writable cgroup mount,
// without a cgroup namespace.
func guarded(name string, host kernel.Host, edit func(*Input)) golden {
	host.UID = 1000
	return golden{name, func(in *Input) {
		in.Host = host
		in.Spec.Linux.Namespaces = in.Spec.Linux.Namespaces[:5]
		in.Spec.Mounts[3].Options = []string{"nosuid", "rw"}
		if edit != nil {
			edit(in)
		}
	}, below("/mounts/3")}
}

func goldens() []golden {
	return slices.Concat(wholeGoldens(), placeGoldens(), mountGoldens(), fileGoldens(), processGoldens(), userGoldens(), endGoldens(), namespaceGoldens())
}

func wholeGoldens() []golden {
	return []golden{
		{"v1", func(in *Input) { in.PidFile = "/run/pid" }, all},
		{"v2", withHost(v2Host()), all},
		{"run", func(in *Input) { in.Run = true }, from("bounding")},
		{"hooks", on(every), from("write")},
		{"hooks-run", func(in *Input) { in.Run = true; every(in.Spec) }, all},
		{"hooks-later-only", on(func(s *specs.Spec) {
			every(s)
			s.Hooks.Prestart, s.Hooks.CreateRuntime, s.Hooks.CreateContainer = nil, nil, nil //nolint:staticcheck // prestart
		}), from("write")},
		{"preserve-fds", func(in *Input) { in.PreserveFDs = 3 }, facts},
		{"listen", func(in *Input) {
			in.Listen, in.PreserveFDs = Listen{FDs: 2, Pid: 1, Names: "web:admin"}, 3
			in.Spec.Process.Env = append(in.Spec.Process.Env, "LISTEN_FDS=9")
		}, facts},
		{"notify", func(in *Input) { in.Notify = "/run/rt/web/notify" }, func(out *Output, lines []plan.Line) []plan.Line {
			return append(facts(out, nil), steps("open_tree", "mount_setattr", "attach", "call", "readonly", "mask", "pivot_root")(out, lines)...)
		}},
		{"pidfd-socket", func(in *Input) { in.PidFile, in.PidfdSocket = "/run/pid", "/run/pidfd.sock" }, steps("pid_file", "pidfd", "state", "call")},
		{"absolute-root", on(func(s *specs.Spec) { s.Root.Path = "/srv/image" }), below("/root")},
		{"root-writable", on(func(s *specs.Spec) { s.Root.Readonly = false }), below("/root")},
	}
}

func placeGoldens() []golden {
	return []golden{
		{"hostname-none", on(func(s *specs.Spec) { s.Hostname, s.Domainname = "", "example.org" }), below("/hostname", "/domainname")},
		{"namespaces-none-but-mount", on(func(s *specs.Spec) {
			s.Hostname = ""
			s.Linux.Namespaces = []specs.LinuxNamespace{{Type: specs.MountNamespace}}
		}), steps("spawn", "unshare", "setns", "loopback")},
		{"namespaces-joined", onV2(func(s *specs.Spec) {
			for i := range s.Linux.Namespaces[1:4] {
				s.Linux.Namespaces[i+1].Path = "/run/ns/" + string(s.Linux.Namespaces[i+1].Type)
			}
			s.Linux.Namespaces[5].Path = "/run/ns/cgroup"
		}), steps("spawn", "unshare", "open", "setns", "close", "loopback")},
		{"cgroupns-none", onV2(func(s *specs.Spec) { s.Linux.Namespaces = s.Linux.Namespaces[:5] }), steps("unshare", "write")},
		guarded("cgroup-rootless-v1", v1Host(), nil),
		guarded("cgroup-rootless-v2", v2Host(), nil),
		guarded("cgroup-rootless-namespace", v2Host(), func(in *Input) {
			in.Spec.Linux.Namespaces = append(in.Spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.CgroupNamespace})
		}),
		guarded("cgroup-userns-root", v2Host(), func(in *Input) { in.Host.UserNS, in.Host.UID = true, 0 }),
		guarded("cgroup-denied", v2Host(), func(in *Input) { in.Host.Cgroups.Denied, in.Host.Cgroups.UID = true, 1000 }),
		{"propagation-shared", func(in *Input) {
			in.Spec.Linux.RootfsPropagation, in.RootParent = "shared", "/srv"
		}, below("/linux/rootfsPropagation", "/root/path")},
		{"propagation-private", on(func(s *specs.Spec) { s.Linux.RootfsPropagation = "private" }), below("/linux/rootfsPropagation", "/root/path")},
		{"propagation-rprivate", on(func(s *specs.Spec) { s.Linux.RootfsPropagation = "rprivate" }), below("/linux/rootfsPropagation", "/root/path")},
		{"propagation-unbindable", on(func(s *specs.Spec) { s.Linux.RootfsPropagation = "unbindable" }), below("/linux/rootfsPropagation", "/root/path")},
		{"sysctl", on(func(s *specs.Spec) {
			s.Linux.Sysctl = map[string]string{
				"net.ipv4.ip_forward": "1", "net/ipv4/conf/eth0.100/forwarding": "0", "net.ipv4.conf.eth0/100.rp_filter": "2", "kernel.shmmax": "65536",
			}
		}), below("/linux/sysctl")},
		{"resources", on(func(s *specs.Spec) {
			s.Linux.Resources = &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr(int64(1 << 20))}, Pids: &specs.LinuxPids{Limit: ptr(int64(7))}}
		}), facts},
	}
}

func mountGoldens() []golden {
	return []golden{
		mount("mount-tmpfs", specs.Mount{Destination: "/t", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "size=1m"}}),
		mount("mount-tmpfs-ro", specs.Mount{Destination: "/t", Type: "tmpfs", Options: []string{"ro"}}),
		mount("mount-tmpfs-mode", specs.Mount{Destination: "/t", Type: "tmpfs", Options: []string{"mode=1770", "ro"}}),
		mount("mount-copy-up", specs.Mount{Destination: "/t", Type: "tmpfs", Options: []string{"tmpcopyup", "nosuid", "rprivate", "ro"}}),
		mount("mount-copy-up-owned", specs.Mount{Destination: "/t", Type: "tmpfs", Options: []string{"tmpcopyup", "mode=700", "uid=1", "gid=2"}}),
		mount("mount-copy-up-bind", specs.Mount{Destination: "/t", Source: "/src", Options: []string{"bind", "tmpcopyup"}}),
		mount("mount-remount", specs.Mount{Destination: "/sys", Type: "sysfs", Options: []string{"remount", "rw", "rslave"}}),
		mount("mount-remount-bind", specs.Mount{Destination: "/t", Source: "/t", Options: []string{"remount", "bind", "ro", "rnosuid"}}),
		{"mount-copy-up-v1", on(copyUp), steps("cgroup", "record", "join", "copy_up", "call", "attach", "write")},
		{"mount-copy-up-v2", onV2(copyUp), steps("cgroup", "record", "fork", "join", "copy_up", "call", "write")},
		{"mount-copy-up-userns", on(both(users, copyUp)), steps("cgroup", "record", "join", "copy_up", "call", "write")},
		{"no-pivot", func(in *Input) { in.NoPivot, in.HostMounts = true, hostMounts }, steps("mask", "fsmount", "move_root", "drop", "chroot", "pivot_root")},
		{"no-pivot-shared", func(in *Input) {
			in.NoPivot, in.HostMounts, in.RootParent = true, hostMounts, "/srv"
			in.Spec.Linux.RootfsPropagation, in.Spec.Linux.MaskedPaths = "rshared", nil
		}, from("move_root")},
		mount("mount-superblock", specs.Mount{Destination: "/m", Type: "ext4", Source: "/dev/x", Options: []string{"sync", "lazytime", "defaults", "errors=remount-ro", "quota"}}),
		mount("mount-attributes", specs.Mount{Destination: "/m", Type: "tmpfs", Options: []string{
			"mode=755", "nosuid", "nodev", "noexec", "nosymfollow", "nodiratime", "noatime", "dev", "rw", "ro",
		}}),
		mount("mount-attributes-cleared", specs.Mount{Destination: "/m", Source: "/src", Options: []string{"bind", "rw", "suid", "dev", "exec", "symfollow", "diratime", "atime"}}),
		mount("mount-atime-last-wins", specs.Mount{Destination: "/m", Source: "/src", Options: []string{"bind", "noatime", "strictatime"}}),
		mount("mount-recursive", specs.Mount{Destination: "/m", Source: "/src", Options: []string{"rbind", "rro", "rnosuid", "rnoatime", "rw"}}),
		mount("mount-recursive-cleared", specs.Mount{Destination: "/m", Source: "/src", Options: []string{"rbind", "rro", "rrw", "rsuid", "rexec", "rrelatime"}}),
		mount("mount-recursive-new", specs.Mount{Destination: "/m", Type: "tmpfs", Options: []string{"mode=755", "rro", "rnosuid", "suid", "rnoatime", "strictatime", "nodev"}}),
		mount("mount-bind", specs.Mount{Destination: "/m", Source: "/src", Options: []string{"bind"}}),
		mount("mount-bind-by-type", specs.Mount{Destination: "m/../n", Type: "bind", Source: "src/./x"}),
		mount("mount-bind-then-rbind", specs.Mount{Destination: "/m", Source: "/src", Options: []string{"bind", "rbind"}}),
		mount("mount-propagation", specs.Mount{Destination: "/m", Source: "/src", Options: []string{"rbind", "rslave", "shared"}}),
		mount("mount-propagation-new", specs.Mount{Destination: "/m", Type: "tmpfs", Options: []string{"mode=755", "unbindable"}}),
		mount("mount-in-proc", specs.Mount{Destination: "/proc/uptime", Source: "/src", Options: []string{"bind"}}),
		mount("mount-late-over-cgroup", specs.Mount{Destination: "/sys/fs", Type: "tmpfs", Options: []string{"mode=755"}}),
		{"mount-order", onV2(func(s *specs.Spec) {
			s.Mounts = append(s.Mounts, specs.Mount{Destination: "/sys/fs/cgroup/x", Type: "tmpfs", Options: []string{"mode=755"}},
				specs.Mount{Destination: "/sys/fs/cgroupfs", Type: "tmpfs", Options: []string{"mode=755"}})
		}), steps("attach", "call", "write", "pivot_root")},
		{"mount-cgroup2-type", func(in *Input) { in.Host, in.Unified = v2Host(), true; in.Spec.Mounts[3].Type = "cgroup2" }, below("/mounts/3")},
		{"mount-sys-bind", on(func(s *specs.Spec) {
			s.Mounts[2] = specs.Mount{Destination: "/sys", Source: "/sys", Options: []string{"rbind", "rro"}}
		}), below("/mounts/2")},
	}
}

func fileGoldens() []golden {
	return []golden{
		{"devices", onV2(func(s *specs.Spec) {
			s.Linux.Devices = []specs.LinuxDevice{
				{Path: "/dev/fuse", Type: "c", Major: 10, Minor: 229, FileMode: ptr(os.FileMode(0o640)), UID: ptr(uint32(5)), GID: ptr(uint32(6))},
				{Path: "/dev/sda", Type: "b", Major: 8, Minor: 70000},
				{Path: "/dev/fifo", Type: "p", Major: 7, Minor: 7},
				{Path: "/dev/null", Type: "u", Major: 1, Minor: 3}, // instead of the default one
				{Path: "/dev/net/tun", Type: "c", Major: 10, Minor: 200},
				{Path: "/run/dev", Type: "c", Major: 1, Minor: 5},
				{Path: "/dev/../dev//x", Type: "c", Major: 1, Minor: 5},
				{Path: "/top", Type: "c", Major: 1, Minor: 5},
			}
		}), steps("mkdir", "open", "mknod", "close")},
		{"devices-kcore", func(in *Input) { in.Host, in.Unified = v2Host(), true; in.Host.Kcore = true }, steps("symlink")},
		{"devices-dev-bound", onV2(func(s *specs.Spec) {
			s.Mounts[1] = specs.Mount{Destination: "/dev/", Source: "/dev", Options: []string{"rbind"}}
			s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/fuse", Type: "c", Major: 10, Minor: 229}}
		}), steps("mkdir", "mknod", "symlink", "attach")},
		{"masks-none", on(func(s *specs.Spec) { s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = nil, nil }), from("pivot_root")},
		{"masks", on(func(s *specs.Spec) { s.Linux.MaskedPaths = append(s.Linux.MaskedPaths, "/a", "/proc/kcore") }), below("/linux/maskedPaths", "/linux/readonlyPaths", "/root/readonly")},
		{"cwd", on(func(s *specs.Spec) { s.Process.Cwd = "/srv/app" }), below("/process/cwd")},
	}
}

func processGoldens() []golden {
	process := func(name string, edit func(*specs.Process), p part) golden {
		return golden{name, on(func(s *specs.Spec) { edit(s.Process) }), p}
	}
	return []golden{
		process("limits", func(p *specs.Process) {
			p.Rlimits = append(p.Rlimits, specs.POSIXRlimit{Type: "RLIMIT_CORE", Soft: 0, Hard: unix.RLIM_INFINITY})
			p.OOMScoreAdj = ptr(-500)
		}, below("/process/rlimits", "/process/oomScoreAdj")),
		process("oom-score-zero", func(p *specs.Process) { p.OOMScoreAdj = ptr(0) }, below("/process/oomScoreAdj")),
		{"terminal", on(withTerminal), terminalLines},
		process("terminal-unsized", func(p *specs.Process) { p.Terminal = true }, below("/process/terminal", "/process/consoleSize")),
		process("env-home-set", func(p *specs.Process) { p.Env = append(p.Env, "HOME=/root") }, homeLines),
		process("env-home-empty", func(p *specs.Process) { p.Env = append(p.Env, "HOME=") }, homeLines),
		process("env-home-last-empty", func(p *specs.Process) { p.Env = append(p.Env, "HOME=/x", "HOME=") }, homeLines),
		process("env-duplicates", func(p *specs.Process) {
			p.Env = []string{"A=1", "PATH=/first", "B=", "A=2=3", "AA=4", "NOVALUE", "PATH=/last", "NOVALUE"}
		}, func(out *Output, lines []plan.Line) []plan.Line {
			return append(facts(out, nil), below("/process/args")(out, lines)...)
		}),
		process("path-missing", func(p *specs.Process) { p.Env = nil }, below("/process/args")),
	}
}

func userGoldens() []golden {
	process := func(name string, edit func(*specs.Process), p part) golden {
		return golden{name, on(func(s *specs.Spec) { edit(s.Process) }), p}
	}
	caps := func(names ...string) []string { return names }
	return []golden{
		process("user", func(p *specs.Process) {
			p.Cwd, p.User = "/home/x", specs.User{UID: 1000, GID: 1001, AdditionalGids: []uint32{7, 8}, Umask: ptr(uint32(0o077))}
		}, from("setsid")),
		process("user-root-groups", func(p *specs.Process) { p.User = specs.User{GID: 5, AdditionalGids: []uint32{7}} }, below("/process/user", "/process/cwd")),
		process("umask-zero", func(p *specs.Process) { p.User.Umask = ptr(uint32(0)) }, below("/process/user/umask")),
		process("caps-unset", func(p *specs.Process) { p.Capabilities = nil }, below("/process/capabilities")),
		process("caps-every", func(p *specs.Process) {
			p.Capabilities = &specs.LinuxCapabilities{Bounding: caps("CAP_CHOWN", "CAP_KILL", "CAP_BPF"), Effective: caps("CAP_KILL"),
				Permitted: caps("CAP_KILL", "CAP_BPF"), Inheritable: caps("CAP_BPF"), Ambient: caps("CAP_BPF")}
		}, below("/process/capabilities")),
		process("caps-effective-not-permitted", func(p *specs.Process) {
			p.Capabilities = &specs.LinuxCapabilities{Effective: caps("CAP_KILL", "CAP_CHOWN"), Permitted: caps("CAP_KILL")}
		}, below("/process/capabilities")),
		process("caps-ambient-not-inheritable", func(p *specs.Process) {
			p.Capabilities = &specs.LinuxCapabilities{Permitted: caps("CAP_KILL", "CAP_CHOWN"), Inheritable: caps("CAP_CHOWN"), Ambient: caps("CAP_KILL", "CAP_CHOWN")}
		}, below("/process/capabilities")),
		{"caps-missing-at-host", func(in *Input) {
			in.Host.Caps &^= 1 << unix.CAP_SYS_RESOURCE
			in.Spec.Process.Capabilities.Permitted = caps("CAP_SYS_RESOURCE", "CAP_KILL")
			in.Spec.Process.Capabilities.Bounding = caps("CAP_SYS_RESOURCE", "CAP_KILL")
		}, below("/process/capabilities")},
	}
}

// endGoldens are no_new_privs × who compiled the filter × the user: the order at the end.
func endGoldens() []golden {
	var rows []golden
	for _, nnp := range []bool{false, true} {
		for _, cached := range []bool{false, true} {
			for _, uid := range []uint32{0, 1000} {
				rows = append(rows, endGolden(nnp, cached, uid))
			}
		}
	}
	return append(rows, golden{"end-no-filter-nnp", on(func(s *specs.Spec) { s.Process.NoNewPrivileges = true }), from("bounding")})
}

func endGolden(nnp, cached bool, uid uint32) golden {
	name := "end"
	for _, word := range []struct {
		on         bool
		yes, other string
	}{{nnp, "-nnp", ""}, {cached, "-cached", "-fetched"}, {uid == 0, "-root", "-user"}} {
		if word.on {
			name += word.yes
		} else {
			name += word.other
		}
	}
	return golden{name, func(in *Input) {
		in.Spec.Process.NoNewPrivileges, in.Spec.Process.User.UID = nnp, uid
		in.Spec.Linux.Seccomp, in.FilterFlags = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, 2
		if cached {
			in.Filter = []byte("\x06\x00\x00\x00\x00\x00\xff\x7f")
		}
	}, from("bounding")}
}

func execGoldens() []golden {
	return []golden{
		{"exec", func(in *Input) { in.PidFile = "/run/pid" }, all},
		{"exec-v2", withHost(v2Host()), from("spawn")},
		{"exec-user", on(func(s *specs.Spec) { s.Process.User.UID, s.Process.OOMScoreAdj = 1000, ptr(7) }), all},
		{"exec-terminal", on(withTerminal), terminalLines},
		{"exec-shared-pid", on(func(s *specs.Spec) { s.Linux.Namespaces = s.Linux.Namespaces[1:] }), steps("setns", "spawn")},
		{"exec-user-namespace", on(users), steps("spawn", "forked", "setns", "fork", "write", "setgroups", "setgid", "setuid", "chroot", "rlimit", "setrlimit")},
		{"exec-rootless", rootless(users), steps("spawn", "forked", "prctl", "setns", "fork", "write", "setgroups", "setgid", "setuid", "chroot", "rlimit", "setrlimit")},
		{"exec-sockets", func(in *Input) {
			in.PidfdSocket, in.Listen = "/run/pidfd.sock", Listen{FDs: 1, Pid: 7}
		}, func(out *Output, lines []plan.Line) []plan.Line {
			return append(facts(out, nil), steps("pidfd", "call")(out, lines)...)
		}},
		{"exec-filter", func(in *Input) {
			in.Spec.Linux.Seccomp, in.PreserveFDs = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, 2
		}, from("bounding")},
	}
}

func withTerminal(s *specs.Spec) {
	s.Process.Terminal, s.Process.ConsoleSize = true, &specs.Box{Height: 33, Width: 99}
}

// terminalLines are its steps, with those between which they have to stand.
func terminalLines(out *Output, lines []plan.Line) []plan.Line {
	return slices.DeleteFunc(lines, func(l plan.Line) bool {
		return !strings.HasPrefix(l.Where, "/process/terminal") && !strings.HasPrefix(l.Where, "/process/consoleSize") &&
			!slices.Contains([]string{"setns", "mask", "readonly", "pivot_root", "setsid", "own_stdio", "reopen_null", "setuid"}, l.Step)
	})
}

// homeLines are the environment, and how HOME comes into it.
func homeLines(out *Output, lines []plan.Line) []plan.Line {
	return append(facts(out, nil), steps("home", "call")(out, lines)...)
}

func copyUp(s *specs.Spec) {
	s.Mounts = append(s.Mounts, specs.Mount{Destination: "/t", Type: "tmpfs", Options: []string{"tmpcopyup"}})
}

var hostMounts = []kernel.Mount{{Point: "/", Type: "rootfs"}, {Point: "/proc", Type: "proc"}, {Point: "/srv", Type: "ext4"}, {Point: "/proc", Type: "tmpfs"}}
