package cli

import (
	"rt/internal/errs"
	"rt/libcontainer"
)

func createCommand() command {
	var o libcontainer.CreateOptions
	var pidfd string
	return command{
		text: `Makes everything that config.json asks for, up to the point where the workload
would be executed. CONTAINER is a name that is not in use below --root.

   rt create --bundle /srv/web --pid-file /run/web.pid web
   rt start web`,
		min: 1, max: 1,
		flags: createFlags(&o, &pidfd),
		act: func(s *session, args []string) error {
			o.ID = args[0]
			if err := noPidfdSocket(pidfd); err != nil {
				return err
			}
			return s.life.Create(o)
		},
	}
}

func createFlags(o *libcontainer.CreateOptions, pidfd *string) []*option {
	o.Bundle = "."
	return []*option{
		text(&o.Bundle, "bundle", "b", "`DIR` with config.json (default: this directory)"),
		consoleSocket(&o.ConsoleSocket),
		pidfdSocket(pidfd),
		pidFile(&o.PidFile),
		toggle(&o.NoPivot, "no-pivot", "", "chroot instead of pivot_root, for a root file system on the initial ramdisk"),
		toggle(&o.NoNewKeyring, "no-new-keyring", "", "keep the caller's session keyring"),
		preserveFDs(&o.PreserveFDs),
	}
}

func consoleSocket(v *string) *option {
	return text(v, "console-socket", "", "send the terminal's master end to the unix socket `PATH`")
}

func pidfdSocket(v *string) *option {
	return text(v, "pidfd-socket", "", "send a pidfd of the process to the unix socket `PATH`")
}

func pidFile(v *string) *option {
	return text(v, "pid-file", "", "write the process id to `FILE`")
}

func preserveFDs(v *int) *option {
	return &option{(*countValue)(v), "preserve-fds", "", "pass `N` more file descriptors, from 3 on"}
}

// noPidfdSocket refuses a flag that libcontainer's options cannot carry: dropped, the
// caller would wait at its socket for ever.
func noPidfdSocket(path string) error {
	if path == "" {
		return nil
	}
	return errs.New(errs.Unsupported, "--pidfd-socket is not supported by this build")
}
