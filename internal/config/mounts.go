package config

import (
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/rootfs"
)

// mounts checks config.md, "Mounts".
func (c *checker) mounts(at *place, list []specs.Mount) {
	for i := range list {
		c.mount(at.item(i), &list[i])
	}
}

func (c *checker) mount(at *place, m *specs.Mount) {
	bind := isBind(m)
	c.destination(at.key("destination"), m, bind)
	if bind && m.Source == "" && !slices.Contains(m.Options, "remount") {
		c.fault(at.key("source"), "is missing or empty: a bind mount needs a source")
	}
	c.noNUL(at.key("source"), m.Source)
	c.noNUL(at.key("type"), m.Type)
	c.mountOptions(at.key("options"), m, bind)
	c.mountMappings(at, m)
}

func isBind(m *specs.Mount) bool {
	return m.Type == "bind" || slices.Contains(m.Options, "bind") || slices.Contains(m.Options, "rbind")
}

func (c *checker) destination(at *place, m *specs.Mount, bind bool) {
	if m.Destination == "" {
		c.fault(at, "is missing or empty")
		return
	}
	if !c.noNUL(at, m.Destination) {
		return
	}
	if m.Destination[0] != '/' {
		c.warn(at, quote(m.Destination)+" is not an absolute path; taken as from /", didYouMean("/"+m.Destination))
	}
	c.belowProc(at, m, bind)
}

// procFiles are the only files below /proc that may be mounted over, as they only tell of
// the machine. Anything else there is used by rt, LSMs and tools as the kernel's own word:
// a mount would fake it, or take a label write (CVE-2019-16884). Sorted.
var procFiles = []string{
	"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/slabinfo", "/proc/stat", "/proc/swaps",
	"/proc/sys/crypto/fips_enabled", "/proc/sys/kernel/ns_last_pid", "/proc/uptime",
}

func (c *checker) belowProc(at *place, m *specs.Mount, bind bool) {
	if !strings.Contains(m.Destination, "proc") {
		return
	}
	destination := path.Clean("/" + m.Destination)
	switch {
	case destination == "/proc":
		if bind && path.Clean(m.Source) != "/proc" || !bind && m.Type != "proc" {
			c.fault(at, "only type \"proc\", or a bind mount of the host's /proc, can be mounted on /proc: labels and limits are written there")
		}
	case strings.HasPrefix(destination, "/proc/") && !slices.Contains(procFiles, destination):
		c.hinted(at, quote(destination)+" cannot be mounted over: what is below /proc has to be the kernel's own", suggest(destination, procFiles))
	}
}

// mountOptions checks each option, and warns where one undoes another.
func (c *checker) mountOptions(at *place, m *specs.Mount, bind bool) {
	var effect options
	for i, text := range m.Options {
		option := rootfs.LookupOption(text)
		if option.Class == rootfs.Data {
			c.data(at.item(i), m.Type, text, bind)
			continue
		}
		if option.Class == rootfs.CopyUp && (bind || m.Type != "tmpfs") {
			c.warn(at.item(i), quote(text)+" does nothing: it is for mounts of type tmpfs", "")
		}
		if undone := effect.add(option); undone != "" {
			c.warn(at.item(i), quote(text)+" contradicts "+undone+"; the last one counts", "")
		}
	}
}

// data checks an option that is not in the table: a bind mount has no file system to take
// it, and of some file systems all the keys are known.
func (c *checker) data(at *place, fsType, text string, bind bool) {
	if !c.noNUL(at, text) {
		return
	}
	key, _, _ := strings.Cut(text, "=")
	if bind {
		c.hinted(at, "unknown option "+quote(text)+" of a bind mount", suggest(key, rootfs.OptionNames()))
		return
	}
	if keys, known := dataKeys(fsType); known && !slices.Contains(keys, key) && !slices.Contains(labelKeys, key) {
		c.hinted(at, "unknown option "+quote(text)+" of "+fsType, suggest(key, append(keys, rootfs.OptionNames()...)))
	}
}

// labelKeys are taken by SELinux before the file system sees them, mount(8).
var labelKeys = []string{"context", "defcontext", "fscontext", "rootcontext"}

// dataKeys are the keys of file systems that keep to a few: tmpfs(5),
// Documentation/filesystems/devpts.rst and proc.rst.
func dataKeys(fsType string) (keys []string, known bool) {
	switch fsType {
	case "tmpfs":
		return []string{"casefold", "gid", "grpquota", "grpquota_block_hardlimit", "grpquota_inode_hardlimit", "huge", "inode32", "inode64",
			"mode", "mpol", "noswap", "nr_blocks", "nr_inodes", "quota", "size", "strict_encoding", "uid",
			"usrquota", "usrquota_block_hardlimit", "usrquota_inode_hardlimit"}, true
	case "devpts":
		return []string{"gid", "max", "mode", "newinstance", "ptmxmode", "uid"}, true
	case "proc":
		return []string{"gid", "hidepid", "pidns", "subset"}, true
	case "sysfs", "mqueue", "cgroup":
		return nil, true
	}
	return nil, false
}

// mountMappings: config.md wants both of an idmapped mount's maps, or neither.
func (c *checker) mountMappings(at *place, m *specs.Mount) {
	if (len(m.UIDMappings) == 0) != (len(m.GIDMappings) == 0) {
		c.fault(at, "uidMappings and gidMappings go together: one of them is missing")
	}
	c.mappings(at.key("uidMappings"), m.UIDMappings)
	c.mappings(at.key("gidMappings"), m.GIDMappings)
}
