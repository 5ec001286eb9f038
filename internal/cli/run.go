package cli

import "rt/libcontainer"

func runCommand() command {
	var o libcontainer.RunOptions
	return command{
		text: `Does what create and start do, then waits for the workload, passes signals
on to it, deletes the container and exits with the workload's exit code. A
terminal that config.json asks for is relayed to the caller's own; with
--detach it goes to --console-socket.

Sockets from systemd (LISTEN_FDS) are passed on. With NOTIFY_SOCKET, what the
workload says by sd_notify(3) is passed on; --detach waits for its READY=1.

   rt run web
   rt run --detach --bundle /srv/web web`,
		min: 1, max: 1,
		suits: unused,
		flags: append(createFlags(&o.CreateOptions),
			toggle(&o.Detach, "detach", "d", "return once the workload has started"),
			toggle(&o.Keep, "keep", "", "do not delete the container when the workload has exited"),
			toggle(&o.NoSubreaper, "no-subreaper", "", "do not take over orphans of the container"),
		),
		act: func(s *session, args []string) (err error) {
			o.ID = args[0]
			if o.Listen, err = listen(); err == nil {
				s.code, err = s.life.Run(o)
			}
			return err
		},
	}
}
