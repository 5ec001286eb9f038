package cli

func resumeCommand() command {
	return command{
		text: `Thaws the container's cgroup: what "rt pause" has frozen runs on where it
was.

   rt pause web; rt resume web`,
		min: 1, max: 1,
		suits: "paused",
		act:   func(s *session, args []string) error { return s.life.Resume(args[0]) },
	}
}
