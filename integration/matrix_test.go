package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// A matrixCaller is who makes the container, and in which user namespace.
type matrixCaller struct {
	name   string
	uid    uint32
	user   func(*specs.Spec) // adds a new user namespace; nil: none
	uids   string            // uid_map inside
	gids   string
	groups string // setgroups inside
}

func matrixCallers() []matrixCaller {
	own := factsOf("self")
	return []matrixCaller{
		{name: "root", uids: own["uid_map"], gids: own["gid_map"], groups: "allow"},
		{name: "root with a user namespace", user: mapped, uids: "0 100000 65536", gids: "0 200000 65536", groups: "allow"},
		{name: "rootless", uid: annUID, user: mappedAs(annUID), uids: fmt.Sprintf("0 %d 1", annUID), gids: fmt.Sprintf("0 %d 1", annUID), groups: "deny"},
	}
}

// mappedAs maps root to one id.
func mappedAs(id uint32) func(*specs.Spec) {
	return func(s *specs.Spec) {
		addNamespace(specs.UserNamespace, "")(s)
		s.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: id, Size: 1}}
		s.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: id, Size: 1}}
	}
}

// A cell is one kind of namespace, which the container has new, by path or not at all.
type cell struct {
	by   matrixCaller
	kind specs.LinuxNamespaceType
	how  string
}

const (
	nsNew    = "new"
	nsJoined = "joined"
	nsAbsent = "absent"
)

func TestMatrix(t *testing.T) {
	for _, by := range matrixCallers() {
		for _, k := range nsKinds {
			for _, how := range []string{nsNew, nsJoined, nsAbsent} {
				if c := (cell{by, k.spec, how}); !c.repeated() {
					t.Run(fmt.Sprintf("%s/%s %s", by.name, k.spec, how), c.test)
				}
			}
		}
	}
}

// repeated: root with a joined user namespace, or with none, is the first caller's cell.
func (m cell) repeated() bool {
	return m.kind == specs.UserNamespace && m.how != nsNew && m.by.uid == 0 && m.by.user != nil
}

func (m cell) test(t *testing.T) {
	needBinary(t, m.differs())
	watch(t)
	path := ""
	if m.how == nsJoined {
		path = hold(t, m.kind).file(t, m.kind)
	}
	c := newContainer(t, script(tellFacts), m.config(path))
	if m.by.uid != 0 {
		c.belongsTo(newPlain(t, m.by.uid))
	}
	if m.kind == specs.MountNamespace && m.how == nsAbsent {
		mountProc(c)
		c.made = defaultNodes()
	}
	r := c.run()
	if pointer := m.impossible(c.spec()); pointer != "" {
		want(t, r, 1, match{}, where(pointer))
		return
	}
	m.check(t, c.spec(), readFacts(r.must(t).stdout))
}

// config has new namespaces of all kinds but those that are newer than the others, and the
// mounts that these allow.
func (m cell) config(path string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		if m.by.user != nil {
			m.by.user(s)
		}
		switch {
		case m.how == nsAbsent:
			without(m.kind)(s)
		case m.kind != specs.UserNamespace || m.how == nsJoined:
			addNamespace(m.kind, path)(s)
		case m.by.user == nil:
			mapped(s)
		}
		if u := namespaceOf(s, specs.UserNamespace); u == nil || u.Path != "" {
			s.Linux.UIDMappings, s.Linux.GIDMappings = nil, nil
		}
		s.Hostname, s.Linux.MaskedPaths, s.Linux.ReadonlyPaths, s.Linux.Resources = "", nil, nil, nil
		s.Mounts = mountsFor(s)
		s.Root.Readonly = len(s.Mounts) > 0
	}
}

