package cli

import (
	"fmt"

	"rt/internal/errs"
	"rt/libcontainer"
)

func execCommand() command {
	var o libcontainer.ExecOptions
	return command{
		text: `Everything after CONTAINER belongs to COMMAND, also what looks like a flag
of rt. What is not given is as config.json's process has it. The exit code
is COMMAND's, or 255 if rt fails. With --tty COMMAND has a terminal of its
own, which is relayed to the caller's, or sent to --console-socket.

   rt exec web ls -l /
   rt exec --user 1000:1000 --cwd /tmp web id
   rt exec --tty --env TERM=xterm web sh
   rt exec --process process.json --detach --pid-file /run/p.pid web`,
		min: 1, max: -1,
		suits:  "created running",
		flags:  execFlags(&o),
		failed: execFailed,
		act: func(s *session, args []string) (err error) {
			o.Args = workload(args[1:])
			if o.Process == "" && len(o.Args) == 0 {
				return errs.New(errs.Usage, "process args cannot be empty")
			}
			if o.Listen, err = listen(); err == nil {
				s.code, err = s.life.Exec(args[0], o)
			}
			return err
		},
	}
}

func execFlags(o *libcontainer.ExecOptions) []*option {
	return []*option{
		consoleSocket(&o.ConsoleSocket),
		pidfdSocket(&o.PidfdSocket),
		text(&o.Cwd, "cwd", "", "run in `CWD`, a directory of the container"),
		list(&o.Env, "env", "e", "set a variable, `NAME=VALUE`"),
		toggle(&o.Tty, "tty", "t", "give the process a terminal (with --process, FILE decides)"),
		text(&o.User, "user", "u", "run as `UID[:GID]`"),
		&option{(*idsValue)(&o.AdditionalGid), "additional-gids", "g", "be in the group `GID` too; repeatable"},
		text(&o.Process, "process", "p", "take the process from `FILE`, a process object as config.json has it"),
		toggle(&o.Detach, "detach", "d", "return once the process has started"),
		pidFile(&o.PidFile),
		text(&o.ProcessLabel, "process-label", "", "run with the SELinux `LABEL` (not supported yet)"),
		text(&o.AppArmor, "apparmor", "", "run under the AppArmor `PROFILE` (not supported yet)"),
		toggle(&o.NoNewPrivs, "no-new-privs", "", "set no_new_privs, prctl(2)"),
		list(&o.Caps, "cap", "c", "add the capability `CAP`"),
		preserveFDs(&o.PreserveFDs),
		list(&o.Cgroup, "cgroup", "", "run in a sub-cgroup, `[CONTROLLER:]PATH` (not supported yet)"),
		toggle(&o.IgnorePaused, "ignore-paused", "", "allow it in a paused container"),
	}
}

// workload drops a "--" that stands directly after the container's name.
func workload(args []string) []string {
	if len(args) > 0 && args[0] == "--" {
		return args[1:]
	}
	return args
}

func execFailed(err error) error {
	return exitError{exitExec, fmt.Errorf("exec failed: %w", err)}
}
