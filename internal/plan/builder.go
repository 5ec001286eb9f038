package plan

import "golang.org/x/sys/unix"

// Builder collects steps. From sets the JSON pointer of the steps after it.
type Builder struct {
	Plan  Plan
	where string
}

// From says where in config.json the next steps come from; "" is a step that every
// container has.
func (b *Builder) From(where string) *Builder {
	b.where = where
	return b
}

// Add appends a step to the init lane.
func (b *Builder) Add(s Step) {
	s.Where = b.where
	b.Plan.Init = append(b.Plan.Init, s)
}

// Host appends a step to the parent's lane.
func (b *Builder) Host(s HostStep) {
	s.Where = b.where
	b.Plan.Host = append(b.Plan.Host, s)
}

// Call asks the parent for n; the root may go along, and an fd come back.
func (b *Builder) Call(n int, flags uint16, in, out Slot) {
	b.Add(Step{Kind: KindCall, Flags: flags, A: uint64(n), In: in, Out: out})
}

// Fork goes on in a child with the new namespaces CLONE_NEW* of flags, in the cgroup of
// group if it has an fd. The parent hears its pid, and does the steps of call.
func (b *Builder) Fork(namespaces uint64, flags uint16, group Slot, call int) {
	b.Add(Step{Kind: KindFork, Flags: flags, In: group, A: namespaces, B: uint64(call)})
}

// ForkMapped is Fork into a new user namespace whose maps the one that forks may write itself:
// the child goes on at once.
func (b *Builder) ForkMapped(namespaces uint64, group Slot, uidMap, gidMap string) {
	b.Add(Step{Kind: KindFork, In: group, A: namespaces, S: uidMap, T: gidMap})
}

// Next waits for the rest of the plan.
func (b *Builder) Next() { b.Add(Step{Kind: KindNext}) }

// Renew executes the init again: from then on its memory belongs to the user namespace,
// whose owner may look at it. It waits for the rest of the plan then.
func (b *Builder) Renew() { b.Add(Step{Kind: KindRenew}) }

// Unshare makes the namespaces CLONE_NEW* of flags.
func (b *Builder) Unshare(flags uint64) { b.Add(Step{Kind: KindUnshare, A: flags}) }

// Setns joins the namespaces CLONE_NEW* of flags that in (a pidfd, or a namespace) leads
// to; path is for messages.
func (b *Builder) Setns(in Slot, flags uint64, path string) {
	b.Add(Step{Kind: KindSetns, In: in, A: flags, S: path})
}

// Fsopen starts a new file system of type fstype, in SlotFS.
func (b *Builder) Fsopen(fstype string) { b.Add(Step{Kind: KindFsopen, Out: SlotFS, S: fstype}) }

// Fsconfig passes one command of fsconfig(2) to SlotFS.
func (b *Builder) Fsconfig(cmd uint64, key, value string) {
	b.Add(Step{Kind: KindFsconfig, In: SlotFS, A: cmd, S: key, T: value})
}

// Fsmount makes SlotFS a detached mount with the MOUNT_ATTR_* of attrs, in out; dest is for messages.
func (b *Builder) Fsmount(attrs uint64, out Slot, dest string) {
	b.Add(Step{Kind: KindFsmount, In: SlotFS, Out: out, A: attrs, S: dest})
}

// OpenTree clones the mounts at path with the OPEN_TREE_* and AT_* of at, into out.
func (b *Builder) OpenTree(path string, at uint64, flags uint16, out Slot) {
	b.Add(Step{Kind: KindOpenTree, Flags: flags, Out: out, A: at, S: path})
}

// Mapped says whose ids a mount gets.
type Mapped struct {
	Mount     int // index into mounts: its mappings, or else the container's
	Recursive bool
}

// Tree gets a clone of the mounts at path from the parent, which maps its ids.
func (b *Builder) Tree(path string, at uint64, m Mapped, out Slot) {
	s := Step{Kind: KindTree, Out: out, A: at, B: uint64(m.Mount), S: path}
	if m.Recursive {
		s.C = unix.AT_RECURSIVE
	}
	b.Add(s)
}