// mountsFor: with a user namespace a file system of the kernel's may be mounted where the
// namespace that it shows belongs to that. A procfs is bound instead: the host's shows the
// workload as well.
func mountsFor(s *specs.Spec) []specs.Mount {
	if namespaceOf(s, specs.MountNamespace) == nil {
		return nil
	}
	owns := func(kind specs.LinuxNamespaceType) bool {
		ns := namespaceOf(s, kind)
		return namespaceOf(s, specs.UserNamespace) == nil || ns != nil && ns.Path == ""
	}
	list := []specs.Mount{{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}}}
	if owns(specs.PIDNamespace) {
		list = append(list, specs.Mount{Destination: "/proc", Type: "proc", Source: "proc"})
	} else {
		list = append(list, specs.Mount{Destination: "/proc", Type: "bind", Source: "/proc", Options: []string{"rbind"}})
	}
	if owns(specs.NetworkNamespace) {
		list = append(list, specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}})
	}
	if owns(specs.IPCNamespace) {
		list = append(list, specs.Mount{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}})
	}
	return list
}

// impossible gives the JSON pointer of what the kernel refuses: a caller without privileges
// enters namespaces of user namespaces only that are its own, and container root mounts
// nothing in a mount namespace that belongs to the host's.
func (m cell) impossible(s *specs.Spec) string {
	rootless := m.by.uid != 0
	switch {
	case rootless && m.kind == specs.UserNamespace && m.how == nsAbsent:
		return "/linux/namespaces"
	case m.how == nsJoined && (rootless || m.by.user != nil && m.kind == specs.MountNamespace):
		i := slices.IndexFunc(s.Linux.Namespaces, func(ns specs.LinuxNamespace) bool { return ns.Type == m.kind })
		return fmt.Sprintf("/linux/namespaces/%d", i)
	}
	return ""
}

func (m cell) check(t *testing.T, s *specs.Spec, got facts) {
	got.checkNamespaces(t, s)
	got.checkMounts(t, s)
	expect := facts{
		"Uid": "0 0 0 0", "Gid": "0 0 0 0", "Groups": "", "NoNewPrivs": "1", "CapEff": "0000000020000420", "CapBnd": "0000000020000420",
		"uid_map": m.by.uids, "gid_map": m.by.gids, "setgroups": m.by.groups,
	}
	if m.kind == specs.UserNamespace && m.how != nsAbsent && m.by.user == nil {
		expect["uid_map"], expect["gid_map"] = "0 100000 65536", "0 200000 65536" // hold's and mapped's
	}
	got.check(t, expect)
	fresh := namespaceOf(s, specs.PIDNamespace)
	if (got["pid"] == "1") != (fresh != nil && fresh.Path == "") {
		t.Errorf("pid %s", got["pid"])
	}
	if levels := len(strings.Fields(got["NSpid"])); levels != m.levels(s) {
		t.Errorf("NSpid: %s: %d levels, want %d", got["NSpid"], levels, m.levels(s))
	}
}

// levels of pid namespaces between that of the procfs inside and the workload's.
func (m cell) levels(s *specs.Spec) int {
	foreign := slices.ContainsFunc(s.Mounts, func(p specs.Mount) bool { return p.Source == "/proc" }) || len(s.Mounts) == 0
	if foreign && namespaceOf(s, specs.PIDNamespace) != nil {
		return 2
	}
	return 1
}

func (m cell) differs() peers {
	switch {
	case m.kind == specs.TimeNamespace && m.how != nsAbsent:
		return peers{runc: differs("time namespaces came with 1.2")}
	case m.kind == specs.UserNamespace && m.how == nsJoined:
		return peers{runc: differs("1.1 wants mappings that the namespace has already")}
	case m.kind == specs.MountNamespace && m.how == nsAbsent:
		return peers{runc: differs("mounts the root file system in the caller's mount namespace")}
	}
	return peers{}
}

// defaultNodes are what a runtime may make below the root where it has no /dev to mount.
func defaultNodes() []string {
	return strings.Fields("/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx " +
		"/dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/core")
}

// spec reads the configuration back.
func (c *container) spec() *specs.Spec {
	c.t.Helper()
	s := &specs.Spec{}
	b, err := os.ReadFile(filepath.Join(c.bundle, "config.json"))
	if err == nil {
		err = json.Unmarshal(b, s)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}
