package config

import (
	"maps"
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// namespaces checks config-linux.md, "Namespaces".
func (c *checker) namespaces(at *place, list []specs.LinuxNamespace) {
	for i, ns := range list {
		here := at.item(i)
		if !c.oneOf(here.key("type"), "namespace type", string(ns.Type), namespaceTypes) {
			continue
		}
		first := slices.IndexFunc(list, func(other specs.LinuxNamespace) bool { return other.Type == ns.Type })
		if first < i {
			c.fault(here.key("type"), "a second "+string(ns.Type)+" namespace, after entry "+strconv.Itoa(first))
		}
		if ns.Path != "" {
			c.absolute(here.key("path"), ns.Path)
		}
	}
}

// namespace is the first namespace of a type, nil if the container shares the runtime's.
func (c *checker) namespace(kind specs.LinuxNamespaceType) *specs.LinuxNamespace {
	if c.spec.Linux == nil {
		return nil
	}
	list := c.spec.Linux.Namespaces
	if i := slices.IndexFunc(list, func(ns specs.LinuxNamespace) bool { return ns.Type == kind }); i >= 0 {
		return &list[i]
	}
	return nil
}

// timeOffsets: they can only be set before the first process enters, time_namespaces(7).
func (c *checker) timeOffsets(at *place, offsets map[string]specs.LinuxTimeOffset) {
	if len(offsets) == 0 {
		return
	}
	ns := c.namespace(specs.TimeNamespace)
	switch {
	case ns == nil:
		c.hinted(at, "needs a new time namespace", `add {"type": "time"} to /linux/namespaces`)
	case ns.Path != "":
		c.fault(at, "needs a new time namespace: the one that is joined by path has its own offsets")
	}
	for _, clock := range slices.Sorted(maps.Keys(offsets)) {
		c.oneOf(at.key(clock), "clock", clock, clocks)
		c.between(at.key(clock).key("nanosecs"), int64(offsets[clock].Nanosecs), 0, 999_999_999)
	}
}
