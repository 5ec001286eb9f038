package compile

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// users gives the container a user namespace of its own.
func users(s *specs.Spec) {
	s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	s.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: 100000, Size: 65536}}
	s.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: 200000, Size: 65536}}
}

// rootless is an edit for a caller without privileges.
func rootless(edit func(*specs.Spec)) func(*Input) {
	return func(in *Input) {
		in.Host.Caps, in.Host.UID, in.Host.Cgroups.Denied = 0, 1000, true
		in.Spec.Process.OOMScoreAdj = ptr(100)
		edit(in.Spec)
	}
}

// bare is an edit of a container without a mount namespace.
func bare(edit func(*specs.Spec)) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.MountNamespace })
		edit(s)
	}
}

func path(kinds ...specs.LinuxNamespaceType) func(*specs.Spec) {
	return func(s *specs.Spec) {
		for i, n := range s.Linux.Namespaces {
			if slices.Contains(kinds, n.Type) {
				s.Linux.Namespaces[i].Path = "/run/ns/" + string(n.Type)
			}
		}
	}
}

func both(edits ...func(*specs.Spec)) func(*specs.Spec) {
	return func(s *specs.Spec) {
		for _, e := range edits {
			e(s)
		}
	}
}

func clocks(s *specs.Spec) {
	s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.TimeNamespace})
	s.Linux.TimeOffsets = map[string]specs.LinuxTimeOffset{"monotonic": {Secs: -5, Nanosecs: 7}, "boottime": {Secs: 9}}
}

// namespaceGoldens: which process makes or joins what, and in which order.
func namespaceGoldens() []golden {
	order := steps("spawn", "plan", "forked", "record", "maps", "fork", "unshare", "setns", "write", "join", "setgroups", "setgid", "setuid", "renew", "prctl", "pivot_root", "chroot")
	inRoot := func(edit func(*specs.Spec)) func(*Input) {
		return on(both(edit, bare(func(s *specs.Spec) {
			s.Mounts, s.Root.Readonly, s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = nil, false, nil, nil
		})))
	}
	return []golden{
		{"ns-user", on(users), all},
		{"ns-user-v2", onV2(users), order},
		{"ns-user-rootless", rootless(users), order},
		{"ns-user-time", on(both(users, clocks)), order},
		{"ns-user-joined", on(both(users, path(specs.UserNamespace))), order},
		{"ns-user-joined-rootless", rootless(both(users, path(specs.UserNamespace, specs.NetworkNamespace))), order},
		{"ns-user-own", func(in *Input) {
			users(in.Spec)
			path(specs.UserNamespace)(in.Spec)
			in.Own = NamespaceFlag(specs.UserNamespace)
		}, order},
		{"ns-pod", func(in *Input) {
			users(in.Spec)
			path(specs.UserNamespace, specs.NetworkNamespace, specs.IPCNamespace)(in.Spec)
			in.Owned = NamespaceFlag(specs.NetworkNamespace)
		}, order},
		{"ns-user-no-root", on(both(users, func(s *specs.Spec) {
			s.Process.User = specs.User{UID: 1000, GID: 1001}
			s.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 1000, HostID: 5, Size: 1}}
			s.Linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 1001, HostID: 5, Size: 1}}
		})), order},
		{"ns-time", on(clocks), order},
		{"ns-time-v2", onV2(clocks), order},
		{"ns-pid-joined", on(path(specs.PIDNamespace)), order},
		{"ns-mount-joined", on(path(specs.MountNamespace)), order},
		{"ns-mount-none", inRoot(func(*specs.Spec) {}), order},
		{"ns-foreign-mounts", on(both(users, func(s *specs.Spec) {
			s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool {
				return n.Type == specs.NetworkNamespace || n.Type == specs.IPCNamespace || n.Type == specs.PIDNamespace
			})
			s.Mounts[1] = specs.Mount{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid"}}
		})), below("/mounts/0", "/mounts/1", "/mounts/2")},
		{"ns-devices", on(both(users, func(s *specs.Spec) {
			s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/fuse", Type: "c", Major: 10, Minor: 229}, {Path: "/dev/fifo", Type: "p"}}
		})), steps("open_tree", "attach", "mknod")},
		{"ns-idmap", on(func(s *specs.Spec) {
			ids := []specs.LinuxIDMapping{{HostID: 7, Size: 1}}
			s.Mounts[4].UIDMappings, s.Mounts[4].GIDMappings = ids, ids
		}), below("/mounts/4")},
		{"ns-ridmap", on(both(users, func(s *specs.Spec) { s.Mounts[4].Options = []string{"rbind", "ridmap"} })), below("/mounts/4")},
	}
}
