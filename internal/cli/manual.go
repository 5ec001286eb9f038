package cli

import (
	"strconv"

	"rt/internal/cli/topic"
)

// Manual is what the manual page of a command says besides its help, of rt itself for "".
// Nothing in rt calls it, so that rt does not carry these texts.
func Manual(name string) topic.Manual {
	for _, m := range manuals() {
		if m.name == name {
			return m.Manual
		}
	}
	return topic.Manual{}
}

type manual struct {
	name string
	topic.Manual
}

// manuals has a row for each command that has more to say, sorted by name.
func manuals() []manual {
	return []manual{
		{"", topic.Manual{
			Text: `A bundle is prepared by other programs (debootstrap, umoci, podman, containerd), or
by hand, with "rt spec" for its config.json. The life of a container is: create
makes it, start executes its workload, kill ends that, delete removes what is
left. run does all of these. Container managers use the same commands; rt takes
the flags of runc(8) and prints the messages that managers match.

A command line is "rt", global options, the name of a command, its options, its
arguments. Options end at the first argument that is none, or after "--". The
forms --name value, --name=value, -name value and -name=value are the same.

All of config.json is checked before anything is made, and all faults are reported
with line and JSON pointer. What config.json asks for and this version cannot do
is an error, never ignored.

Callers without root get containers with a user namespace; other ids than the
caller's are mapped by newuidmap(1) and newgidmap(1). Where such a caller may not make
a cgroup, the container has none: then there are no limits, no pause, no update and no
events. --rootless says who goes on like this.

An error is one line on standard error; faults of config.json are one line each. With
--log it goes to that file as well;
--log-format json makes it an object with level, msg, time and error, which has the
kind of the error, the operation, the path and the JSON pointer into config.json.`,
			Exit: []topic.Item{
				{"0", "The command has done what it says."},
				{strconv.Itoa(exitFailure), "It has not; the reason is on standard error."},
				{strconv.Itoa(exitUnknown), "There is no such command."},
				{"other", "run and exec pass the exit code of the workload on, 128+n if signal n ended it. An error of exec itself is " + strconv.Itoa(exitExec) + "."},
			},
			Environment: []topic.Item{
				{"XDG_RUNTIME_DIR", "Without root, and without --root, containers are kept in its directory rt."},
				{"NOTIFY_SOCKET", "Socket of the service manager, sd_notify(3), for create, run and start."},
				{"LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "Sockets of the service manager, sd_listen_fds(3), for create, run and exec."},
				{"PATH", "Where ps(1), newuidmap(1) and newgidmap(1) are looked for. The workload's comes from config.json."},
			},
			Files: []topic.Item{
				{"BUNDLE/config.json", "What the container is to be: config.md of the OCI runtime specification."},
				{"/run/rt", "What is known about the containers of root, a directory for each; --root names another."},
				{"$XDG_RUNTIME_DIR/rt", "The same for a caller without root; /run/user/UID/rt or /tmp/rt-UID if the variable is not set."},
				{"ROOT/ID/state.json", "The record of a container that has been created. Its format may change."},
				{"ROOT/ID/config.json", "The bundle's file as create has read it. exec takes its defaults from there."},
				{"ROOT/ID/lock", "Held by a command that changes the container, which is named in it."},
				{"ROOT/@cache", "Compiled seccomp filters. It may be removed at any time."},
				{"/etc/subuid, /etc/subgid", "Ids that a caller without root may map, subuid(5)."},
				{"/sys/fs/cgroup", "Where the cgroups of the containers are made."},
			},
			See: []string{"runc(8)", "crun(1)", "cgroups(7)", "namespaces(7)", "user_namespaces(7)", "seccomp(2)"},
		}},
		{"completion", topic.Manual{
			Text: `Names of containers are those that "rt list" prints, with the --root that is on the
line, and only those whose status suits the command. A caller without root does not
see root's containers.`,
			Files: []topic.Item{
				{"PREFIX/share/bash-completion/completions/rt", "Where bash looks, if the package bash-completion is installed."},
				{"PREFIX/share/zsh/site-functions/_rt", "Where zsh looks."},
				{"PREFIX/share/fish/vendor_completions.d/rt.fish", "Where fish looks."},
			},
			See: []string{"bash(1)", "zshcompsys(1)", "fish(1)"},
		}},
		{"create", topic.Manual{
			Text: `If a step fails, all that was made before it is removed again. The process that waits
for start has the mounts, namespaces, cgroup and limits of the workload; kill and
delete work on it.`,
			Environment: notifyAndListen(),
			Files:       []topic.Item{{"BUNDLE/config.json", "What the container is to be."}},
			See:         []string{"rt-start(8)", "rt-run(8)", "rt-plan(8)"},
		}},
		{"delete", topic.Manual{
			Text: `Without --force a container that runs or is paused is left alone, which is an error.
What an interrupted create has left behind is removed as well.`,
			See: []string{"rt-kill(8)"},
		}},
		{"events", eventsManual()},
		{"exec", topic.Manual{
			Text: `The process joins the namespaces and the cgroup of the container's init. It gets
config.json's capabilities, user, environment and seccomp filter, unless a flag or
the file of --process says otherwise.`,
			Exit: []topic.Item{
				{"0 to 255", "The exit code of COMMAND, 128+n if signal n ended it; with --detach 0 once it has started."},
				{strconv.Itoa(exitExec), "rt could not execute it; the reason is on standard error."},
			},
			Environment: []topic.Item{listenItem()},
			See:         []string{"rt-ps(8)", "capabilities(7)"},
		}},
		{"features", topic.Manual{See: []string{"rt-spec(8)"}}},
		{"kill", topic.Manual{
			Text: `STOP arrives at process 1 as well, from outside of its namespace. Signal 0 asks whether the process is
there. Real-time signals are RTMIN, RTMIN+n, RTMAX and RTMAX-n.`,
			See: []string{"rt-delete(8)", "signal(7)", "pid_namespaces(7)"},
		}},
		{"list", topic.Manual{See: []string{"rt-state(8)", "rt-ps(8)"}}},
		{"pause", topic.Manual{See: []string{"rt-resume(8)", "rt-update(8)", "cgroups(7)"}}},
		{"plan", topic.Manual{
			Text: `A line is: lane, step, arguments, JSON pointer. Steps of the lane init are done inside
the container, those of the lane host by rt; a step "call" is where the init waits
for the host's. A caller without root gets another plan than root does.`,
			Files: []topic.Item{{"BUNDLE/config.json", "The file that is compiled."}},
			See:   []string{"rt-create(8)"},
		}},
		{"ps", topic.Manual{
			Environment: []topic.Item{{"PATH", "Where ps is looked for; /bin/ps if it is not set."}},
			See:         []string{"ps(1)", "rt-list(8)"},
		}},
		{"resume", topic.Manual{See: []string{"rt-pause(8)"}}},
		{"run", topic.Manual{
			Exit: []topic.Item{
				{"0 to 255", "The exit code of the workload, 128+n if signal n ended it; with --detach 0 once it has started."},
				{strconv.Itoa(exitFailure), "Also: rt could not run it; the reason is on standard error."},
			},
			Environment: notifyAndListen(),
			Files:       []topic.Item{{"BUNDLE/config.json", "What the container is to be."}},
			See:         []string{"rt-create(8)", "rt-exec(8)", "rt-spec(8)"},
		}},
		{"spec", topic.Manual{
			Files: []topic.Item{{"config.json", "The file that is written."}},
			See:   []string{"rt-run(8)", "rt-plan(8)", "user_namespaces(7)"},
		}},
		{"start", topic.Manual{
			Environment: []topic.Item{notifyItem()},
			See:         []string{"rt-create(8)", "rt-state(8)"},
		}},
		{"state", topic.Manual{
			Text: `The status is found out each time, and kept nowhere.`,
			See:  []string{"rt-list(8)"},
		}},
		{"update", updateManual()},
	}
}

func notifyItem() topic.Item {
	return topic.Item{notifyVariable, "Socket of the service manager, sd_notify(3)."}
}

func listenItem() topic.Item {
	return topic.Item{"LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "Sockets of the service manager, sd_listen_fds(3), which the process gets."}
}

func notifyAndListen() []topic.Item { return []topic.Item{notifyItem(), listenItem()} }
