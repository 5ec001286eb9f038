package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// sysctlRule says which namespace a parameter below /proc/sys belongs to.
type sysctlRule struct {
	name string // a path below /proc/sys; with * at its end, all that start so
	ns   specs.LinuxNamespaceType
}

// sysctlRules are the parameters that belong to a namespace. Any other is the host's.
var sysctlRules = []sysctlRule{
	{"fs/mqueue/*", specs.IPCNamespace},
	{"kernel/domainname", specs.UTSNamespace},
	{"kernel/msg*", specs.IPCNamespace},
	{"kernel/sem", specs.IPCNamespace},
	{"kernel/shm*", specs.IPCNamespace},
	{"net/*", specs.NetworkNamespace},
	{"user/*", specs.UserNamespace},
}

func (r sysctlRule) covers(path string) bool {
	if prefix, wild := strings.CutSuffix(r.name, "*"); wild {
		return strings.HasPrefix(path, prefix)
	}
	return path == r.name
}

// sysctls checks config-linux.md, "Sysctl".
func (c *checker) sysctls(at *place, values map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		here := at.key(key)
		if strings.ContainsAny(values[key], "\n\x00") {
			c.fault(here, "the value contains a newline or a NUL byte")
		}
		path := sysctlPath(key)
		if badSysctl(path) {
			c.fault(here, quote(key)+" is not the name of a kernel parameter")
			continue
		}
		c.sysctl(here, key, path)
	}
}

// sysctlPath is the path below /proc/sys. As in sysctl(8), the first separator decides: after
// a dot, a slash is a dot within a name (net.ipv4.conf.eth0/100.forwarding).
func sysctlPath(key string) string {
	if i := strings.IndexAny(key, "./"); i < 0 || key[i] == '/' {
		return key
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '.':
			return '/'
		case '/':
			return '.'
		}
		return r
	}, key)
}

// badSysctl: a path that could lead to another file than it says. "+" once joined several
// parameters into one argument (CVE-2022-0811).
func badSysctl(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || strings.Contains(part, "..") {
			return true
		}
	}
	return strings.IndexFunc(path, func(r rune) bool { return r <= ' ' || r == '+' || r == 0x7f }) >= 0
}

func (c *checker) sysctl(at *place, key, path string) {
	if path == "kernel/hostname" {
		c.hinted(at, "the host name has its own field", "use /hostname")
		return
	}
	i := slices.IndexFunc(sysctlRules, func(r sysctlRule) bool { return r.covers(path) })
	if i < 0 {
		c.fault(at, quote(key)+" is not namespaced: it would change the host")
		return
	}
	if ns := sysctlRules[i].ns; c.namespace(ns) == nil {
		c.hinted(at, quote(key)+" needs the namespace "+string(ns), `add {"type": "`+string(ns)+`"} to /linux/namespaces`)
	}
}
