package cli

func startCommand() command {
	return command{
		text: `Lets the init process of a created container execute its workload, and
returns. The startContainer hooks run before, the poststart hooks after it;
if one fails, the container is deleted.

With NOTIFY_SOCKET, which create must have had, too, it returns once the
workload has said READY=1 by sd_notify(3) or has ended; the workload is the
service's main process from then on.

   rt create web && rt start web`,
		min: 1, max: 1,
		suits: "created",
		act:   func(s *session, args []string) error { return s.life.Start(args[0]) },
	}
}
