package cli

import "slices"

// entry is a row of the table of commands. Only make is costly, and only the command that
// runs, or help, calls it.
type entry struct {
	name  string
	args  string
	usage string
	make  func() command
}

// commands is the table of commands, sorted by name. It is data of the program: nothing of
// it is computed when rt starts.
var commands = []entry{
	{"completion", "bash|zsh|fish", "print a program that completes rt's command lines", completionCommand},
	{"create", "CONTAINER", "create a container from a bundle, ready to start", createCommand},
	{"delete", "CONTAINER", "remove a container and what it holds", deleteCommand},
	{"events", "CONTAINER", "print what a container uses, and its OOM kills, as they come", eventsCommand},
	{"exec", "CONTAINER [COMMAND [ARG...]]", "run another process in a container", execCommand},
	{"features", "", "print what this build supports, as JSON", featuresCommand},
	{"kill", "CONTAINER [SIGNAL]", "send a signal to a container's init process", killCommand},
	{"list", "", "list the containers below --root", listCommand},
	{"pause", "CONTAINER", "freeze all processes of a container", pauseCommand},
	{"plan", "[BUNDLE]", "print what create would do, without doing it", planCommand},
	{"ps", "CONTAINER [PS-OPTION...]", "list the processes of a container", psCommand},
	{"resume", "CONTAINER", "thaw a paused container", resumeCommand},
	{"run", "CONTAINER", "create and start a container, and wait for it", runCommand},
	{"spec", "", "write a config.json to start from", specCommand},
	{"start", "CONTAINER", "start the workload of a created container", startCommand},
	{"state", "CONTAINER", "print the state of a container, as JSON", stateCommand},
	{"update", "CONTAINER", "change the limits of a container", updateCommand},
}

func lookup(name string) (entry, bool) {
	i := slices.IndexFunc(commands, func(e entry) bool { return e.name == name })
	if i < 0 {
		return entry{}, false
	}
	return commands[i], true
}
