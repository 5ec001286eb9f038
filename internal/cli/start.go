package cli

func startCommand() command {
	return command{
		text: `Lets the init process of a created container execute its workload, and returns.
If a startContainer or poststart hook fails, the container is deleted.

   rt start web`,
		min: 1, max: 1,
		act: func(s *session, args []string) error { return s.life.Start(args[0]) },
	}
}
