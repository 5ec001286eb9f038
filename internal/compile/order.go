package compile

// This file holds the order in which a container is made, and no other file does.

type row struct {
	name string
	add  func(*work)
}

// container is the order of `create` and `run`.
var container = []row{
	{"namespaces", namespaces}, // first: all below happens in them
	{"root", root},             // a private clone, before anything is mounted on it
	{"mounts", earlyMounts},    // while the parent makes the cgroup
	{"devices", devices},       // before the join: a device list without "m" would refuse mknod
	{"masks", prepareMasks},    // while the host's /dev/null is there
	{"names", names},
	{"sysctl", sysctls},           // through an own procfs: the image's may be masked, or covered
	{"cwd", makeCwd},              // before the root turns read-only
	{"cgroup", callCgroup},        // the groups are there now
	{"late", lateMounts},          // cgroup mounts, which are clones of the groups, and what lies on them
	{"terminal", terminal},        // in the devpts that is mounted now; its device list does not count yet
	{"hide", hide},                // after all mounts
	{"join", joinCgroup},          // late, so that little of the set-up counts against a memory limit
	{"cgroupns", cgroupNamespace}, // its root is the group that we are in
	{"pivot", pivot},              // after the join, whose paths are the host's
	{"session", session},
	{"tty", takeTerminal},  // of that session
	{"stdio", stdio},       // /dev/null is the container's from here on
	{"bounding", bounding}, // needs CAP_SETPCAP, which goes with the user
	{"fetch", fetchFilter}, // before a low limit on open files can refuse its fd
	{"limits", limits},     // late: a low limit must not hit the set-up; a raise needs root
	{"user", user},         // cwd as root first, then as the user
	{"find", find},         // as the user, so that `create` says what `start` would
	{"end", end},
}

// exec is the order of `exec`: a join, and the same end.
var exec = []row{
	{"join", joinCgroup}, // before setns: the paths are the host's
	{"setns", setns},
	{"enter", callEnter},       // brings HOME from the container's passwd
	{"terminal", execTerminal}, // while we are root
	{"session", session},
	{"tty", takeTerminal},
	{"stdio", stdio},
	{"bounding", bounding},
	{"fetch", fetchFilter},
	{"limits", limits},
	{"user", user},
	{"find", find},
	{"end", end},
}

// end: with no_new_privs the filter comes last, and has to allow nothing but execve.
// Without it the kernel asks for CAP_SYS_ADMIN, so the filter comes before capset, and
// must allow close, read, write, capset, prctl, execve and exit_group.
func end(w *work) {
	if w.process.NoNewPrivileges {
		capabilities(w)
		noNewPrivileges(w)
		ready(w)
		filter(w)
	} else {
		filter(w)
		capabilities(w)
		ready(w)
	}
	w.From("/process/args").Exec(w.process.Args[0])
}
