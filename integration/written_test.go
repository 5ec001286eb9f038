package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestWritten runs what managers write, and compares what has become of it, inside and in
// the cgroups, with what it becomes under runc.
func TestWritten(t *testing.T) {
	for _, name := range managedNames(t) {
		runManaged(t, name, name, func(t *testing.T, bin string) ([]string, error) { return newManaged(t, name, bin).live(t) })
	}
}

func runManaged(t *testing.T, name, container string, live func(*testing.T, string) ([]string, error)) {
	t.Run(name, func(t *testing.T) {
		needBinary(t, peers{vm: aboutGroups(name)})
		needRoot(t)
		watch(t)
		ours, err := live(t, "")
		switch {
		case err == nil && hasV2() && !groupNamespace(t, container):
			// runc 1.1 would take the options of the host's own mount of cgroup2 away
		case err == nil:
			compareManaged(t, ours, live)
		case !mayFail(t, name, err):
			t.Fatal(err)
		}
	})
}

// TestWrittenExecs does the same for the process files of exec. The container is the one that
// the manager made with the option of that name, or its usual one.
func TestWrittenExecs(t *testing.T) {
	files, err := filepath.Glob(managedData + "/*.exec.json")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".exec.json")
		container := name
		if _, err := os.Stat(managedData + "/" + name + ".json"); err != nil {
			manager, _, _ := strings.Cut(name, "-")
			container = manager + "-default"
		}
		runManaged(t, name, container, func(t *testing.T, bin string) ([]string, error) {
			return newManaged(t, container, bin).lifeOfExec(t, name)
		})
	}
}

func groupNamespace(t *testing.T, name string) bool {
	t.Helper()
	var s struct {
		Linux struct{ Namespaces []specs.LinuxNamespace }
	}
	if err := json.Unmarshal([]byte(managedText(t, name+".json")), &s); err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(s.Linux.Namespaces, func(ns specs.LinuxNamespace) bool { return ns.Type == specs.CgroupNamespace })
}

// onV1 are errors that Docker's requests for a host with v1 get on v2, where it makes none.
const onV1 = `cgroup v2 has no swappiness|cgroup v2 cannot disable the OOM killer`

// mayFail: a limit can be raised by CAP_SYS_RESOURCE only, and nobody can give what he lacks.
func mayFail(t *testing.T, name string, err error) bool {
	text := err.Error()
	switch {
	case it.kind == "rt" && hasV2() && regexp.MustCompile(onV1).MatchString(text):
		return strings.HasPrefix(name, "docker-")
	case !lacksCap(t):
		return false
	case name == "podman-rlimits-too-high" && it.kind == "rt":
		return strings.Contains(text, "RLIMIT_NOFILE: operation not permitted (config.json: /process/rlimits/0)")
	case name == "podman-rlimits-too-high":
		return strings.Contains(text, "operation not permitted")
	}
	return it.kind == "runc" && strings.Contains(text, "unable to apply caps")
}

// compareManaged does the same with runc, where that is installed.
func compareManaged(t *testing.T, ours []string, live func(*testing.T, string) ([]string, error)) {
	t.Helper()
	runc, err := exec.LookPath("runc")
	if it.kind != "rt" || err != nil {
		return
	}
	theirs, err := live(t, runc)
	if err != nil {
		t.Fatalf("runc: %v", err)
	}
	if len(ours) < 60 || len(theirs) < 60 {
		t.Errorf("few facts: %q and %q", ours, theirs)
	}
	for _, d := range differences(ours, theirs) {
		if !excused(d) {
			t.Error(d)
		}
	}
}

// differences are lines NAME: OURS <> THEIRS.
func differences(ours, theirs []string) (list []string) {
	pairs := map[string][2]string{}
	for i, told := range [][]string{ours, theirs} {
		for _, line := range told {
			name, value, _ := strings.Cut(line, " = ")
			pair := pairs[name]
			pair[i] = value
			pairs[name] = pair
		}
	}
	for name, pair := range pairs {
		if pair[0] != pair[1] {
			list = append(list, name+": "+pair[0]+" <> "+pair[1])
		}
	}
	return list
}

// managedExceptions are the differences that are meant. Pattern is for a line of differences.
var managedExceptions = []struct{ pattern, why string }{
	{`^group : / <> /ID$`, "on a hybrid host the tree of v2 limits nothing, so it is left alone"},
	{`^mount /sys 1: / ro,\S+ sysfs rw <> / ro,\S+ sysfs ro$`, "the mount is read-only, not the file system: that is one for all of the network namespace"},
	{`^mount /sys/fs/cgroup 1: / ro,\S+ tmpfs .* <> / rw,`, "asked for ro, the directory of the hierarchies is read-only as well"},
	{`^mount \S+ 1: / ro,nosuid,nodev,noexec,relatime tmpfs rw,nr_inodes=1,mode=755\S* <> / ro,\S+ tmpfs ro`, "masks are one empty file system, which takes no memory"},
	{`^mount /(proc|sys)/\S+ 1: /null rw,relatime devtmpfs .* <> /null rw,nosuid\S* tmpfs `, "the host's null device masks files, the container's might be anything"},
	{`^root \S+ \+: -rw-r--r-- (\d+:\d+) 0 bytes <> -rwxr-xr-x (\d+:\d+) 0 bytes$`, "a mount point for a file is no program"},
	{`^propagation \S+ 1: +shared( master)? <> *(master)?$`, "rootfsPropagation shared, which runc did not carry out before 1.3.1"},
	{`^mount /sys/fs/cgroup 1: \S*/ID r[ow],\S+ cgroup2 rw <> / r[ow],\S+ cgroup2 rw`, "without a cgroup namespace the container sees its own group of v2, not the host's tree"},
	{`^setting cpu.weight: "(100" <> "39|59" <> "20)"$`, "shares of 1024 and 512: the curve of runc 1.3"},
	{`^limit Max open files: 1024 +4096 +files <> 4096 +4096 +files$`, "the Go runtime of runc 1.1.5's init raises its soft limit, sometimes after the limit was set"},
	{`^mount \S+ 1: (.*),idmapped( .*) <> `, "runc ignored the option idmap before 1.2"},
	{`^node /dev/mqueue: directory 1777 0:0 .* <> directory 1777 0:\d+ `, "the group of the one who mounts it is root, not what the caller's is mapped to"},
}

func excused(difference string) bool {
	for _, e := range managedExceptions {
		if regexp.MustCompile(e.pattern).MatchString(difference) {
			return true
		}
	}
	return false
}

// aboutGroups: another version of cgroups may make something else of it.
func aboutGroups(name string) bool {
	return regexp.MustCompile(`-limits|-oom|cgroup|systemd`).MatchString(name)
}
