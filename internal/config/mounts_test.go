package config

import "testing"

// mount is an edit that appends a mount.
func mount(json string) string { return "/mounts/- = " + json }

func TestMountRules(t *testing.T) {
	check(t, []row{
		{"no destination", mount(`{"type": "tmpfs"}`), "/mounts/3/destination", "missing", ""},
		{"destination NUL", mount(`{"destination": "/a\u0000", "type": "tmpfs"}`), "/mounts/3/destination", "NUL", ""},
		{"type NUL", mount(`{"destination": "/a", "type": "\u0000"}`), "/mounts/3/type", "NUL", ""},
		{"source NUL", mount(`{"destination": "/a", "type": "bind", "source": "\u0000"}`), "/mounts/3/source", "NUL", ""},
		{"bind without source", mount(`{"destination": "/a", "options": ["bind"]}`), "/mounts/3/source", "missing", ""},
		{"type bind without source", mount(`{"destination": "/a", "type": "bind"}`), "/mounts/3/source", "missing", ""},
		{"bind, relative source", mount(`{"destination": "/a", "type": "none", "source": "x", "options": ["rbind"]}`), "", "", ""},
		{"bind option", mount(`{"destination": "/a", "source": "/s", "options": ["rbind", "rox"]}`), "/mounts/3/options/1", `unknown option "rox" of a bind mount`, `"ro"`},
		{"bind data", mount(`{"destination": "/a", "source": "/s", "options": ["bind", "size=1m"]}`), "/mounts/3/options/1", "of a bind mount", ""},
		{"option NUL", mount(`{"destination": "/a", "type": "ext4", "options": ["a\u0000"]}`), "/mounts/3/options/0", "NUL", ""},
		{"tmpfs", mount(`{"destination": "/a", "type": "tmpfs", "options": ["size=1", "mode=755", "uid=0", "gid=0", "nr_inodes=1", "nr_blocks=1", "mpol=x", "huge=x", "noswap", "inode64"]}`), "", "", ""},
		{"tmpfs SELinux label", mount(`{"destination": "/a", "type": "tmpfs", "options": ["context=\"a:b:c:s0\""]}`), "", "", ""},
		{"tmpfs key", mount(`{"destination": "/a", "type": "tmpfs", "options": ["sise=1"]}`), "/mounts/3/options/0", `unknown option "sise=1" of tmpfs`, `"size"`},
		{"tmpfs, slip of a flag", mount(`{"destination": "/a", "type": "tmpfs", "options": ["nosuit"]}`), "/mounts/3/options/0", "of tmpfs", `"nosuid"`},
		{"devpts", mount(`{"destination": "/a", "type": "devpts", "options": ["newinstance", "ptmxmode=0666", "mode=0620", "uid=0", "gid=5", "max=10"]}`), "", "", ""},
		{"devpts key", mount(`{"destination": "/a", "type": "devpts", "options": ["newinstanse"]}`), "/mounts/3/options/0", "of devpts", `"newinstance"`},
		{"proc", mount(`{"destination": "/proc", "type": "proc", "options": ["hidepid=2", "gid=1", "subset=pid"]}`), "", "", ""},
		{"proc key", mount(`{"destination": "/proc", "type": "proc", "options": ["hidpid=2"]}`), "/mounts/3/options/0", "of proc", `"hidepid"`},
		{"sysfs", mount(`{"destination": "/sys", "type": "sysfs", "options": ["ro", "mode=1"]}`), "/mounts/3/options/1", "of sysfs", ""},
		{"mqueue", mount(`{"destination": "/a", "type": "mqueue", "options": ["x"]}`), "/mounts/3/options/0", "of mqueue", ""},
		{"cgroup", mount(`{"destination": "/a", "type": "cgroup", "options": ["x"]}`), "/mounts/3/options/0", "of cgroup", ""},
		{"other file system", mount(`{"destination": "/a", "type": "overlay", "source": "o", "options": ["lowerdir=/a:/b"]}`), "", "", ""},
		{"maps", mount(`{"destination": "/a", "source": "/s", "options": ["bind"], "uidMappings": [{"size": 1}], "gidMappings": [{"size": 1}]}`), "", "", ""},
		{"one map", mount(`{"destination": "/a", "source": "/s", "options": ["bind"], "uidMappings": [{"size": 1}]}`), "/mounts/3", "one of them is missing", ""},
		{"the other map", mount(`{"destination": "/a", "source": "/s", "options": ["bind"], "gidMappings": [{"size": 1}]}`), "/mounts/3", "one of them is missing", ""},
		{"map of no ids", mount(`{"destination": "/a", "source": "/s", "options": ["bind"], "uidMappings": [{"size": 0}], "gidMappings": [{"size": 1}]}`), "/mounts/3/uidMappings/0/size", "0", ""},
	})
}

// TestProcMounts: S8, CVE-2019-16884, CVE-2023-27561.
func TestProcMounts(t *testing.T) {
	bind := func(destination, source string) string {
		return mount(`{"destination": "` + destination + `", "source": "` + source + `", "options": ["rbind"]}`)
	}
	const on, below = "only type", "what is below /proc"
	rows := []row{
		{"host's /proc", bind("/proc", "/proc"), "", "", ""},
		{"host's /proc, written otherwise", bind("/proc/", "/proc/."), "", "", ""},
		{"volume", bind("/proc", "/srv"), "/mounts/3/destination", on, ""},
		{"relative volume", bind("proc", "/srv"), "/mounts/3/destination", on, ""},
		{"by dots", bind("/a/../proc", "/srv"), "/mounts/3/destination", on, ""},
		{"tmpfs", mount(`{"destination": "/proc", "type": "tmpfs"}`), "/mounts/3/destination", on, ""},
		{"no type", mount(`{"destination": "/proc"}`), "/mounts/3/destination", on, ""},
		{"file", bind("/proc/self/attr/exec", "/srv/f"), "/mounts/3/destination", below, ""},
		{"file, relative", bind("proc/self/attr/exec", "/srv/f"), "/mounts/3/destination", below, ""},
		{"sysctl", bind("/proc/sys/kernel", "/srv"), "/mounts/3/destination", below, ""},
		{"out of an allowed one", bind("/proc/cpuinfo/../self", "/srv"), "/mounts/3/destination", below, ""},
		{"below an allowed one", bind("/proc/cpuinfo/x", "/srv"), "/mounts/3/destination", below, ""},
		{"slip", bind("/proc/cpu_info", "/srv"), "/mounts/3/destination", below, "/proc/cpuinfo"},
		{"network devices", bind("/proc/net/dev", "/srv"), "/mounts/3/destination", below, ""},
		{"tmpfs below", mount(`{"destination": "/proc/acpi", "type": "tmpfs"}`), "/mounts/3/destination", below, ""},
		{"other name", bind("/procfs/self", "/srv"), "", "", ""},
	}
	for _, file := range []string{"cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo", "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled"} {
		rows = append(rows, row{file, bind("/proc/"+file, "/var/lib/lxcfs"), "", "", ""})
	}
	check(t, rows)
}
