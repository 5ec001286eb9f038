package config

import (
	"math"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/kernel"
)

// process checks a process object (config.md, "Process"), of config.json or of exec.
func (c *checker) process(at *place, p *specs.Process) {
	c.args(at.key("args"), p.Args)
	c.variables(at.key("env"), p.Env)
	c.absolute(at.key("cwd"), p.Cwd)
	c.user(at.key("user"), &p.User)
	c.rlimits(at.key("rlimits"), p.Rlimits)
	if p.Capabilities != nil {
		c.capabilities(at.key("capabilities"), p.Capabilities)
	}
	if p.OOMScoreAdj != nil {
		c.between(at.key("oomScoreAdj"), int64(*p.OOMScoreAdj), -1000, 1000)
	}
	c.noNUL(at.key("apparmorProfile"), p.ApparmorProfile)
	c.noNUL(at.key("selinuxLabel"), p.SelinuxLabel)
	if p.Terminal && p.ConsoleSize != nil {
		c.console(at.key("consoleSize"), p.ConsoleSize)
	}
	c.scheduling(at, p)
}

func (c *checker) args(at *place, args []string) {
	if len(args) == 0 {
		c.fault(at, "is missing or empty: there is nothing to run")
		return
	}
	if args[0] == "" {
		c.fault(at.item(0), "the command is empty")
	}
	c.allNoNUL(at, args)
}

// noID is the id that stands for "unchanged" in setresuid(2) and nobody can have.
const noID = math.MaxUint32

func (c *checker) user(at *place, u *specs.User) {
	c.id(at.key("uid"), u.UID)
	c.id(at.key("gid"), u.GID)
	for i, gid := range u.AdditionalGids {
		c.id(at.key("additionalGids").item(i), gid)
	}
	if u.Umask != nil && *u.Umask > 0o777 {
		c.fault(at.key("umask"), "0"+strconv.FormatUint(uint64(*u.Umask), 8)+" is above 0777 (both octal)")
	}
}

func (c *checker) id(at *place, id uint32) {
	if id == noID {
		c.fault(at, "4294967295 is not a valid id")
	}
}

// rlimits checks resource limits, getrlimit(2).
func (c *checker) rlimits(at *place, limits []specs.POSIXRlimit) {
	seen := 0
	for i, l := range limits {
		here := at.item(i)
		if l.Soft > l.Hard {
			c.fault(here.key("soft"), "the soft limit "+strconv.FormatUint(l.Soft, 10)+" is above the hard one, "+strconv.FormatUint(l.Hard, 10))
		}
		n := kernel.RlimitResource(l.Type)
		if n < 0 {
			c.oneOf(here.key("type"), "resource limit", l.Type, kernel.RlimitNames())
			continue
		}
		if seen&(1<<n) != 0 {
			c.fault(here.key("type"), "a second entry for "+l.Type)
		}
		seen |= 1 << n
	}
}

// capabilities warns of names that rt does not know: the kernel may be newer than rt, and
// config.md wants a warning for what cannot be granted.
func (c *checker) capabilities(at *place, caps *specs.LinuxCapabilities) {
	c.capabilitySet(at.key("bounding"), caps.Bounding)
	c.capabilitySet(at.key("effective"), caps.Effective)
	c.capabilitySet(at.key("inheritable"), caps.Inheritable)
	c.capabilitySet(at.key("permitted"), caps.Permitted)
	c.capabilitySet(at.key("ambient"), caps.Ambient)
}

func (c *checker) capabilitySet(at *place, names []string) {
	for i, name := range names {
		if kernel.CapabilityBit(name) == 0 {
			c.warn(at.item(i), "unknown capability "+quote(name), suggest(name, kernel.CapabilityNames()))
		}
	}
}

// console checks struct winsize, ioctl_tty(2). Without a terminal the size is ignored.
func (c *checker) console(at *place, size *specs.Box) {
	if size.Height > math.MaxUint16 {
		c.fault(at.key("height"), "is above 65535")
	}
	if size.Width > math.MaxUint16 {
		c.fault(at.key("width"), "is above 65535")
	}
}
