// Package idmap gives a new user namespace its maps of user and group ids, user_namespaces(7).
package idmap

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

// Maps are the ids that exist in a user namespace, config-linux.md, "User namespace mappings".
type Maps struct{ UID, GID []specs.LinuxIDMapping }

// Caller is who writes the maps. Everything about it is meant in its own user namespace.
type Caller struct {
	UID, GID       uint32 // effective
	Setuid, Setgid bool   // has CAP_SETUID, CAP_SETGID
	NoGroups       bool   // setgroups(2) is denied to the caller, and so in every namespace below
	Path           string // $PATH, for the helpers
}

// Self is the caller with the permitted capabilities caps, a mask by capability number.
func Self(caps uint64) Caller {
	denied, _ := kernel.ReadFile("/proc/self/setgroups", 16)
	return Caller{
		UID: uint32(unix.Geteuid()), GID: uint32(unix.Getegid()),
		Setuid: caps&(1<<unix.CAP_SETUID) != 0, Setgid: caps&(1<<unix.CAP_SETGID) != 0,
		NoGroups: strings.HasPrefix(string(denied), "deny"), Path: os.Getenv("PATH"),
	}
}

// Write gives the process pid its maps: it has to be in a new user namespace, a child of the
// caller's own, dumpable, and waiting. A map that the kernel takes from the caller is written;
// newuidmap(1) and newgidmap(1) write the others. An error has /linux/uidMappings or
// /linux/gidMappings as its Where, and leaves a namespace that is of no use.
func Write(pid int, m Maps, c Caller) error {
	both := sides(m, c)
	helpers, err := start(pid, both, c.Path)
	for _, s := range both {
		if err == nil && s.direct {
			err = s.write(pid)
		}
	}
	for _, h := range helpers {
		if failed := h.wait(patience); err == nil {
			err = failed
		}
	}
	return err
}

// Setgroups tells whether the process may call setgroups(2) once its maps are written. It may
// not if the caller had nothing but its own group to give: dropping a group could open what is
// closed to that group.
func Setgroups(m Maps, c Caller) bool { return !c.NoGroups && !sides(m, c)[1].deny }

// Text is a map as it is written to uid_map or gid_map.
func Text(list []specs.LinuxIDMapping) string {
	var text []byte
	for _, m := range list {
		for _, n := range [...]struct {
			value uint32
			end   byte
		}{{m.ContainerID, ' '}, {m.HostID, ' '}, {m.Size, '\n'}} {
			text = append(strconv.AppendUint(text, uint64(n.value), 10), n.end)
		}
	}
	return string(text)
}

// side is one of the two maps, and how it gets there.
type side struct {
	file, helper, where string
	list                []specs.LinuxIDMapping
	direct              bool // the kernel takes it from the caller
	deny                bool // if the caller gives up setgroups(2) first
}

func sides(m Maps, c Caller) [2]side {
	uid, gid := alone(m.UID, c.UID), alone(m.GID, c.GID)
	return [2]side{
		{"uid_map", "newuidmap", "/linux/uidMappings", m.UID, c.Setuid || uid, false},
		{"gid_map", "newgidmap", "/linux/gidMappings", m.GID, c.Setgid || gid, gid && !c.Setgid},
	}
}

// alone tells whether id is all that the list maps.
func alone(list []specs.LinuxIDMapping, id uint32) bool {
	return len(list) == 1 && list[0].Size == 1 && list[0].HostID == id
}

func (s side) write(pid int) error {
	if s.deny {
		if err := kernel.WriteProc(pid, "setgroups", "deny"); err != nil {
			return errs.At(s.where, "deny setgroups to", "process "+strconv.Itoa(pid), err)
		}
	}
	err := kernel.WriteProc(pid, s.file, Text(s.list))
	if err == unix.EPERM {
		err = fmt.Errorf("%w: it takes hostIDs that exist in the caller's own user namespace, and CAP_SETFCAP for 0", err)
	}
	return errs.At(s.where, "write "+s.file+" of", "process "+strconv.Itoa(pid), err)
}
