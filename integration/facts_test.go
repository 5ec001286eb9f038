package integration

import (
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// tellFacts prints what a process has become, for readFacts.
const tellFacts = `ls -l /proc/self/ns; echo "pid: $$"; cat /proc/self/status; ` +
	`grep -H "" /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; awk '{print "mount:", $5}' /proc/self/mountinfo`

// facts are words by name: ns/KIND; the names of proc_pid_status(5); uid_map, gid_map and
// setgroups; pid; mount, with the mount points. Rows are joined by commas.
type facts map[string]string

func readFacts(text string) facts {
	f := facts{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if n := len(words); n > 3 && words[n-2] == "->" {
			f["ns/"+words[n-3]] = words[n-1]
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		name, value = path.Base(name), strings.Join(strings.Fields(value), " ")
		if old, ok := f[name]; ok {
			value = old + ", " + value
		}
		f[name] = value
	}
	return f
}

// factsOf reads those of a process from outside.
func factsOf(pid string) facts {
	f := facts{}
	for _, k := range nsKinds {
		f["ns/"+k.file], _ = os.Readlink("/proc/" + pid + "/ns/" + k.file)
	}
	for _, name := range []string{"uid_map", "gid_map", "setgroups"} {
		b, _ := os.ReadFile("/proc/" + pid + "/" + name)
		var rows []string
		for line := range strings.Lines(string(b)) {
			rows = append(rows, strings.Join(strings.Fields(line), " "))
		}
		f[name] = strings.Join(rows, ", ")
	}
	return f
}

// check compares what want names.
func (f facts) check(t *testing.T, want facts) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if f[name] != want[name] {
			t.Errorf("%s: %q, want %q", name, f[name], want[name])
		}
	}
}

// checkNamespaces compares the namespaces with what the configuration asks for: a new one
// is nobody else's, one by path is that one, and the rest are those of the caller.
func (f facts) checkNamespaces(t *testing.T, s *specs.Spec) {
	t.Helper()
	own := factsOf("self")
	for _, k := range nsKinds {
		got, name := f["ns/"+k.file], "ns/"+k.file
		ns := namespaceOf(s, k.spec)
		switch {
		case ns == nil && got != own[name]:
			t.Errorf("%s: %q, want the caller's, %s", name, got, own[name])
		case ns != nil && ns.Path != "" && got != nsID(t, k.spec, ns.Path):
			t.Errorf("%s: %q, want the one at %s, %s", name, got, ns.Path, nsID(t, k.spec, ns.Path))
		case ns != nil && ns.Path == "" && (got == own[name] || got == ""):
			t.Errorf("%s: %q, want a new one", name, got)
		}
	}
	for _, kind := range []string{"pid", "time"} {
		f.check(t, facts{"ns/" + kind + "_for_children": f["ns/"+kind]})
	}
}

// checkMounts: there are those of the configuration, on a root, and no others but devices.
func (f facts) checkMounts(t *testing.T, s *specs.Spec) {
	t.Helper()
	points := []string{"/"}
	if namespaceOf(s, specs.MountNamespace) == nil {
		points = []string{"/proc"} // mountProc's
	}
	for _, m := range s.Mounts {
		points = append(points, m.Destination)
	}
	got := slices.DeleteFunc(strings.Split(f["mount"], ", "), func(p string) bool {
		return strings.HasPrefix(p, "/dev/") && !slices.Contains(points, p)
	})
	slices.Sort(got)
	slices.Sort(points)
	if !slices.Equal(got, points) {
		t.Errorf("mount points %q, want %q", got, points)
	}
}

func namespaceOf(s *specs.Spec, kind specs.LinuxNamespaceType) *specs.LinuxNamespace {
	for i := range s.Linux.Namespaces {
		if s.Linux.Namespaces[i].Type == kind {
			return &s.Linux.Namespaces[i]
		}
	}
	return nil
}

// where is the JSON pointer that rt's message has to name; peers have none.
func where(pointer string) match {
	if it.kind != "rt" {
		return match{}
	}
	return has(pointer)
}
