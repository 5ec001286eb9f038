package plan

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Line is one step as `rt plan` shows it.
type Line struct {
	Lane  string `json:"lane"` // init or host
	Step  string `json:"step"`
	Args  string `json:"args,omitempty"`
	Where string `json:"where,omitempty"` // JSON pointer into config.json
}

// Lines is the whole plan in the order in which it is done: host steps stand before the
// call that waits for them, or at their place in the container's life.
func (p *Plan) Lines() []Line {
	lines := p.hostLines(nil, CallNone)
	for i := range p.Init {
		s := &p.Init[i]
		if call := s.call(); call != CallNone {
			lines = p.hostLines(lines, call)
		}
		lines = append(lines, Line{"init", s.Kind.String(), s.args(), s.Where})
	}
	return p.hostLines(p.hostLines(lines, CallStarted), CallDelete)
}

// call is the number of the call that the step makes.
func (s *Step) call() int {
	switch s.Kind {
	case KindCall, KindJoin:
		return int(s.A)
	case KindFork:
		return int(s.B)
	case KindTree:
		return CallTree
	case KindWait:
		return CallStart
	}
	return CallNone
}

func (p *Plan) hostLines(lines []Line, call int) []Line {
	for _, h := range p.Host {
		if h.Call == call {
			lines = append(lines, Line{"host", h.Act.String(), h.args(p), h.Where})
		}
	}
	return lines
}

// Explain keeps the lines that come from the JSON pointer where, or from below it.
func Explain(lines []Line, where string) []Line {
	var kept []Line
	for _, l := range lines {
		if l.Where == where || strings.HasPrefix(l.Where, strings.TrimSuffix(where, "/")+"/") {
			kept = append(kept, l)
		}
	}
	return kept
}

// Print writes lines in columns.
func Print(w io.Writer, lines []Line) error {
	for _, l := range lines {
		left := fmt.Sprintf("%s  %-13s %s", l.Lane, l.Step, l.Args)
		if l.Where != "" {
			left = fmt.Sprintf("%-92s %s", left, l.Where)
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(left, " ")); err != nil {
			return err
		}
	}
	return nil
}

func (h *HostStep) args(p *Plan) string {
	switch h.Act {
	case ActSpawn:
		return bits(p.Namespaces, namespaceBits)
	case ActOOMScoreAdj:
		return strconv.FormatInt(int64(h.A), 10)
	case ActHome, ActStreams:
		return fmt.Sprintf("uid=%d", h.A)
	case ActRlimit:
		return fmt.Sprintf("%s soft=%s hard=%s", h.S, limit(h.B), limit(h.C))
	case ActTerminal:
		return size(h.A, h.B)
	}
	return h.S
}

func size(rows, columns uint64) string {
	if rows|columns == 0 {
		return ""
	}
	return fmt.Sprintf("rows=%d columns=%d", rows, columns)
}

func limit(n uint64) string {
	if n == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}

// args shows what matters of a step.
func (s *Step) args() string {
	switch s.Kind {
	case KindCall:
		return words(callNames[s.A], sends(s.In), flag(s.Flags, CallText, "←variables"), flag(s.Flags, CallFiles, "←files"), gives(s.Out))
	case KindFork:
		return words(bits(s.A, namespaceBits), flag(s.Flags, ForkTrace, "dumpable"), sign("uid_map=", lines(s.S)), sign("gid_map=", lines(s.T)))
	case KindUnshare:
		return bits(s.A, namespaceBits)
	case KindSetns:
		return words(s.S, bits(s.A, namespaceBits))
	case KindFsopen, KindHostname, KindDomainname, KindLoopback, KindReopenNull:
		return s.S
	case KindFsconfig:
		return fsconfig(s)
	case KindFsmount:
		return words(s.S, bits(s.A, attrBits), gives(s.Out))
	case KindOpenTree, KindTree:
		return words(s.S, sends(s.In), flag(uint16(s.A&unix.AT_RECURSIVE), unix.AT_RECURSIVE, "recursive"), flag(s.Flags, OpenTreeNull, "must be null"),
			flag(s.Flags, OpenTreeAsk, "or from the parent"), gives(s.Out))
	case KindSetattr:
		return setattr(s)
	case KindRlimit:
		return fmt.Sprintf("%s soft=%s hard=%s", s.S, limit(s.B), limit(s.C))
	case KindMknod:
		return mknod(s)
	case KindFilter:
		return filterArgs(s)
	case KindCapset:
		return fmt.Sprintf("effective=%#x permitted=%#x inheritable=%#x", s.A, s.B, s.C)
	}
	return s.pathArgs()
}

