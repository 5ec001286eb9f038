package cli

func pauseCommand() command {
	return command{
		text: `Freezes the container's cgroup. Its processes keep their memory and do not
run until "rt resume". In a paused container exec is refused, and so is
delete without --force. Where the container has no cgroup of its own there
is no pause.

   rt pause web
   rt pause web && rt ps web; rt resume web`,
		min: 1, max: 1,
		suits: "created running",
		act:   func(s *session, args []string) error { return s.life.Pause(args[0]) },
	}
}
