package integration

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// match says what an output has to be.
type match struct {
	how  string
	text string
}

func is(text string) match      { return match{"is", text} }
func has(text string) match     { return match{"has", text} }
func like(pattern string) match { return match{"like", pattern} } // regexp(7) with (?m), anywhere

// check gives the reason why got is not what m says. The zero match takes anything.
func (m match) check(got string) error {
	ok := true
	switch m.how {
	case "is":
		ok = got == m.text
	case "has":
		ok = strings.Contains(got, m.text)
	case "like":
		ok = regexp.MustCompile("(?m)" + m.text).MatchString(got)
	}
	if ok {
		return nil
	}
	return fmt.Errorf("got %q, which should be: %s %q", got, m.how, m.text)
}

// row is one container that is run in the foreground.
type row struct {
	name  string
	edit  func(*specs.Spec)
	sh    string // the workload as a script; empty: what edit says
	want  match  // stdout
	code  int
	fails match  // stderr
	made  string // paths below the rootfs that the run makes
	prep  func(*container)
	peers
}

func runRows(t *testing.T, rows []row) {
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) { r.run(t) })
	}
}

func (r row) run(t *testing.T) {
	needCaller(t, r.peers)
	needBinary(t, r.peers)
	watchAs(t)
	c := newContainer(t, script(r.sh), r.edit)
	c.made = strings.Fields(r.made)
	if r.prep != nil {
		r.prep(c)
	}
	want(t, c.run(), r.code, r.want, r.fails)
}

// want checks a result; the zero match takes anything.
func want(t *testing.T, r result, code int, stdout, stderr match) {
	t.Helper()
	if r.code != code {
		t.Errorf("%v\nwant exit %d", r, code)
	}
	if err := stdout.check(r.stdout); err != nil {
		t.Errorf("%v\nstdout: %v", r, err)
	}
	// A text log quotes the message again.
	if err := stderr.check(strings.ReplaceAll(r.stderr, `\"`, `"`)); err != nil {
		t.Errorf("%v\nstderr: %v", r, err)
	}
}

// scene is a row with several commands.
type scene struct {
	name string
	play func(*testing.T)
	peers
}

func runScenes(t *testing.T, scenes []scene) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			needCaller(t, s.peers)
			needBinary(t, s.peers)
			watchAs(t)
			s.play(t)
		})
	}
}

// script makes text the workload; nil for none.
func script(text string) func(*specs.Spec) {
	if text == "" {
		return nil
	}
	return args("sh", "-c", text)
}

func args(a ...string) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Process.Args = a }
}

// edits does several in order.
func edits(list ...func(*specs.Spec)) func(*specs.Spec) {
	return func(s *specs.Spec) {
		for _, e := range list {
			e(s)
		}
	}
}

func addMount(m specs.Mount) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Mounts = append(s.Mounts, m) }
}

func writable(s *specs.Spec) { s.Root.Readonly = false }

func user(uid, gid uint32) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Process.User.UID, s.Process.User.GID = uid, gid }
}

func without(ns specs.LinuxNamespaceType) func(*specs.Spec) {
	return func(s *specs.Spec) {
		var keep []specs.LinuxNamespace
		for _, n := range s.Linux.Namespaces {
			if n.Type != ns {
				keep = append(keep, n)
			}
		}
		s.Linux.Namespaces = keep
	}
}
