package cli

func deleteCommand() command {
	var force bool
	return command{
		text: `Removes the cgroups and the state of a container that has stopped or was
never started, and runs its poststop hooks; one that fails is a warning.

   rt delete web
   rt delete --force web`,
		min: 1, max: 1,
		flags: []*option{toggle(&force, "force", "f", "kill the container first; succeed if there is none")},
		act:   func(s *session, args []string) error { return s.life.Delete(args[0], force) },
	}
}
