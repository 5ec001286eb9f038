// Package rootfs turns the mounts, devices and paths of config.json into steps. It is
// pure: it never looks at a file system, neither the host's nor the image's.
package rootfs

import (
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/plan"
)

// Context is what the steps of a mount depend on besides the mount.
type Context struct {
	Bundle string         // absolute; relative sources start here
	Groups []CgroupSource // the container's cgroup in each hierarchy, for mounts of type cgroup
	Unify  bool           // Groups is the one tree of cgroup v2
	Guard  bool           // mounts of type cgroup are read-only, whatever their options say (CVE-2023-25809)
	UserNS bool           // what is mounted belongs to a user namespace that is not the host's
	Ask    bool           // the parent can reach sources that container root cannot
	Owned  uint64         // CLONE_NEW* of the namespaces that belong to the container's user namespace
}

// choice is what the options of one mount add up to.
type choice struct {
	bind, recursive bool
	idmap, deep     bool // map the ids of the mount, and of those below it
	copyUp, remount bool
	one, tree       plan.Attr // of the mount itself, and of all below it
	propagation     []uint64  // MS_*, with Recurse, in order
	super           []Option
	data            []string
}

// choose reads a mount's options; of two that contradict each other the later one wins.
func choose(m specs.Mount) choice {
	c := choice{bind: m.Type == "bind", idmap: len(m.UIDMappings) > 0}
	c.tree.At = uint16(unix.AT_RECURSIVE)
	for _, name := range m.Options {
		o := LookupOption(name)
		switch o.Class {
		case Bind:
			c.bind, c.recursive = true, o.Set == Recurse
		case Attr:
			merge(&c.one, o)
		case Recursive:
			merge(&c.tree, o)
		case IDMap:
			c.idmap, c.deep = true, o.Set == Recurse
		case Propagation:
			c.propagation = append(c.propagation, o.Set)
		case Super:
			c.super = append(c.super, o)
		case Data:
			c.data = append(c.data, name)
		case CopyUp:
			c.copyUp = true
		case Remount:
			c.remount = true
		}
	}
	return c
}

var errNotBuilt = errs.New(errs.Unsupported, "not supported by this version of rt")

func merge(a *plan.Attr, o Option) {
	a.Set = a.Set&^o.Clear | o.Set
	a.Clear = a.Clear&^(o.Set&^o.Clear) | o.Clear
}

// Unnamed is the index of a mount that config.json does not have.
const Unnamed = -1

// Mount adds the steps of mounts[index]. Its destination is resolved by the init,
// below the root, whatever links the image holds.
func Mount(b *plan.Builder, index int, m specs.Mount, ctx Context) error {
	where := ""
	if index != Unnamed {
		where = "/mounts/" + itoa(index)
	}
	c := choose(m)
	b.From(where)
	if !c.remount && ctx.foreign(m.Type) {
		m, c = shown(m, c)
	}
	switch {
	case c.remount:
		return remount(b, where, m, c)
	case c.bind:
		bind(b, index, m, c, ctx)
	case c.idmap:
		return &errs.Error{Op: "map the ids of", Path: m.Type, Where: where, Kind: errs.Unsupported, Err: errNotBuilt}
	case m.Type == "cgroup" || m.Type == "cgroup2":
		cgroup(b, m, c, ctx)
	default:
		filesystem(b, m, c)
	}
	return nil
}

// foreign: a file system that shows a namespace can be mounted by who owns that namespace only.
func (ctx Context) foreign(fstype string) bool {
	var of uint64
	switch fstype {
	case "sysfs":
		of = unix.CLONE_NEWNET
	case "mqueue":
		of = unix.CLONE_NEWIPC
	case "proc":
		of = unix.CLONE_NEWPID
	}
	return ctx.UserNS && of&^ctx.Owned != 0
}

// shown binds the caller's mount instead of a new one. What lies below it, the cgroups for
// instance, gets the same attributes (CVE-2023-25809).
func shown(m specs.Mount, c choice) (specs.Mount, choice) {
	switch m.Type {
	case "sysfs":
		m.Source = "/sys"
	case "mqueue":
		m.Source = "/dev/mqueue"
	case "proc":
		m.Source = "/proc"
	}
	c.bind, c.recursive, c.data, c.super = true, true, nil, nil
	merge(&c.tree, Option{Set: c.one.Set, Clear: c.one.Clear})
	c.one = plan.Attr{}
	return m, c
}