// Join joins the cgroups by files that the parent opened.
func (b *Builder) Join(flags uint16) { b.Add(Step{Kind: KindJoin, Flags: flags, A: CallJoin}) }

// JoinMemory joins the memory cgroup alone, by a file that the parent opens.
func (b *Builder) JoinMemory(flags uint16) {
	b.Add(Step{Kind: KindJoin, Flags: flags, A: CallMemory})
}

// Attr is one call of mount_setattr(2).
type Attr struct {
	Set, Clear  uint64 // MOUNT_ATTR_*
	Propagation uint64 // MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE
	At          uint16 // AT_RECURSIVE
}

// Setattr sets attributes of the mount in, or of the one at path.
func (b *Builder) Setattr(in Slot, path string, a Attr) {
	b.Add(Step{Kind: KindSetattr, In: in, S: path, Flags: a.At, A: a.Set, B: a.Clear, C: a.Propagation})
}

// Attach mounts the detached tree in at dest.
func (b *Builder) Attach(in Slot, dest string, flags uint16) {
	b.Add(Step{Kind: KindAttach, Flags: flags, In: in, S: dest})
}

// CopyMode gives the root of the mount in the mode of the directory dest, if there is one.
func (b *Builder) CopyMode(in Slot, dest string) { b.Add(Step{Kind: KindCopyMode, In: in, S: dest}) }

// CopyUp copies the directory dest, if there is one, into the tmpfs in; flags are CopyUp*.
func (b *Builder) CopyUp(in Slot, dest string, flags uint16) {
	b.Add(Step{Kind: KindCopyUp, Flags: flags, In: in, S: dest})
}

// Mkdir makes the directory path and its missing parents below the root, mode 0755.
func (b *Builder) Mkdir(path string) { b.Add(Step{Kind: KindMkdir, S: path}) }

// MkdirAt makes the one directory name in the directory dir, mode 0755.
func (b *Builder) MkdirAt(dir Slot, name string) { b.Add(Step{Kind: KindMkdir, In: dir, S: name}) }

// Node is a device or fifo for mknod(2).
type Node struct {
	Mode     uint32 // type and permissions
	Dev      uint64
	Uid, Gid uint32
}

// Mknod makes a node called name in the directory dir.
func (b *Builder) Mknod(dir Slot, name string, n Node) {
	b.Add(Step{Kind: KindMknod, In: dir, S: name, A: uint64(n.Mode), B: n.Dev, C: uint64(n.Gid)<<32 | uint64(n.Uid)})
}

// Symlink makes a link called name to target in the directory dir; what is there already
// stays, or gives way with SymlinkReplace.
func (b *Builder) Symlink(dir Slot, name, target string, flags uint16) {
	b.Add(Step{Kind: KindSymlink, Flags: flags, In: dir, S: name, T: target})
}

// Open opens path with the open(2) flags of how, into out.
func (b *Builder) Open(path string, how uint64, flags uint16, out Slot) {
	b.Add(Step{Kind: KindOpen, Flags: flags, Out: out, A: how, S: path})
}

// CloneTree clones the mount that the fd in in was opened through, with the inode of the fd
// as its root, into out; what is for messages.
func (b *Builder) CloneTree(in Slot, what string, out Slot) {
	b.Add(Step{Kind: KindOpenTree, In: in, Out: out, A: unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC, S: what})
}

// Ptmx makes a terminal in the devpts that is mounted on dir; out is its master.
func (b *Builder) Ptmx(dir string, out Slot) { b.Add(Step{Kind: KindPtmx, Out: out, S: dir}) }

// Ptpeer opens the other end of the master in, TIOCGPTPEER of ioctl_tty(2).
func (b *Builder) Ptpeer(in, out Slot) { b.Add(Step{Kind: KindPtpeer, In: in, Out: out}) }

// Tty makes the terminal in in the session's controlling one and fds 0, 1, 2, and uses it up.
func (b *Builder) Tty(in Slot) { b.Add(Step{Kind: KindTty, In: in}) }

// Close closes the fd of a slot.
func (b *Builder) Close(in Slot) { b.Add(Step{Kind: KindClose, In: in}) }

