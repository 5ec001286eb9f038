package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// A comboCaller makes containers with a user namespace. What was tested alone is tested in
// the combo tests together.
type comboCaller struct {
	name string
	as   plain             // zero: who runs the tests
	edit func(*specs.Spec) // adds the user namespace, and what it asks for
	root int               // the host's number of container root
	many bool              // there are more ids than root's
	tty  string            // the group of terminals inside
	peers
}

// comboCallers are those that this run can be. A caller without root has one, itself.
func comboCallers(t *testing.T) []comboCaller {
	t.Helper()
	if os.Geteuid() != 0 {
		return []comboCaller{{name: "user", edit: func(*specs.Spec) {}, root: os.Getuid(), tty: "0", peers: peers{who: byUser}}}
	}
	rootlessWorld(t)
	needIDTools(t)
	ann := newPlain(t, annUID)
	return []comboCaller{
		{name: "root", edit: mapped, root: 100000, many: true, tty: "5"},
		{name: "rootless", as: ann, edit: plainSpec(ann), root: annUID, tty: "0"},
		{name: "rootless with subordinate ids", as: ann, edit: edits(plainSpec(ann), subordinate(subIDs)), root: annUID, many: true, tty: "0"},
	}
}

// user is one that is not container root, if there is any.
func (by comboCaller) user() uint32 {
	if by.many {
		return 1000
	}
	return 0
}

// container is by's. shared() of it may be asked for before config.
func (by comboCaller) container(t *testing.T, list ...func(*specs.Spec)) *container {
	t.Helper()
	c := newContainer(t)
	by.takes(c)
	by.config(c, list...)
	return c
}

func (by comboCaller) takes(c *container) {
	if by.as.uid != 0 {
		c.belongsTo(by.as)
	}
}

func (by comboCaller) config(c *container, list ...func(*specs.Spec)) {
	c.t.Helper()
	c.config(append([]func(*specs.Spec){by.edit}, list...)...)
}

// uid is who the runtime runs as.
func (by comboCaller) uid() int {
	if by.as.uid != 0 {
		return int(by.as.uid)
	}
	return os.Getuid()
}

// openTo lets every user use a socket.
func openTo(t *testing.T, path string) {
	t.Helper()
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
}

// runCombos plays each scene for each caller.
func runCombos(t *testing.T, scenes []comboScene) {
	for _, by := range comboCallers(t) {
		for _, s := range scenes {
			if s.many && !by.many || s.root && by.name != "root" || s.group && by.as.uid != 0 {
				continue
			}
			p := s.peers
			p.who = by.who
			if by.many && by.as.uid != 0 && p.runc == "" {
				p.runc = s.subIDs
			}
			runScenes(t, []scene{{name: by.name + "/" + s.name, peers: p, play: func(t *testing.T) { s.play(t, by) }}})
		}
	}
}

type comboScene struct {
	name  string
	play  func(*testing.T, comboCaller)
	many  bool // needs more ids than one
	root  bool // for the host's root only
	group bool // for those who may make cgroups
	peers
	subIDs verdict // on runc, where the caller is no root and has subordinate ids
}

// quadruple is a line of proc_pid_status(5) with the same id four times.
func quadruple(id int) string { return strings.TrimSpace(strings.Repeat(fmt.Sprint(id, " "), 4)) }

// boundProc is for a container that may not mount a procfs: it has no new pid namespace.
func boundProc(s *specs.Spec) {
	for i, m := range s.Mounts {
		if m.Destination == "/proc" {
			s.Mounts[i] = specs.Mount{Destination: "/proc", Type: "bind", Source: "/proc", Options: []string{"rbind"}}
		}
	}
}

// aDay is a time namespace that is a day ahead.
func aDay(s *specs.Spec) {
	addNamespace(specs.TimeNamespace, "")(s)
	offsets(specs.LinuxTimeOffset{}, specs.LinuxTimeOffset{Secs: 86400})(s)
}
