package cli

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/config"
	"rt/internal/errs"
	"rt/libcontainer"
)

// updates are the flags of update.
type updates struct {
	file      string
	memory    specs.LinuxMemory
	cpu       specs.LinuxCPU
	pids      specs.LinuxPids
	blockIO   specs.LinuxBlockIO
	cache     string
	bandwidth string
	kernel    string
	kernelTCP string
	dryRun    bool
}

func updateCommand() command {
	u := new(updates)
	return command{
		text: `Changes the limits of a container that is created, running or paused. What is
not given stays as it is. If one of several cannot be changed, none is.

A SIZE is in bytes, or has a suffix: k, m, g (powers of 1024); -1 is no
limit. USEC is microseconds.

FILE has a resources object as in config.json, /linux/resources. With it,
the flags for single limits are ignored. It may also hold what has no flag,
such as device rules, which replace those of the container. For memory, and
for CPU shares, quota and period, 0 means not given. A pids limit of 0 allows
no new processes, but means not given, too, if the container's config.json
has a version before 1.3.

   rt update --memory 512m --memory-swap 1g web
   rt update --cpu-quota 50000 --cpu-period 100000 --dry-run web
   rt update --resources limits.json web
   echo '{"pids": {"limit": 100}}' | rt update --resources - web`,
		min: 1, max: 1,
		flags: u.flags(),
		act:   func(s *session, args []string) error { return u.act(s, args[0]) },
	}
}

func (u *updates) flags() []*option {
	m, c := &u.memory, &u.cpu
	return []*option{
		text(&u.file, "resources", "r", "take the limits from `FILE`, or standard input for -"),
		{unsignedValue[uint16]{&u.blockIO.Weight}, "blkio-weight", "", "set the weight for block I/O, `N` from 10 to 1000"},
		{unsignedValue[uint64]{&c.Period}, "cpu-period", "", "set the period of the CPU quota, `USEC`; usually 100000"},
		{signedValue{&c.Quota}, "cpu-quota", "", "set the CPU time in each period, `USEC`; -1 is no limit"},
		{unsignedValue[uint64]{&c.Burst}, "cpu-burst", "", "let unused CPU time add up to `USEC`"},
		{unsignedValue[uint64]{&c.Shares}, "cpu-share", "", "set the weight for CPU time, `N`; 1024 is the usual one"},
		{unsignedValue[uint64]{&c.RealtimePeriod}, "cpu-rt-period", "", "set the period of real-time CPU time, `USEC` (cgroup v1)"},
		{signedValue{&c.RealtimeRuntime}, "cpu-rt-runtime", "", "set the real-time CPU time in each period, `USEC` (cgroup v1)"},
		{signedValue{&c.Idle}, "cpu-idle", "", "run only on idle CPUs if `N` is 1; 0 ends that"},
		text(&c.Cpus, "cpuset-cpus", "", "use the CPUs of `LIST`, such as 0-3,7"),
		text(&c.Mems, "cpuset-mems", "", "use the memory nodes of `LIST`"),
		{bytesValue{&m.Limit}, "memory", "", "set the memory limit, `SIZE`"},
		{bytesValue{&m.Reservation}, "memory-reservation", "", "set how much memory the container keeps when memory gets scarce, `SIZE`"},
		{bytesValue{&m.Swap}, "memory-swap", "", "set the limit of memory and swap together, `SIZE`"},
		{signedValue{&u.pids.Limit}, "pids-limit", "", "set the largest number of processes, `N`; -1 is no limit"},
		text(&u.cache, "l3-cache-schema", "", "set the Intel RDT cache `SCHEMA` (not supported yet)"),
		text(&u.bandwidth, "mem-bw-schema", "", "set the Intel RDT memory bandwidth `SCHEMA` (not supported yet)"),
		text(&u.kernel, "kernel-memory", "", ""),
		text(&u.kernelTCP, "kernel-memory-tcp", "", ""),
		toggle(&u.dryRun, "dry-run", "", "print what would be written, one file a line, and write nothing"),
	}
}

func (u *updates) act(s *session, id string) error {
	if err := u.refuse(); err != nil {
		return err
	}
	for _, ignored := range []struct{ flag, value string }{{"--kernel-memory", u.kernel}, {"--kernel-memory-tcp", u.kernelTCP}} {
		if ignored.value != "" {
			s.log.warn(ignored.flag + " is ignored: Linux has no limit of kernel memory since 5.16")
		}
	}
	resources, err := u.asked(s)
	if err != nil {
		return err
	}
	changes, err := s.life.Update(id, libcontainer.UpdateOptions{Resources: resources, DryRun: u.dryRun})
	if err != nil || !u.dryRun {
		return err
	}
	return emit(s.stdout, changeLines(changes))
}

func (u *updates) refuse() error {
	for _, r := range []struct{ flag, value string }{{"--l3-cache-schema", u.cache}, {"--mem-bw-schema", u.bandwidth}} {
		if r.value != "" {
			return &errs.Error{Op: r.flag, Kind: errs.Unsupported, Err: errs.New(errs.Unsupported, "not supported by this version of rt")}
		}
	}
	return nil
}

// asked is what FILE holds, or what the flags say.
func (u *updates) asked(s *session) (*specs.LinuxResources, error) {
	fromFlags := u.fromFlags()
	if u.file == "" {
		return fromFlags, config.CheckResources(fromFlags)
	}
	if r := fromFlags; r.Memory != nil || r.CPU != nil || r.Pids != nil || r.BlockIO != nil {
		s.log.warn("with --resources the flags for single limits are ignored")
	}
	resources, warnings, err := config.LoadResources(u.file)
	name := u.file
	if name == "-" {
		name = "standard input"
	}
	for _, w := range warnings {
		s.log.warn(name + ": " + w.String())
	}
	return resources, err
}

func (u *updates) fromFlags() *specs.LinuxResources {
	r := new(specs.LinuxResources)
	if u.memory != (specs.LinuxMemory{}) {
		r.Memory = &u.memory
	}
	if u.cpu != (specs.LinuxCPU{}) {
		r.CPU = &u.cpu
	}
	if u.pids.Limit != nil {
		r.Pids = &u.pids
	}
	if u.blockIO.Weight != nil {
		r.BlockIO = &u.blockIO
	}
	return r
}

// changeLines is one line for each write: FILE: OLD → NEW.
func changeLines(changes []libcontainer.Change) string {
	lines := ""
	for _, c := range changes {
		lines += c.Path + ": "
		if c.Old != "" {
			lines += c.Old + " → "
		}
		lines += c.New + "\n"
	}
	return lines
}
