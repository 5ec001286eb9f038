package cli

import "rt/libcontainer"

func runCommand() command {
	var o libcontainer.RunOptions
	var pidfd string
	return command{
		text: `Does what create and start do, then waits for the workload, passes signals on to
it, deletes the container and exits with the workload's exit code.

   rt run web
   rt run --detach --bundle /srv/web web`,
		min: 1, max: 1,
		flags: append(createFlags(&o.CreateOptions, &pidfd),
			toggle(&o.Detach, "detach", "d", "return once the workload has started"),
			toggle(&o.Keep, "keep", "", "do not delete the container when the workload has exited"),
			toggle(&o.NoSubreaper, "no-subreaper", "", "do not take over orphans of the container"),
		),
		act: func(s *session, args []string) error {
			o.ID = args[0]
			err := noPidfdSocket(pidfd)
			if err == nil {
				s.code, err = s.life.Run(o)
			}
			return err
		},
	}
}
