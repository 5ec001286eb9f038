package rootfs

import (
	"sort"

	"golang.org/x/sys/unix"
)

// Class says what kind of thing a mount option is.
type Class uint8

// The classes of mount options.
const (
	Attr        Class = iota // a per-mount attribute, mount_setattr(2)
	Recursive                // the same for the whole tree below a bind mount (AT_RECURSIVE)
	Super                    // a flag of the file system instance, fsconfig(2)
	Bind                     // makes the mount a bind mount
	Propagation              // mount_namespaces(7), "SHARED SUBTREES"
	IDMap                    // the owners of files are mapped, mount_setattr(2), "ID-mapped mounts"
	Ignored                  // accepted, and nothing to do
	CopyUp                   // a tmpfs begins with what the image has there
	Remount                  // changes the mount that is there already
	Data                     // not in the table: text for the file system
)

// Option is one row of the table of mount options (config.md, "Linux mount options").
type Option struct {
	Name  string
	Class Class
	Set   uint64 // bits to set: MOUNT_ATTR_* (Attr, Recursive), MS_* (Propagation), AT_RECURSIVE for rbind and the r-forms
	Clear uint64 // MOUNT_ATTR_* bits to clear
	Key   string // Super: the flag's name for fsconfig(2)
}

// Recurse marks rbind and the recursive propagations in Option.Set.
const Recurse = unix.MS_REC

const atime = unix.MOUNT_ATTR__ATIME

// options is THE table: parser, validator, `rt features` and the documentation read it.
// Sorted by name. The atime bits are an enum, so each of them clears the whole field first.
var options = [...]Option{
	{"async", Super, 0, 0, "async"},
	{"atime", Attr, 0, atime, ""},
	{"bind", Bind, 0, 0, ""},
	{"defaults", Ignored, 0, 0, ""},
	{"dev", Attr, 0, unix.MOUNT_ATTR_NODEV, ""},
	{"diratime", Attr, 0, unix.MOUNT_ATTR_NODIRATIME, ""},
	{"dirsync", Super, 0, 0, "dirsync"},
	{"exec", Attr, 0, unix.MOUNT_ATTR_NOEXEC, ""},
	{"idmap", IDMap, 0, 0, ""},
	{"iversion", Ignored, 0, 0, ""}, // fsconfig(2) has no key for it; who counts versions (ext4 since 6.1, xfs, btrfs) always does
	{"lazytime", Super, 0, 0, "lazytime"},
	{"loud", Ignored, 0, 0, ""},
	{"mand", Super, 0, 0, "mand"},
	{"noatime", Attr, unix.MOUNT_ATTR_NOATIME, atime, ""},
	{"nodev", Attr, unix.MOUNT_ATTR_NODEV, 0, ""},
	{"nodiratime", Attr, unix.MOUNT_ATTR_NODIRATIME, 0, ""},
	{"noexec", Attr, unix.MOUNT_ATTR_NOEXEC, 0, ""},
	{"noiversion", Ignored, 0, 0, ""},
	{"nolazytime", Super, 0, 0, "nolazytime"},
	{"nomand", Ignored, 0, 0, ""},
	{"norelatime", Attr, 0, atime, ""},
	{"nostrictatime", Attr, 0, atime, ""},
	{"nosuid", Attr, unix.MOUNT_ATTR_NOSUID, 0, ""},
	{"nosymfollow", Attr, unix.MOUNT_ATTR_NOSYMFOLLOW, 0, ""},
	{"private", Propagation, unix.MS_PRIVATE, 0, ""},
	{"ratime", Recursive, 0, atime, ""},
	{"rbind", Bind, Recurse, 0, ""},
	{"rdev", Recursive, 0, unix.MOUNT_ATTR_NODEV, ""},
	{"rdiratime", Recursive, 0, unix.MOUNT_ATTR_NODIRATIME, ""},
	{"relatime", Attr, unix.MOUNT_ATTR_RELATIME, atime, ""},
	{"remount", Remount, 0, 0, ""},
	{"rexec", Recursive, 0, unix.MOUNT_ATTR_NOEXEC, ""},
	{"ridmap", IDMap, Recurse, 0, ""},
	{"rnoatime", Recursive, unix.MOUNT_ATTR_NOATIME, atime, ""},
	{"rnodev", Recursive, unix.MOUNT_ATTR_NODEV, 0, ""},
	{"rnodiratime", Recursive, unix.MOUNT_ATTR_NODIRATIME, 0, ""},
	{"rnoexec", Recursive, unix.MOUNT_ATTR_NOEXEC, 0, ""},
	{"rnorelatime", Recursive, 0, atime, ""},
	{"rnostrictatime", Recursive, 0, atime, ""},
	{"rnosuid", Recursive, unix.MOUNT_ATTR_NOSUID, 0, ""},
	{"rnosymfollow", Recursive, unix.MOUNT_ATTR_NOSYMFOLLOW, 0, ""},
	{"ro", Attr, unix.MOUNT_ATTR_RDONLY, 0, ""},
	{"rprivate", Propagation, unix.MS_PRIVATE | Recurse, 0, ""},
	{"rrelatime", Recursive, unix.MOUNT_ATTR_RELATIME, atime, ""},
	{"rro", Recursive, unix.MOUNT_ATTR_RDONLY, 0, ""},
	{"rrw", Recursive, 0, unix.MOUNT_ATTR_RDONLY, ""},
	{"rshared", Propagation, unix.MS_SHARED | Recurse, 0, ""},
	{"rslave", Propagation, unix.MS_SLAVE | Recurse, 0, ""},
	{"rstrictatime", Recursive, unix.MOUNT_ATTR_STRICTATIME, atime, ""},
	{"rsuid", Recursive, 0, unix.MOUNT_ATTR_NOSUID, ""},
	{"rsymfollow", Recursive, 0, unix.MOUNT_ATTR_NOSYMFOLLOW, ""},
	{"runbindable", Propagation, unix.MS_UNBINDABLE | Recurse, 0, ""},
	{"rw", Attr, 0, unix.MOUNT_ATTR_RDONLY, ""},
	{"shared", Propagation, unix.MS_SHARED, 0, ""},
	{"silent", Ignored, 0, 0, ""},
	{"slave", Propagation, unix.MS_SLAVE, 0, ""},
	{"strictatime", Attr, unix.MOUNT_ATTR_STRICTATIME, atime, ""},
	{"suid", Attr, 0, unix.MOUNT_ATTR_NOSUID, ""},
	{"symfollow", Attr, 0, unix.MOUNT_ATTR_NOSYMFOLLOW, ""},
	{"sync", Super, 0, 0, "sync"},
	{"tmpcopyup", CopyUp, 0, 0, ""},
	{"unbindable", Propagation, unix.MS_UNBINDABLE, 0, ""},
}

// LookupOption finds an option by name. What is not in the table has Class Data: it goes
// to the file system as it is.
func LookupOption(name string) Option {
	i := sort.Search(len(options), func(i int) bool { return options[i].Name >= name })
	if i < len(options) && options[i].Name == name {
		return options[i]
	}
	return Option{Name: name, Class: Data}
}

// OptionNames lists every name in the table, sorted.
func OptionNames() []string {
	names := make([]string, len(options))
	for i, o := range options {
		names[i] = o.Name
	}
	return names
}