func (s *Step) pathArgs() string {
	switch s.Kind {
	case KindAttach:
		return words(s.S, sends(s.In), bits(uint64(s.Flags), attachBits))
	case KindCopyMode, KindMkdir, KindOpen, KindMask, KindReadonly, KindPtmx, KindPtpeer:
		return words(s.S, sends(s.In), gives(s.Out))
	case KindCopyUp:
		return words(s.S, sends(s.In), bits(uint64(s.Flags), copyUpBits))
	case KindJoin:
		if s.A == CallMemory {
			return "memory"
		}
	case KindDrop:
		return words(s.S, fmt.Sprintf("×%d", s.A), flag(s.Flags, DropCover, "or cover it"))
	case KindSymlink:
		return words(sends(s.In), s.S, "→", s.T, flag(s.Flags, SymlinkReplace, "replace"))
	case KindPivot:
		return words(s.In.String(), flag(s.Flags, PivotSlave, "old root a slave"))
	case KindClose, KindWait, KindChroot, KindMoveRoot, KindTty:
		return s.In.String()
	case KindWrite:
		return words(sends(s.In), strconv.Quote(s.T), s.S, flag(s.Flags, WriteOutside, "if not forked into it"))
	case KindUmask:
		return fmt.Sprintf("%04o", s.A)
	case KindDup:
		return words(sends(s.In), strconv.FormatUint(s.A, 10))
	case KindOwnStdio:
		return strconv.FormatUint(s.A, 10)
	case KindGid, KindUid:
		return words(strconv.FormatUint(s.A, 10), flag(s.Flags, IDTry, "if it is mapped"))
	case KindBounding, KindAmbient:
		return fmt.Sprintf("%#x", s.A)
	case KindGroups:
		return words(groups(s.S), flag(s.Flags, IDTry, "if that is allowed"))
	case KindPrctl:
		return words(bits(s.A, prctlNames), strconv.FormatUint(s.B, 10))
	case KindChdir:
		return words(s.S, flag(s.Flags, ChdirTry, "may be refused"))
	case KindFind:
		return words(strconv.Quote(s.S), "in", strconv.Quote(s.T))
	case KindExec:
		return strconv.Quote(s.S)
	}
	return ""
}

// groups lists what encodeWords made.
func groups(list string) string {
	var gids []string
	for ; len(list) >= 4; list = list[4:] {
		gids = append(gids, strconv.FormatUint(uint64(binary.LittleEndian.Uint32([]byte(list[:4]))), 10))
	}
	return strings.Join(gids, ",")
}

func fsconfig(s *Step) string {
	switch s.A {
	case unix.FSCONFIG_CMD_CREATE:
		return "create"
	case unix.FSCONFIG_SET_FLAG:
		return s.S
	}
	return s.S + "=" + s.T
}

func setattr(s *Step) string {
	return words(s.S, sends(s.In), sign("+", bits(s.A, attrBits)), sign("-", bits(s.B, attrBits)),
		bits(s.C, propagationBits), flag(s.Flags, unix.AT_RECURSIVE, "recursive"))
}

