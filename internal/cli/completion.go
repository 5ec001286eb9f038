package cli

import (
	"strconv"

	"rt/internal/cli/completion"
	"rt/internal/errs"
)

func completionCommand() command {
	return command{
		text: `Prints a program for the shell that completes commands, flags with their
descriptions, names of containers that the command can be used on, signals,
files. "make install" puts it where the shells look.

   source <(rt completion bash)
   rt completion zsh >/usr/local/share/zsh/site-functions/_rt
   rt completion fish >~/.config/fish/completions/rt.fish`,
		min: 1, max: 1,
		act: func(s *session, args []string) error {
			script := completion.Script(args[0], topics(s.table))
			if script == "" {
				return errs.New(errs.Usage, "no completion for the shell "+strconv.Quote(args[0]))
			}
			return emit(s.stdout, script)
		},
	}
}
