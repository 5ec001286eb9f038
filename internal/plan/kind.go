package plan

// Kind names the primitive that a step is: about one system call.
type Kind uint16

// The kinds of init steps. nsenter/init/init.c has a body for each; plan.h is
// generated from the table below.
const (
	KindNone Kind = iota
	KindCall
	KindFork
	KindNext
	KindUnshare
	KindSetns
	KindFsopen
	KindFsconfig
	KindFsmount
	KindOpenTree
	KindSetattr
	KindAttach
	KindTree
	KindCopyMode
	KindCopyUp
	KindMkdir
	KindMknod
	KindSymlink
	KindOpen
	KindClose
	KindWrite
	KindJoin
	KindPivot
	KindMoveRoot
	KindDrop
	KindChroot
	KindMask
	KindReadonly
	KindHostname
	KindDomainname
	KindLoopback
	KindSetsid
	KindPtmx
	KindPtpeer
	KindTty
	KindUmask
	KindOwnStdio
	KindReopenNull
	KindDup
	KindRlimit
	KindBounding
	KindGroups
	KindGid
	KindUid
	KindPrctl
	KindRenew
	KindChdir
	KindFind
	KindCapset
	KindAmbient
	KindFilter
	KindWait
	KindExec
	kindCount
)

// kinds has a row for each kind: its name as `rt plan` prints it (in upper case in
// plan.h), and what an error message says was being done.
var kinds = [kindCount]struct{ name, verb string }{
	KindNone:       {"none", ""},
	KindCall:       {"call", "ask the parent"},
	KindFork:       {"fork", "start the process in its namespaces"},
	KindNext:       {"next", "wait for the rest of the plan"},
	KindUnshare:    {"unshare", "make namespaces"},
	KindSetns:      {"setns", "join the namespace"},
	KindFsopen:     {"fsopen", "open the file system"},
	KindFsconfig:   {"fsconfig", "configure the file system"},
	KindFsmount:    {"fsmount", "mount"},
	KindOpenTree:   {"open_tree", "open the mount source"},
	KindSetattr:    {"mount_setattr", "set attributes of the mount"},
	KindAttach:     {"attach", "mount on"},
	KindTree:       {"tree", "open the mount source"},
	KindCopyMode:   {"copy_mode", "take the mode of"},
	KindCopyUp:     {"copy_up", "copy what the image has in"},
	KindMkdir:      {"mkdir", "make the directory"},
	KindMknod:      {"mknod", "make the device"},
	KindSymlink:    {"symlink", "make the link"},
	KindOpen:       {"open", "open"},
	KindClose:      {"close", "close"},
	KindWrite:      {"write", "write to"},
	KindJoin:       {"join", "join the cgroup"},
	KindPivot:      {"pivot_root", "pivot to the root file system"},
	KindMoveRoot:   {"move_root", "move to / the root file system"},
	KindDrop:       {"drop", "unmount from the old root"},
	KindChroot:     {"chroot", "enter the root of"},
	KindMask:       {"mask", "mask"},
	KindReadonly:   {"readonly", "make read-only"},
	KindHostname:   {"sethostname", "set the hostname"},
	KindDomainname: {"setdomainname", "set the domainname"},
	KindLoopback:   {"loopback", "bring up the network interface"},
	KindSetsid:     {"setsid", "start a session"},
	KindPtmx:       {"ptmx", "make a terminal in"},
	KindPtpeer:     {"ptpeer", "open the terminal of"},
	KindTty:        {"tty", "take the controlling terminal"},
	KindUmask:      {"umask", "set the umask"},
	KindOwnStdio:   {"own_stdio", "give the standard streams to the user"},
	KindReopenNull: {"reopen_null", "reopen"},
	KindDup:        {"dup", "duplicate to"},
	KindRlimit:     {"setrlimit", "set the resource limit"},
	KindBounding:   {"bounding", "drop from the capability bounding set"},
	KindGroups:     {"setgroups", "set the additional groups"},
	KindGid:        {"setgid", "set the group"},
	KindUid:        {"setuid", "set the user"},
	KindPrctl:      {"prctl", "set the process attribute"},
	KindRenew:      {"renew", "execute the init again"},
	KindChdir:      {"chdir", "chdir to cwd"},
	KindFind:       {"find", "exec:"},
	KindCapset:     {"capset", "set the capabilities"},
	KindAmbient:    {"ambient", "raise the ambient capabilities"},
	KindFilter:     {"seccomp", "load the seccomp filter"},
	KindWait:       {"wait", "wait for start"},
	KindExec:       {"execve", "exec"},
}

func (k Kind) String() string {
	if k >= kindCount {
		return "unknown"
	}
	return kinds[k].name
}

// Verb says in an error message what a step of this kind was doing.
func (k Kind) Verb() string {
	if k >= kindCount {
		return "do an unknown step"
	}
	return kinds[k].verb
}