// Write opens path below dir, an existing file, and writes value to it in one write.
func (b *Builder) Write(dir Slot, path, value string, flags uint16) {
	b.Add(Step{Kind: KindWrite, Flags: flags, In: dir, S: path, T: value})
}

// Pivot makes SlotRoot the root and lets the old one go.
func (b *Builder) Pivot(flags uint16) { b.Add(Step{Kind: KindPivot, In: SlotRoot, Flags: flags}) }

// MoveRoot moves SlotRoot on top of the root, which stays below it.
func (b *Builder) MoveRoot() { b.Add(Step{Kind: KindMoveRoot, In: SlotRoot}) }

// Drop unmounts path, which lies in the old root, with all that is mounted below it, count
// times: that many mounts lie on it.
func (b *Builder) Drop(path string, count uint64, flags uint16) {
	b.Add(Step{Kind: KindDrop, S: path, A: count, Flags: flags})
}

// Chroot makes the directory in SlotRoot the root; what is for messages.
func (b *Builder) Chroot(what string) { b.Add(Step{Kind: KindChroot, In: SlotRoot, S: what}) }

// Mask hides path behind SlotNull (a file) or SlotHidden (a directory).
func (b *Builder) Mask(path string) { b.Add(Step{Kind: KindMask, S: path}) }

// Readonly makes the tree at path read-only.
func (b *Builder) Readonly(path string) { b.Add(Step{Kind: KindReadonly, S: path}) }

// Text is a step that has nothing but a text: KindHostname, KindDomainname, KindLoopback, KindReopenNull.
func (b *Builder) Text(k Kind, text string) { b.Add(Step{Kind: k, S: text}) }

// Number is a step that has nothing but numbers: KindSetsid, KindUmask, KindOwnStdio,
// KindBounding, KindGid, KindUid, KindPrctl, KindAmbient.
func (b *Builder) Number(k Kind, n ...uint64) {
	s := Step{Kind: k}
	for i, p := range []*uint64{&s.A, &s.B, &s.C}[:len(n)] {
		*p = n[i]
	}
	b.Add(s)
}

// Dup makes in the fd number fd, which execve keeps.
func (b *Builder) Dup(in Slot, fd uint64) { b.Add(Step{Kind: KindDup, In: in, A: fd}) }

// Rlimit sets the resource limit number resource, called name.
func (b *Builder) Rlimit(name string, resource int, soft, hard uint64) {
	b.Add(Step{Kind: KindRlimit, S: name, A: uint64(resource), B: soft, C: hard})
}

// Groups sets the supplementary groups.
func (b *Builder) Groups(gids []uint32, flags uint16) {
	b.Add(Step{Kind: KindGroups, Flags: flags, A: uint64(len(gids)), S: string(encodeWords(gids))})
}

// User becomes the group and the user.
func (b *Builder) User(gid, uid uint32, flags uint16) {
	b.Add(Step{Kind: KindGid, Flags: flags, A: uint64(gid)})
	b.Add(Step{Kind: KindUid, Flags: flags, A: uint64(uid)})
}

// Chdir enters cwd and makes sure that it lies inside the root (CVE-2024-21626).
func (b *Builder) Chdir(cwd string, flags uint16) {
	b.Add(Step{Kind: KindChdir, Flags: flags, S: cwd})
}

// Find looks args[0] up in path, as the user; the result is what Exec executes.
func (b *Builder) Find(path, arg0 string) { b.Add(Step{Kind: KindFind, S: arg0, T: path}) }

// Capset sets the three capability sets of capset(2).
func (b *Builder) Capset(effective, permitted, inheritable uint64) {
	b.Add(Step{Kind: KindCapset, A: effective, B: permitted, C: inheritable})
}

// Filter loads a seccomp program: program itself, or what SlotFilter maps when it is empty.
func (b *Builder) Filter(program string, flags uint32) {
	b.Add(Step{Kind: KindFilter, In: SlotFilter, A: uint64(flags), S: program})
}

// Wait waits for one byte on SlotStart.
func (b *Builder) Wait() { b.Add(Step{Kind: KindWait, In: SlotStart}) }

// Exec becomes the workload.
func (b *Builder) Exec(arg0 string) { b.Add(Step{Kind: KindExec, S: arg0}) }
