package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// CheckUser is nil, or an errs.Error of the kind errs.Invalid around Faults: the ids of the
// process that the container's own user namespace does not map. Validate has them, too; exec
// brings another process.
func CheckUser(s *specs.Spec) error {
	c := checker{spec: s}
	if own := c.ownIDs(s); own != nil {
		own.user(&c, (*place)(nil).key("process").key("user"), &s.Process.User)
	}
	return invalid("", c.faults.all())
}

// idSpace is the ids of one kind that a new user namespace has.
type idSpace struct {
	what, where string
	list        []specs.LinuxIDMapping
}

type ids struct{ uid, gid idSpace }

// ownIDs is nil for a container without a user namespace, or with one that is joined: what
// that maps is not known here.
func (c *checker) ownIDs(s *specs.Spec) *ids {
	ns := c.namespace(specs.UserNamespace)
	if ns == nil || ns.Path != "" || len(s.Linux.UIDMappings) == 0 || len(s.Linux.GIDMappings) == 0 {
		return nil
	}
	return &ids{
		idSpace{"uid", "/linux/uidMappings", s.Linux.UIDMappings},
		idSpace{"gid", "/linux/gidMappings", s.Linux.GIDMappings},
	}
}

// mapped: with an id that does not exist in its user namespace the kernel refuses
// setresuid(2), setgroups(2) and the mounts that name one.
func (c *checker) mapped(s *specs.Spec) {
	own := c.ownIDs(s)
	if own == nil {
		return
	}
	var top *place
	if s.Process != nil {
		own.user(c, top.key("process").key("user"), &s.Process.User)
	}
	for i := range s.Mounts {
		own.mount(c, top.key("mounts").item(i).key("options"), &s.Mounts[i])
	}
}

func (own *ids) user(c *checker, at *place, u *specs.User) {
	own.uid.check(c, at.key("uid"), u.UID)
	own.gid.check(c, at.key("gid"), u.GID)
	for i, gid := range u.AdditionalGids {
		own.gid.check(c, at.key("additionalGids").item(i), gid)
	}
}

// mount checks the owner that a new tmpfs or devpts shall have: EINVAL, in every kernel. A
// proc with gid= is refused by newer ones only.
func (own *ids) mount(c *checker, at *place, m *specs.Mount) {
	if isBind(m) || m.Type != "tmpfs" && m.Type != "devpts" {
		return
	}
	for i, option := range m.Options {
		key, value, _ := strings.Cut(option, "=")
		id, err := strconv.ParseUint(value, 0, 32)
		switch {
		case err != nil:
		case key == "uid":
			own.uid.check(c, at.item(i), uint32(id))
		case key == "gid":
			own.gid.check(c, at.item(i), uint32(id))
		}
	}
}

// check leaves the id that is none to others.
func (s idSpace) check(c *checker, at *place, id uint32) {
	has := func(m specs.LinuxIDMapping) bool { return id >= m.ContainerID && id-m.ContainerID < m.Size }
	if id != noID && !slices.ContainsFunc(s.list, has) {
		c.fault(at, s.what+" "+strconv.FormatUint(uint64(id), 10)+" is not mapped by "+s.where)
	}
}