// Slot is a named place for a file descriptor in the init.
type Slot uint8

// The slots. A step that makes an fd leaves it in its Out slot.
const (
	SlotNone    Slot = iota // no fd; AT_FDCWD for steps that take a directory
	SlotSock                // the protocol's socket
	SlotLock                // the container's lock, held until ready: delete waits for a dying init
	SlotStart               // the fifo on which init waits for start
	SlotStarted             // the fifo on which start hears of a failure
	SlotPidfd               // exec: the container's init
	SlotRoot                // the container's root mount
	SlotDev                 // the container's /dev
	SlotFS                  // a file system context
	SlotTree                // a detached mount
	SlotTmp                 // an fd that the next steps use up
	SlotNull                // the host's /dev/null, cloned and verified
	SlotHidden              // the shared read-only tmpfs of masked directories
	SlotProc                // a private detached procfs
	SlotFilter              // the compiled seccomp program
	SlotTty                 // the workload's end of the terminal
	SlotGroup               // cgroup v2: the container's group
	SlotNS                  // namespaces to join, one slot for each kind, in the order of slotNames
	slotCount   = SlotNS + 8
)

var slotNames = [slotCount]string{"-", "socket", "lock", "start", "started", "pidfd", "root", "dev", "fs", "tree", "tmp", "null", "hidden", "proc", "filter", "tty", "group",
	"cgroup_ns", "ipc_ns", "mount_ns", "network_ns", "pid_ns", "uts_ns", "time_ns", "user_ns"}

func (s Slot) String() string { return slotNames[s] }

// Flags of steps. A bit means something to the kind it is named for only.
const (
	CallFiles uint16 = 1 << 1 // the answer brings the files to join the cgroups by, for the step that does

	CallText uint16 = 1 << 0 // the answer's text, variables with a NUL between them, fills the environment's reserved entries

	OpenTreeNull uint16 = 1 << 0 // the source must be the device 1:3 (CVE-2025-31133)

	OpenTreeAsk uint16 = 1 << 1 // container root may be refused: the parent gets the source then

	ForkTrace uint16 = 1 << 0 // dumpable until it changes its user: an unprivileged parent could write no maps else

	WriteProc    uint16 = 1 << 0 // the file must lie in a procfs
	WriteOutside uint16 = 1 << 1 // only if the fork did not do it by CLONE_INTO_CGROUP

	IDTry uint16 = 1 << 0 // a refusal is no error: the namespace may not map, or allow, it

	AttachMakeDir    uint16 = 1 << 0 // make the destination, a directory, if it is missing
	AttachLikeSource uint16 = 1 << 1 // make it a directory or a file, as the source is
	AttachNoSymlinks uint16 = 1 << 2 // no component may be a symbolic link (CVE-2023-27561)
	AttachKeep       uint16 = 1 << 3 // the slot keeps the fd
	AttachHostPath   uint16 = 1 << 4 // the destination is a path of the host, not below SlotRoot
	AttachOnProc     uint16 = 1 << 5 // it may lie in a procfs; else it may not (CVE-2019-16884)

	OpenInRoot uint16 = 1 << 0 // S lies below SlotRoot, whatever links the image holds

	SymlinkReplace uint16 = 1 << 0 // what is there instead is removed

	PivotSlave uint16 = 1 << 0 // the old root may be shared: no unmount may reach the host

	CopyUpMode uint16 = 1 << 0 // the tmpfs takes the directory's mode
	CopyUpUID  uint16 = 1 << 1 // and its owner
	CopyUpGID  uint16 = 1 << 2 // and its group

	DropCover uint16 = 1 << 0 // what cannot be unmounted is covered by SlotHidden; else it stays

	ChdirTry uint16 = 1 << 0 // a refusal is no error: the user will try again
)

// Call numbers: what the parent does before it answers.
const (
	CallNone     = iota // before the first call, while the init works
	CallReady           // pid file and state: the container is created
	CallCgroup          // the cgroup exists and its limits are set
	CallFilter          // hands over the compiled seccomp program
	CallEnter           // exec: HOME
	CallForked          // answers SPAWNED: the maps are written
	CallTree            // clones the source of the step in the container's mount namespace, whose fd comes along
	CallJoin            // hands over the files to join the cgroups by
	CallTerminal        // takes the terminal's master and hands it on
	CallMemory          // hands over the file to join the memory cgroup by
	CallHooks           // prestart, createRuntime and createContainer hooks

	// No calls of the init: when other commands do host steps.
	CallStart   // start, before the init gets its byte
	CallStarted // start, after the execve
	CallDelete  // delete, when nothing is left but the record
)

var callNames = [...]string{"start", "ready", "cgroup", "filter", "enter", "forked", "tree", "join", "terminal", "memory", "hooks", "before start", "started", "delete"}
