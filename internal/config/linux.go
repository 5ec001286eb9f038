package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// linux checks config-linux.md.
func (c *checker) linux(at *place, l *specs.Linux) {
	c.namespaces(at.key("namespaces"), l.Namespaces)
	c.userNamespace(at, l)
	c.timeOffsets(at.key("timeOffsets"), l.TimeOffsets)
	c.devices(at.key("devices"), l.Devices)
	c.netDevices(at.key("netDevices"), l.NetDevices)
	c.cgroupsPath(at.key("cgroupsPath"), l.CgroupsPath)
	c.sysctls(at.key("sysctl"), l.Sysctl)
	c.paths(at.key("maskedPaths"), l.MaskedPaths)
	c.paths(at.key("readonlyPaths"), l.ReadonlyPaths)
	c.noNUL(at.key("mountLabel"), l.MountLabel)
	if l.RootfsPropagation != "" {
		c.oneOf(at.key("rootfsPropagation"), "propagation", l.RootfsPropagation, propagations)
	}
	c.linuxObjects(at, l)
}

// linuxObjects checks the objects that may be absent.
func (c *checker) linuxObjects(at *place, l *specs.Linux) {
	if l.Resources != nil {
		c.resources(at.key("resources"), l.Resources)
	}
	if l.Seccomp != nil {
		c.seccomp(at.key("seccomp"), l.Seccomp)
	}
	if l.Personality != nil {
		c.personality(at.key("personality"), l.Personality)
	}
	if l.MemoryPolicy != nil {
		c.memoryPolicy(at.key("memoryPolicy"), l.MemoryPolicy)
	}
	if l.IntelRdt != nil {
		c.intelRdt(at.key("intelRdt"), l.IntelRdt)
	}
}

func (c *checker) paths(at *place, list []string) {
	for i, p := range list {
		c.absolute(at.item(i), p)
	}
}

// cgroupsPath: ".." would lead out of the place that the caller may use.
func (c *checker) cgroupsPath(at *place, path string) {
	c.noNUL(at, path)
	if strings.Contains(path, "..") && slices.Contains(strings.Split(path, "/"), "..") {
		c.fault(at, quote(path)+" contains \"..\"")
	}
}

func (c *checker) personality(at *place, p *specs.LinuxPersonality) {
	c.oneOf(at.key("domain"), "personality domain", string(p.Domain), domains)
	for i, flag := range p.Flags {
		c.oneOf(at.key("flags").item(i), "personality flag", string(flag), nil)
	}
}

// memoryPolicy checks the arguments of set_mempolicy(2).
func (c *checker) memoryPolicy(at *place, p *specs.LinuxMemoryPolicy) {
	c.oneOf(at.key("mode"), "memory policy", string(p.Mode), memoryModes)
	c.numbers(at.key("nodes"), p.Nodes)
	for i, flag := range p.Flags {
		c.oneOf(at.key("flags").item(i), "memory policy flag", string(flag), memoryFlags)
	}
}

// intelRdt: closID is a directory of resctrl ("/" is the default group); schemata are lines.
func (c *checker) intelRdt(at *place, r *specs.LinuxIntelRdt) {
	if r.ClosID != "" && r.ClosID != "/" {
		c.fileName(at.key("closID"), "group", r.ClosID)
	}
	c.oneLine(at.key("l3CacheSchema"), r.L3CacheSchema)
	c.oneLine(at.key("memBwSchema"), r.MemBwSchema)
	for i, line := range r.Schemata {
		c.oneLine(at.key("schemata").item(i), line)
	}
}

func (c *checker) oneLine(at *place, s string) {
	if strings.IndexByte(s, '\n') >= 0 {
		c.fault(at, "contains a newline")
	}
	c.noNUL(at, s)
}

// netDevices: interface names, netdevice(7).
func (c *checker) netDevices(at *place, devices map[string]specs.LinuxNetDevice) {
	if len(devices) > 0 && c.namespace(specs.NetworkNamespace) == nil {
		c.hinted(at, "needs a network namespace", `add {"type": "network"} to /linux/namespaces`)
	}
	for _, name := range slices.Sorted(maps.Keys(devices)) {
		c.interfaceName(at.key(name), name)
		if inside := devices[name].Name; inside != "" {
			c.interfaceName(at.key(name).key("name"), inside)
		}
	}
}

// maxInterface is IFNAMSIZ without the terminating NUL.
const maxInterface = 15

func (c *checker) interfaceName(at *place, name string) {
	if c.fileName(at, "interface", name) && len(name) > maxInterface {
		c.fault(at, "interface "+quote(name)+" is longer than 15 bytes")
	}
}
