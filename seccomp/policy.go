package seccomp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	lib "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// policy is a profile with every name resolved.
type policy struct {
	def     verdict
	archs   []arch // the native one first
	known   []rule // for libseccomp
	newer   []rule // of calls that only rt knows: nr is less arch.first
	unknown []string
}

// rule is one name of one entry in syscalls: all conds must hold.
type rule struct {
	entry int
	name  string
	nr    int32 // as libseccomp has it: negative for a call of other architectures
	act   verdict
	conds []lib.ScmpCondition
}

// verdict is an action, for libseccomp and as a SECCOMP_RET_* value.
type verdict struct {
	lib lib.ScmpAction
	ret uint32
}

func (r rule) pointer() string { return pointer + "/syscalls/" + strconv.Itoa(r.entry) }

func (pol policy) warnings() []string {
	if len(pol.unknown) == 0 {
		return nil
	}
	return []string{"seccomp: unknown system calls, their rules are left out: " + strings.Join(pol.unknown, ", ")}
}

func parse(p *specs.LinuxSeccomp) (pol policy, err error) {
	if pol.def, err = parseAction(p.DefaultAction, p.DefaultErrnoRet, pointer+"/defaultAction", pointer+"/defaultErrnoRet"); err != nil {
		return policy{}, err
	}
	if pol.archs, err = parseArchs(p.Architectures); err != nil {
		return policy{}, err
	}
	for i := range p.Syscalls {
		if err := pol.addEntry(i, &p.Syscalls[i]); err != nil {
			return policy{}, err
		}
	}
	return pol, nil
}

func parseArchs(names []specs.Arch) ([]arch, error) {
	list := []arch{nativeArch()}
	for i, name := range names {
		a, ok := archByName(name)
		if !ok {
			return nil, fault(pointer+"/architectures/"+strconv.Itoa(i), errs.Invalid, "unknown architecture "+strconv.Quote(string(name)))
		}
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list, nil
}

func (pol *policy) addEntry(i int, s *specs.LinuxSyscall) error {
	where := rule{entry: i}.pointer()
	act, err := parseAction(s.Action, s.ErrnoRet, where+"/action", where+"/errnoRet")
	if err != nil {
		return err
	}
	conds, err := parseArgs(where, s.Args)
	if err != nil {
		return err
	}
	for _, name := range s.Names {
		for _, c := range conds {
			pol.addRule(rule{entry: i, name: name, act: act, conds: c})
		}
	}
	return nil
}

func (pol *policy) addRule(r rule) {
	if nr, err := lib.GetSyscallFromName(r.name); err == nil {
		r.nr = int32(nr)
		pol.known = append(pol.known, r)
		return
	}
	if nr, ok := newerCall(r.name); ok {
		r.nr = int32(nr)
		pol.newer = append(pol.newer, r)
		return
	}
	if !slices.Contains(pol.unknown, r.name) {
		pol.unknown = append(pol.unknown, r.name)
	}
}

// parseAction takes an action with its errno, EPERM by default.
func parseAction(name specs.LinuxSeccompAction, errno *uint, whereName, whereErrno string) (verdict, error) {
	v, limit := actionByName(name)
	switch {
	case name == specs.ActNotify:
		// The filter then needs SECCOMP_FILTER_FLAG_NEW_LISTENER, and init a way to hand
		// the listener out.
		return v, fault(whereName, errs.Unsupported, "SCMP_ACT_NOTIFY is not supported")
	case v.lib == lib.ActInvalid:
		return v, fault(whereName, errs.Invalid, "unknown action "+strconv.Quote(string(name)))
	case limit == 0 && errno != nil:
		return v, fault(whereErrno, errs.Invalid, string(name)+" takes no errno")
	case limit == 0:
		return v, nil
	}
	code := defaultErrno
	if errno != nil {
		code = *errno
	}
	if code > limit {
		return v, fault(whereErrno, errs.Invalid, fmt.Sprintf("%d is above %d", code, limit))
	}
	return verdict{v.lib.SetReturnCode(int16(code)), v.ret | uint32(code)}, nil
}

// actionByName also gives the greatest errno that the action takes, 0 if it takes none.
func actionByName(name specs.LinuxSeccompAction) (v verdict, limit uint) {
	switch name {
	case specs.ActKill, specs.ActKillThread:
		return verdict{lib.ActKillThread, unix.SECCOMP_RET_KILL_THREAD}, 0
	case specs.ActKillProcess:
		return verdict{lib.ActKillProcess, unix.SECCOMP_RET_KILL_PROCESS}, 0
	case specs.ActTrap:
		return verdict{lib.ActTrap, unix.SECCOMP_RET_TRAP}, 0
	case specs.ActErrno:
		return verdict{lib.ActErrno, unix.SECCOMP_RET_ERRNO}, maxErrno
	case specs.ActTrace:
		return verdict{lib.ActTrace, unix.SECCOMP_RET_TRACE}, unix.SECCOMP_RET_DATA
	case specs.ActLog:
		return verdict{lib.ActLog, unix.SECCOMP_RET_LOG}, 0
	case specs.ActAllow:
		return verdict{lib.ActAllow, unix.SECCOMP_RET_ALLOW}, 0
	}
	return verdict{}, 0
}

// parseArgs gives the lists of conditions of an entry, one for each rule. Conditions on
// several arguments must all hold. Once one argument is named twice, any condition is
// enough: libseccomp takes only one per argument and rule, and profiles rely on this.
func parseArgs(where string, args []specs.LinuxSeccompArg) ([][]lib.ScmpCondition, error) {
	var all []lib.ScmpCondition
	twice := false
	for i, a := range args {
		op := operator(a.Op)
		if op == lib.CompareInvalid {
			return nil, fault(fmt.Sprintf("%s/args/%d/op", where, i), errs.Invalid, "unknown operator "+strconv.Quote(string(a.Op)))
		}
		if a.Index > 5 {
			return nil, fault(fmt.Sprintf("%s/args/%d/index", where, i), errs.Invalid, "a system call has the arguments 0 to 5")
		}
		twice = twice || slices.ContainsFunc(all, func(c lib.ScmpCondition) bool { return c.Argument == a.Index })
		all = append(all, lib.ScmpCondition{Argument: a.Index, Op: op, Operand1: a.Value, Operand2: a.ValueTwo})
	}
	if !twice {
		return [][]lib.ScmpCondition{all}, nil
	}
	return slices.Collect(slices.Chunk(all, 1)), nil
}

func operator(op specs.LinuxSeccompOperator) lib.ScmpCompareOp {
	switch op {
	case specs.OpNotEqual:
		return lib.CompareNotEqual
	case specs.OpLessThan:
		return lib.CompareLess
	case specs.OpLessEqual:
		return lib.CompareLessOrEqual
	case specs.OpEqualTo:
		return lib.CompareEqual
	case specs.OpGreaterEqual:
		return lib.CompareGreaterEqual
	case specs.OpGreaterThan:
		return lib.CompareGreater
	case specs.OpMaskedEqual:
		return lib.CompareMaskedEqual
	}
	return lib.CompareInvalid
}
