package compile

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/config"
)

func hookGoldens() []golden {
	one := []specs.Hook{{Path: "/bin/hook", Args: []string{"own name", "x"}, Env: []string{"A=1", "A=2", "HOME="}}}
	outside := on(func(s *specs.Spec) { s.Hooks = &specs.Hooks{CreateContainer: one} })
	within := func(s *specs.Spec) { s.Hooks = &specs.Hooks{StartContainer: one} }
	return []golden{
		{"hook-beside", outside, all},
		{"hook-within", on(within), all},
		{"hook-within-user", on(func(s *specs.Spec) {
			within(s)
			s.Process.User.UID, s.Process.NoNewPrivileges = 1000, true
			s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
		}), from("own_stdio")},
	}
}

// compileHook compiles the one hook of the spec.
func compileHook(in *Input) (*Output, error) {
	group, err := execGroup(in)
	if err != nil {
		return nil, err
	}
	kind := config.CreateContainer
	if len(kind.Of(in.Spec.Hooks)) == 0 {
		kind = config.StartContainer
	}
	return Hook(in, kind, kind.Of(in.Spec.Hooks)[0], "/bundle/rootfs", group)
}

// every has a hook of each kind, and two of one.
func every(s *specs.Spec) {
	h := func(name string) []specs.Hook { return []specs.Hook{{Path: "/" + name}} }
	s.Hooks = &specs.Hooks{
		Prestart: h("a"), CreateRuntime: append(h("b"), h("c")...), CreateContainer: h("d"), StartContainer: h("e"), Poststart: h("f"), Poststop: h("g"),
	}
}
