package config

import (
	"math"
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/idmap"
)

// What the kernel takes, user_namespaces(7): UID_GID_MAP_MAX_EXTENTS entries, in one write of
// less than a page. Pages are larger on some machines, which is no reason to differ there.
const (
	maxMappings = 340
	maxMapText  = 4095
)

// mappings checks ranges of ids as the kernel does when they are written to uid_map, and
// tells whether they are as they should be.
func (c *checker) mappings(at *place, list []specs.LinuxIDMapping) bool {
	if len(list) > maxMappings {
		c.fault(at, strconv.Itoa(len(list))+" entries; the kernel takes 340")
		return false
	}
	if n := len(idmap.Text(list)); n > maxMapText {
		c.fault(at, "is "+strconv.Itoa(n)+" bytes long when it is written; the kernel takes 4095: use fewer or smaller numbers")
		return false
	}
	before := c.faults.count()
	c.ranges(at, list)
	return c.faults.count() == before
}

func (c *checker) ranges(at *place, list []specs.LinuxIDMapping) {
	inside, outside := make([]idRange, 0, len(list)), make([]idRange, 0, len(list))
	for i, m := range list {
		if c.mapping(at.item(i), m) {
			inside = append(inside, idRange{uint64(m.ContainerID), uint64(m.Size), i})
			outside = append(outside, idRange{uint64(m.HostID), uint64(m.Size), i})
		}
	}
	c.overlaps(at, "containerID", inside)
	c.overlaps(at, "hostID", outside)
}

func (c *checker) mapping(at *place, m specs.LinuxIDMapping) bool {
	if m.Size == 0 {
		c.fault(at.key("size"), "is missing or 0")
		return false
	}
	return c.rangeFits(at.key("containerID"), m.ContainerID, m.Size) && c.rangeFits(at.key("hostID"), m.HostID, m.Size)
}

// rangeFits: the last id is below 4294967295, which is none.
func (c *checker) rangeFits(at *place, first, size uint32) bool {
	if uint64(first)+uint64(size) <= math.MaxUint32 {
		return true
	}
	c.fault(at, strconv.FormatUint(uint64(size), 10)+" ids from "+strconv.FormatUint(uint64(first), 10)+" go beyond 4294967294")
	return false
}

type idRange struct {
	first, size uint64
	index       int
}

func (c *checker) overlaps(at *place, side string, ranges []idRange) {
	slices.SortStableFunc(ranges, func(a, b idRange) int { return int(int64(a.first) - int64(b.first)) })
	end, owner := uint64(0), 0
	for _, r := range ranges {
		if r.first < end {
			c.fault(at.item(max(r.index, owner)).key(side), "overlaps entry "+strconv.Itoa(min(r.index, owner)))
		}
		if r.first+r.size > end {
			end, owner = r.first+r.size, r.index
		}
	}
}

// userNamespace: maps belong to a new user namespace, and it to them.
func (c *checker) userNamespace(at *place, l *specs.Linux) {
	uids := c.mappings(at.key("uidMappings"), l.UIDMappings)
	gids := c.mappings(at.key("gidMappings"), l.GIDMappings)
	ns := c.namespace(specs.UserNamespace)
	for _, m := range []struct {
		key  string
		list []specs.LinuxIDMapping
	}{{"uidMappings", l.UIDMappings}, {"gidMappings", l.GIDMappings}} {
		here := at.key(m.key)
		switch {
		case ns == nil && len(m.list) > 0:
			c.hinted(here, "needs a user namespace", `add {"type": "user"} to /linux/namespaces`)
		case ns != nil && ns.Path == "" && len(m.list) == 0:
			c.fault(here, "is missing or empty: a new user namespace needs it")
		case ns != nil && ns.Path != "" && len(m.list) > 0:
			// Managers write both for a container that joins its pod's namespace.
			c.warn(here, "is ignored: the user namespace is joined by path and has its own mappings", "")
		}
	}
	if uids && gids {
		c.mapped(c.spec)
	}
}
