package config

import (
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// seccomp checks config-linux.md, "Seccomp".
func (c *checker) seccomp(at *place, s *specs.LinuxSeccomp) {
	c.action(at.key("defaultAction"), s.DefaultAction, s.ListenerPath)
	if s.DefaultAction == specs.ActNotify {
		c.fault(at.key("defaultAction"), "SCMP_ACT_NOTIFY is not allowed here: it would stop rt's own system calls")
	}
	c.errno(at.key("defaultErrnoRet"), s.DefaultErrnoRet, s.DefaultAction)
	for i, arch := range s.Architectures {
		c.oneOf(at.key("architectures").item(i), "architecture", string(arch), architectures)
	}
	for i, flag := range s.Flags {
		c.oneOf(at.key("flags").item(i), "seccomp flag", string(flag), filterFlags)
	}
	c.listener(at, s)
	for i := range s.Syscalls {
		c.rule(at.key("syscalls").item(i), &s.Syscalls[i], s.ListenerPath)
	}
}

func (c *checker) listener(at *place, s *specs.LinuxSeccomp) {
	if s.ListenerPath != "" {
		c.absolute(at.key("listenerPath"), s.ListenerPath)
	}
	if s.ListenerMetadata != "" && s.ListenerPath == "" {
		c.fault(at.key("listenerMetadata"), "must not be set without listenerPath")
	}
}

func (c *checker) action(at *place, action specs.LinuxSeccompAction, listener string) {
	if c.oneOf(at, "seccomp action", string(action), actions) && action == specs.ActNotify && listener == "" {
		c.fault(at, "SCMP_ACT_NOTIFY needs /linux/seccomp/listenerPath")
	}
}

// The largest values of a filter's return, seccomp(2): an errno, and data for a tracer.
const (
	maxErrno = 4095
	maxTrace = 65535
)

func (c *checker) errno(at *place, errno *uint, action specs.LinuxSeccompAction) {
	if errno == nil {
		return
	}
	top := uint(maxErrno)
	switch action {
	case specs.ActErrno:
	case specs.ActTrace:
		top = maxTrace
	default:
		c.fault(at, "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have a return value, not "+quote(string(action)))
		return
	}
	if *errno > top {
		c.fault(at, strconv.FormatUint(uint64(*errno), 10)+" is above "+strconv.FormatUint(uint64(top), 10))
	}
}

func (c *checker) rule(at *place, s *specs.LinuxSyscall, listener string) {
	c.action(at.key("action"), s.Action, listener)
	c.errno(at.key("errnoRet"), s.ErrnoRet, s.Action)
	if len(s.Names) == 0 {
		c.fault(at.key("names"), "is missing or empty")
	}
	for i, name := range s.Names {
		if name == "" {
			c.fault(at.key("names").item(i), "the name of a system call is empty")
		}
		c.noNUL(at.key("names").item(i), name)
	}
	for i, arg := range s.Args {
		here := at.key("args").item(i)
		c.oneOf(here.key("op"), "comparison", string(arg.Op), operators)
		if arg.Index > 5 {
			c.fault(here.key("index"), "is above 5: a system call has six arguments")
		}
	}
}
