package cli

func pauseCommand() command {
	return command{
		text: `Freezes the container's cgroup. Its processes keep their memory and do not run.

   rt pause web`,
		min: 1, max: 1,
		suits: "created running",
		act:   func(s *session, args []string) error { return s.life.Pause(args[0]) },
	}
}
