package cli

func startCommand() command {
	return command{
		text: `Lets the init process of a created container execute its workload, and returns.
With NOTIFY_SOCKET, which create has to have had, too, it returns once the workload
has said READY=1, and makes its process the service's main one.

   rt start web`,
		min: 1, max: 1,
		act: func(s *session, args []string) error { return s.life.Start(args[0]) },
	}
}