// Destination is where a mount goes, seen from the container; a relative one starts at /.
func Destination(m specs.Mount) string { return filepath.Clean("/" + m.Destination) }

// filesystem mounts a new instance of a file system.
func filesystem(b *plan.Builder, m specs.Mount, c choice) {
	dst := Destination(m)
	b.Fsopen(m.Type)
	if m.Source != "" {
		b.Fsconfig(unix.FSCONFIG_SET_STRING, "source", m.Source)
	}
	for _, o := range c.super {
		b.Fsconfig(unix.FSCONFIG_SET_FLAG, o.Key, "")
	}
	for _, d := range c.data {
		if key, value, ok := strings.Cut(d, "="); ok {
			b.Fsconfig(unix.FSCONFIG_SET_STRING, key, value)
		} else {
			b.Fsconfig(unix.FSCONFIG_SET_FLAG, d, "")
		}
	}
	b.Fsconfig(unix.FSCONFIG_CMD_CREATE, "", "")
	if m.Type == "tmpfs" && c.copyUp {
		copyUp(b, m, c)
	} else if m.Type == "tmpfs" && !has(c.data, "mode=") {
		// A read-only mount would refuse the mode, so the attributes come after it.
		b.Fsmount(0, plan.SlotTree, dst)
		b.CopyMode(plan.SlotTree, dst)
		attributes(b, c)
	} else {
		b.Fsmount(alone(c), plan.SlotTree, dst)
		propagate(b, c)
	}
	b.Attach(plan.SlotTree, dst, plan.AttachMakeDir|ordinary(dst))
}

// alone are the attributes of a mount that has nothing below it: the options for the whole
// tree are for it, too.
func alone(c choice) uint64 {
	a := c.tree
	merge(&a, Option{Set: c.one.Set, Clear: c.one.Clear})
	return a.Set
}

func has(data []string, key string) bool {
	for _, d := range data {
		if strings.HasPrefix(d, key) {
			return true
		}
	}
	return false
}

// ordinary: a /proc or /sys that is a link in the image would send the kernel's files
// somewhere else (CVE-2023-27561, CVE-2025-54867).
//
// A destination inside /proc is from the allow-list, or the configuration is refused.
func ordinary(dst string) uint16 {
	switch {
	case dst == "/proc":
		return plan.AttachNoSymlinks | plan.AttachOnProc
	case dst == "/sys":
		return plan.AttachNoSymlinks
	case within(dst, "/proc"):
		return plan.AttachOnProc
	}
	return 0
}

// bind mounts a file or directory of the host.
func bind(b *plan.Builder, index int, m specs.Mount, c choice, ctx Context) {
	source := m.Source
	if !filepath.IsAbs(source) {
		source = filepath.Join(ctx.Bundle, source)
	}
	dst := Destination(m)
	ask := uint16(0)
	if ctx.Ask {
		ask = plan.OpenTreeAsk
	}
	if c.idmap {
		b.Host(plan.HostStep{Act: plan.ActTree, Call: plan.CallTree, S: source})
		b.Tree(source, cloneFlags(c.recursive), plan.Mapped{Mount: index, Recursive: c.deep}, plan.SlotTree)
	} else {
		b.OpenTree(source, cloneFlags(c.recursive), ask, plan.SlotTree)
	}
	attributes(b, c)
	b.Attach(plan.SlotTree, dst, plan.AttachLikeSource|ordinary(dst))
}

func cloneFlags(recursive bool) uint64 {
	if recursive {
		return unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_RECURSIVE
	}
	return unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC
}

// attributes are set on the detached mount: nobody ever sees it without them. Flags that
// no option names stay as the source has them.
func attributes(b *plan.Builder, c choice) {
	for _, a := range []plan.Attr{c.tree, c.one} {
		if a.Set|a.Clear != 0 {
			b.Setattr(plan.SlotTree, "", a)
		}
	}
	propagate(b, c)
}

func propagate(b *plan.Builder, c choice) {
	for _, p := range c.propagation {
		b.Setattr(plan.SlotTree, "", PropagationAttr(p))
	}
}

// PropagationAttr is the mount_setattr(2) call for MS_* flags with Recurse.
func PropagationAttr(flags uint64) plan.Attr {
	a := plan.Attr{Propagation: flags &^ Recurse}
	if flags&Recurse != 0 {
		a.At = uint16(unix.AT_RECURSIVE)
	}
	return a
}
