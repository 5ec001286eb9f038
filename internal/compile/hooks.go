package compile

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups"
	"rt/internal/config"
	"rt/internal/plan"
)

// hooks adds the container's hooks to the parent's lane, each kind at its time: config.md,
// "POSIX-platform Hooks".
func (w *work) hooks() {
	start := plan.CallStart
	if w.in.Run {
		start = plan.CallReady
	}
	times := [config.HookKinds]int{plan.CallHooks, plan.CallHooks, plan.CallHooks, start, plan.CallStarted, plan.CallDelete}
	for k := range config.HookKinds {
		for i, h := range k.Of(w.in.Spec.Hooks) {
			w.From(k.Where(i)).Host(plan.HostStep{Act: plan.ActHook, Call: times[k], A: uint64(k), B: uint64(i), S: h.Path})
		}
	}
}

// createHooks tells whether hooks run before the container has its root.
func (w *work) createHooks() bool {
	for k := range config.StartContainer {
		if len(k.Of(w.in.Spec.Hooks)) > 0 {
			return true
		}
	}
	return false
}

func callHooks(w *work) {
	if w.createHooks() {
		w.From("/hooks").Call(plan.CallHooks, 0, plan.SlotNone, plan.SlotNone)
	}
}

// Hook compiles what a hook of the kind does that runs inside: createContainer's in the
// container's namespaces before the pivot, startContainer's in its root and as its user.
// in.Spec is the container's, cwd the directory of the former, group the container's cgroup.
// The steps point nowhere in config.json; who runs the plan knows the hook.
func Hook(in *Input, kind config.HookKind, h specs.Hook, cwd string, group cgroups.Group) (*Output, error) {
	process := *in.Spec.Process
	process.Args, process.Env, process.Terminal = []string{h.Path}, nil, false
	if kind == config.CreateContainer {
		process.Cwd = cwd
	}
	spec := *in.Spec
	spec.Process = &process
	own := *in
	own.Spec = &spec
	w := begin(&own)
	w.pass, w.hook = []plan.Slot{plan.SlotPidfd, plan.SlotRoot, plan.SlotTmp, plan.SlotTree}, true
	w.out.Cgroup = cgroups.Plan{V2: group.V2, Dirs: group.Dirs}
	order := within
	if kind == config.CreateContainer {
		order = beside
	}
	out, err := w.finish(order)
	out.Plan.Args, out.Plan.Env = Argv(h), h.Env
	for i := range out.Plan.Init {
		out.Plan.Init[i].Where = ""
	}
	return out, err
}

// Argv are a hook's arguments: execv(3) cannot do without the first, the program's name.
func Argv(h specs.Hook) []string {
	if len(h.Args) == 0 {
		return []string{h.Path}
	}
	return h.Args
}

// streams: the state is a hook's input, what it writes goes to rt.
func streams(w *work) {
	w.Dup(plan.SlotTmp, 0)
	w.Dup(plan.SlotTree, 1)
	w.Dup(plan.SlotTree, 2)
	w.Close(plan.SlotTmp)
	w.Close(plan.SlotTree)
}

// place: the container's root is still a directory of the host, and the init has no umask.
func place(w *work) {
	w.Chdir(w.process.Cwd, 0)
	w.Number(plan.KindUmask, 0o022)
}

func hookEnd(w *work) {
	ready(w)
	w.Exec(w.process.Args[0])
}
