// Package plan is the flat list of steps that config.json compiles to: what it is, how it
// is built, printed and encoded for the init. It decides nothing and does nothing.
package plan

//go:generate go run ./gen ../../nsenter/init/plan.h

// Step is one primitive of the init. What the fields mean depends on the Kind; a step
// never needs more. Where, the JSON pointer that asked for it, stays in the parent.
type Step struct {
	Kind    Kind
	Flags   uint16
	In, Out Slot
	A, B, C uint64
	S, T    string
	Where   string
}

// Act names what a host step does.
type Act uint8

// The host steps: what the parent does, by pid or on the host's files.
const (
	ActSpawn       Act = iota // start the init, which makes namespaces and waits for the plan
	ActPlan                   // hand the plan over
	ActAhead                  // the first part of the plan has been handed over
	ActRecord                 // intent: id, cgroup, creator and init, before anything is made that outlives them
	ActOOMScoreAdj            // A, an int64
	ActCgroup                 // make the container's cgroup and set its limits
	ActHome                   // HOME of the user A from the container's passwd(5)
	ActListen                 // LISTEN_PID, the init's own number of itself
	ActFilter                 // seccomp: compile, or load from the cache
	ActForked                 // wait until the init has forked, and do what only the parent can
	ActMaps                   // uid_map, gid_map, setgroups
	ActTree                   // the source of a mount, with mapped ids
	ActJoin                   // open the files to join the cgroups by
	ActStreams                // give standard streams that are pipes or terminals to the user A of its user namespace
	ActRlimit                 // A the resource called S, B its soft and C its hard limit
	ActPidFile                // S is the file
	ActPidfd                  // the init's pidfd goes to the socket S
	ActState                  // state.json: the container is created
	ActTerminal               // take the master; A rows and B columns, 0 for none of its own
	ActHook                   // run hook B of the config.HookKind A; S is its path
)

var actNames = [...]string{"spawn", "plan", "ahead", "record", "oom_score_adj", "cgroup", "home", "listen_pid", "filter", "forked", "maps", "tree", "join", "streams", "rlimit", "pid_file", "pidfd", "state", "terminal", "hook"}

func (a Act) String() string { return actNames[a] }

// HostStep is one thing the parent does: before it answers the init's Call, or, with
// CallNone, at once, while the init works.
type HostStep struct {
	Act     Act
	Call    int
	A, B, C uint64
	S       string
	Where   string
}

// Rest is the number of the step with which the part begins that is handed over later, 0 if
// all goes at once.
func (p *Plan) Rest() int {
	for i := range p.Init {
		if k := p.Init[i].Kind; k == KindNext || k == KindRenew {
			return i + 1
		}
	}
	return 0
}

// Plan is what one container, or one exec, needs done, in order.
type Plan struct {
	Init       []Step
	Host       []HostStep
	Args       []string // of the workload
	Env        []string // of the workload
	Late       []string // names of variables that the answer to a call with CallText brings, two at most
	Namespaces uint64   // CLONE_NEW* that the fork of the init makes
	Pass       []Slot   // the fds that the parent hands over, in order
	Preserve   int      // fds from 3 on that belong to the workload
}
