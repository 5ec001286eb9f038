package compile

// This file holds the order in which a container is made, and no other file does.

type row struct {
	name string
	add  func(*work)
}

// container is the order of `create` and `run`.
var container = []row{
	{"score", ownScore},
	{"namespaces", namespaces}, // before all that happens in them
	{"root", root},             // a private clone, before anything is mounted on it
	{"memory", joinMemory},     // what tmpcopyup writes counts for the container
	{"mounts", earlyMounts},    // while the parent makes the cgroup
	{"devices", devices},       // before the join: a device list without "m" would refuse mknod
	{"masks", prepareMasks},    // while the host's /dev/null is there
	{"names", names},
	{"sysctl", sysctls},           // through an own procfs: the image's may be masked, or covered
	{"cwd", makeCwd},              // before the root turns read-only
	{"cgroup", callCgroup},        // the groups are there now
	{"late", lateMounts},          // cgroup mounts, which are clones of the groups, and what lies on them
	{"notify", notifySocket},      // on top of whatever is mounted on /run
	{"terminal", terminal},        // in the devpts that is mounted now; its device list does not count yet
	{"hide", hideEarly},           // after all mounts; the join may be as late as this
	{"join", joinCgroup},          // late, so that little of the set-up counts against a memory limit
	{"cgroupns", cgroupNamespace}, // its root is the group that we are in
	{"hooks", callHooks},          // in the groups, and while the paths are the host's
	{"hide", hideLate},            // a hook may still write to the root, and mount on it
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
	{"score", ownScore},
	{"join", joinOwn}, // before setns: the paths are the host's
	{"setns", setns},
	{"birth", birth}, // the last that is not in the container's pid namespace
	{"enter", enter},
	{"home", callEnter},        // brings HOME from the container's passwd
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

// beside is the order of a createContainer hook: it joins, and keeps rt's own rights.
var beside = []row{
	{"streams", streams},
	{"join", joinOwn},
	{"setns", setns},
	{"birth", birth},
	{"enter", enter},
	{"session", session}, // a process group of its own: a time-out kills it as a whole
	{"place", place},
	{"find", find},
	{"end", hookEnd},
}

// within is the order of a startContainer hook. Its program is the image's, so it gets no
// more rights than the workload: it is an exec whose streams are rt's.
var within = []row{
	{"streams", streams},
	{"join", joinOwn},
	{"setns", setns},
	{"birth", birth},
	{"enter", enter},
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
