package cli

import "rt/libcontainer"

func createCommand() command {
	var o libcontainer.CreateOptions
	return command{
		text: `Makes everything that config.json asks for, up to the point where the
workload would be executed. CONTAINER is a name that is not in use below
--root. Hooks of the kinds prestart, createRuntime and createContainer are
run. If the process has a terminal, --console-socket says who gets it.

Sockets from systemd (LISTEN_FDS) are passed on; with NOTIFY_SOCKET the
workload gets a socket for sd_notify(3), and start waits for its READY=1.

   rt create --bundle /srv/web --pid-file /run/web.pid web
   rt create --bundle /srv/sh --console-socket /run/sh.sock sh
   rt start web`,
		min: 1, max: 1,
		suits: unused,
		flags: createFlags(&o),
		act: func(s *session, args []string) (err error) {
			o.ID = args[0]
			if o.Listen, err = listen(); err != nil {
				return err
			}
			return s.life.Create(o)
		},
	}
}

func createFlags(o *libcontainer.CreateOptions) []*option {
	o.Bundle = "."
	return []*option{
		text(&o.Bundle, "bundle", "b", "`DIR` with config.json (default: this directory)"),
		consoleSocket(&o.ConsoleSocket),
		pidfdSocket(&o.PidfdSocket),
		pidFile(&o.PidFile),
		toggle(&o.NoPivot, "no-pivot", "", "chroot instead of pivot_root, for a host that runs from its initial ramfs"),
		toggle(&o.NoNewKeyring, "no-new-keyring", "", "keep the caller's session keyring, as rt always does"),
		preserveFDs(&o.PreserveFDs),
	}
}

func consoleSocket(v *string) *option {
	return text(v, "console-socket", "", "send the terminal's master end to the unix socket `PATH`")
}

func pidfdSocket(v *string) *option {
	return text(v, "pidfd-socket", "", "send a pidfd of the process to the unix socket `PATH`")
}

func pidFile(v *string) *option {
	return text(v, "pid-file", "", "write the process id to `FILE`")
}

func preserveFDs(v *int) *option {
	return &option{(*countValue)(v), "preserve-fds", "", "pass `N` more file descriptors, from 3 on, or from 3 + LISTEN_FDS"}
}
