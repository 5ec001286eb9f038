package libcontainer

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/plan"
)

// failure turns a FAIL into an error: the step says what was being done and who asked for
// it, fs is the file system context in which the kernel may have left a text.
func failure(p *plan.Plan, m plan.Message, fs int) error {
	if int(m.Step) >= len(p.Init) || m.Verb != plan.Fail {
		return errs.New(errs.Internal, fmt.Sprintf("the init sent an unknown message (%d, step %d)", m.Verb, m.Step))
	}
	s := p.Init[m.Step]
	errno := unix.Errno(m.A)
	e := &errs.Error{Op: s.Kind.Verb(), Path: s.S, Where: s.Where, Kind: errs.KindOf(errno), Err: errno}
	switch {
	case s.Kind == plan.KindFind:
		e.Op, e.Path, e.Err = "", "", lookup(s.S, errno, m.B)
	case s.Kind == plan.KindChdir:
		e.Op, e.Path = fmt.Sprintf("chdir to cwd (%q) set in config.json failed", s.S), ""
	case s.Kind == plan.KindFork:
		e.Path, e.Where = "", mapWhere(s.Where, m.B)
	case s.Kind == plan.KindWrite:
		e.Op = fmt.Sprintf("write %q to", s.T)
	case s.Kind == plan.KindFsconfig:
		e.Op, e.Path = "configure the file system", strings.TrimSuffix(s.S+"="+s.T, "=")
	case s.Kind == plan.KindSetattr && s.S == "":
		e.Path = mounted(p, int(m.Step))
		if errno == unix.EINVAL && s.In == plan.SlotTmp {
			e.Err = fmt.Errorf("nothing is mounted there that could be mounted again: %w", errno)
		}
		if errno == unix.EPERM {
			e.Err = fmt.Errorf("it has flags that the host has locked, which cannot be cleared in a user namespace: %w", errno)
		}
	case s.Kind == plan.KindOpenTree && errno == unix.EINVAL && s.A&unix.AT_RECURSIVE == 0:
		e.Err = fmt.Errorf("mounts below it are locked in a user namespace, and only go along with it (rbind): %w", errno)
	case s.Kind == plan.KindPrctl || s.Kind == plan.KindGroups || s.Kind == plan.KindFilter:
		e.Path = ""
	}
	if text := detail(m.B); text != "" {
		e.Err = fmt.Errorf("%s: %w", text, errno)
	}
	if text := kernelLog(fs); text != "" {
		e.Err = fmt.Errorf("%w (%s)", e.Err, text)
	}
	return &errs.Error{Op: "unable to start container process", Kind: e.Kind, Err: e}
}

func mapWhere(where string, detail uint32) string {
	if detail == plan.DetailGIDMap {
		return "/linux/gidMappings"
	}
	return where
}

// mounted is the source, or else the type, of the mount that a step changes.
func mounted(p *plan.Plan, step int) string {
	for i := step - 1; i >= 0; i-- {
		switch p.Init[i].Kind {
		case plan.KindOpenTree, plan.KindTree, plan.KindFsmount, plan.KindOpen:
			return p.Init[i].S
		}
	}
	return ""
}

// lookup has the texts that managers match: contract.md of the field's runtimes.
func lookup(arg0 string, errno unix.Errno, detail uint32) error {
	switch {
	case detail == plan.DetailNotInPath:
		return fmt.Errorf("exec: %q: executable file not found in $PATH", arg0)
	case errno == unix.EISDIR: // docker 20.10 knows the second text only, which is that of execve(2)
		return fmt.Errorf("exec: %q: %w: %w", arg0, errno, unix.EACCES)
	case errno == unix.EACCES:
		return fmt.Errorf("exec: %q: %w", arg0, errno)
	}
	return fmt.Errorf("exec: %q: stat %s: %w", arg0, arg0, errno)
}

func detail(d uint32) string {
	switch d {
	case plan.DetailOutside:
		return "the directory lies outside of the container's root"
	case plan.DetailUIDMap:
		return "uid_map: it takes hostIDs that exist in the caller's own user namespace, and CAP_SETFCAP for 0"
	case plan.DetailGIDMap:
		return "gid_map: it takes hostIDs that exist in the caller's own user namespace"
	case plan.DetailPlace:
		return "its destination cannot be made or reached"
	case plan.DetailProc:
		return "the destination lies in a /proc"
	case plan.DetailNoDevpts:
		return "no devpts is mounted there"
	case plan.DetailDevice:
		return "the image has a device in it, which tmpcopyup does not copy"
	case plan.DetailDeep:
		return "the image has directories in it that are too deep for tmpcopyup"
	case plan.DetailNotNull:
		return "it is not the device 1:3"
	}
	return ""
}

// kernelLog reads the messages of a file system context, fsopen(2): "e tmpfs: Bad value".
func kernelLog(fs int) string {
	var lines []string
	buf := make([]byte, 1024)
	for fs >= 0 {
		n, err := unix.Read(fs, buf)
		if err != nil || n < 3 {
			break
		}
		lines = append(lines, strings.TrimSpace(string(buf[2:n])))
	}
	return strings.Join(lines, "; ")
}

// execFailure is the error of a failed execve, which says more than its errno.
func execFailure(arg0 string, errno unix.Errno) error {
	return &errs.Error{Op: "exec", Path: arg0, Where: "/process/args/0", Kind: errs.KindOf(errno), Err: errno}
}
