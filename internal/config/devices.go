package config

import (
	"reflect"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/rootfs"
)

// devices checks config-linux.md, "Devices".
func (c *checker) devices(at *place, list []specs.LinuxDevice) {
	seen := make(map[string]int, len(list))
	for i, d := range list {
		here := at.item(i)
		c.device(here, &d)
		if first, again := seen[d.Path]; again && d.Path != "" && !reflect.DeepEqual(list[first], d) {
			c.fault(here.key("path"), quote(d.Path)+" is entry "+strconv.Itoa(first)+" already")
			continue
		}
		seen[d.Path] = i
	}
}

// device: a fifo has no numbers, mknod(2).
func (c *checker) device(at *place, d *specs.LinuxDevice) {
	c.absolute(at.key("path"), d.Path)
	if c.oneOf(at.key("type"), "device type", d.Type, []string{"b", "c", "p", "u"}) && d.Type != "p" {
		c.limit(at.key("major"), &d.Major, 0)
		c.limit(at.key("minor"), &d.Minor, 0)
	}
	// Docker writes what stat(2) says, with the type's bits: 020666.
	if d.FileMode != nil && uint32(*d.FileMode)&^0o7777 != 0 && uint32(*d.FileMode)&^0o7777 != rootfs.DeviceType(d.Type) {
		c.fault(at.key("fileMode"), "0"+strconv.FormatUint(uint64(*d.FileMode), 8)+" is above 07777 (both octal)")
	}
	for _, id := range []struct {
		key string
		id  *uint32
	}{{"uid", d.UID}, {"gid", d.GID}} {
		if id.id != nil {
			c.id(at.key(id.key), *id.id)
		}
	}
}