func mknod(s *Step) string {
	kind := "c"
	switch uint32(s.A) & unix.S_IFMT {
	case unix.S_IFBLK:
		kind = "b"
	case unix.S_IFIFO:
		kind = "p"
	}
	return fmt.Sprintf("%s%s %s %d:%d mode=%04o uid=%d gid=%d", sends(s.In)+" ", s.S, kind, unix.Major(s.B), unix.Minor(s.B), s.A&0o7777, uint32(s.C), s.C>>32)
}

func filterArgs(s *Step) string {
	source := "from the parent"
	if s.S != "" {
		source = fmt.Sprintf("%d instructions", len(s.S)/8)
	}
	return words(source, fmt.Sprintf("flags=%#x", s.A))
}

func words(list ...string) string {
	kept := list[:0]
	for _, w := range list {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

func sends(s Slot) string {
	if s == SlotNone {
		return ""
	}
	return "[" + s.String() + "]"
}

func gives(s Slot) string {
	if s == SlotNone {
		return ""
	}
	return "→[" + s.String() + "]"
}

func flag(flags, bit uint16, name string) string {
	if flags&bit == 0 {
		return ""
	}
	return name
}

func sign(prefix, names string) string {
	if names == "" {
		return ""
	}
	return prefix + names
}

// lines puts the lines of a map into one.
func lines(text string) string {
	return strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", ",")
}

type bit struct {
	value uint64
	name  string
}

var namespaceBits = []bit{
	{unix.CLONE_NEWNS, "mount"}, {unix.CLONE_NEWUTS, "uts"}, {unix.CLONE_NEWIPC, "ipc"}, {unix.CLONE_NEWNET, "network"},
	{unix.CLONE_NEWPID, "pid"}, {unix.CLONE_NEWCGROUP, "cgroup"}, {unix.CLONE_NEWUSER, "user"}, {unix.CLONE_NEWTIME, "time"},
}

var attrBits = []bit{
	{unix.MOUNT_ATTR_RDONLY, "ro"}, {unix.MOUNT_ATTR_NOSUID, "nosuid"}, {unix.MOUNT_ATTR_NODEV, "nodev"},
	{unix.MOUNT_ATTR_NOEXEC, "noexec"}, {unix.MOUNT_ATTR__ATIME, "atime"}, {unix.MOUNT_ATTR_NOATIME, "noatime"},
	{unix.MOUNT_ATTR_STRICTATIME, "strictatime"}, {unix.MOUNT_ATTR_NODIRATIME, "nodiratime"}, {unix.MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"},
}

var propagationBits = []bit{
	{unix.MS_SHARED, "shared"}, {unix.MS_SLAVE, "slave"}, {unix.MS_PRIVATE, "private"}, {unix.MS_UNBINDABLE, "unbindable"},
}

var attachBits = []bit{
	{uint64(AttachMakeDir), "make"}, {uint64(AttachLikeSource), "make like source"}, {uint64(AttachNoSymlinks), "no links"},
	{uint64(AttachKeep), "keep"}, {uint64(AttachHostPath), "host path"}, {uint64(AttachOnProc), "in proc"},
}

var copyUpBits = []bit{{uint64(CopyUpMode), "mode"}, {uint64(CopyUpUID), "uid"}, {uint64(CopyUpGID), "gid"}}

var prctlNames = []bit{{unix.PR_SET_NO_NEW_PRIVS, "no_new_privs"}, {unix.PR_SET_KEEPCAPS, "keep_caps"}, {unix.PR_SET_DUMPABLE, "dumpable"}, {unix.PR_SET_PDEATHSIG, "pdeathsig"}}

// bits names the bits that are set; of rows that share bits the first one that fits wins.
func bits(v uint64, rows []bit) string {
	var names []string
	for _, r := range rows {
		if v&r.value == r.value {
			names = append(names, r.name)
			v &^= r.value
		}
	}
	return strings.Join(names, "|")
}
