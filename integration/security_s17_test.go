package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestS17: mount points, the cwd and the directories of devices are made, while the directory
// that they are made in is exchanged with a link to the host (CVE-2024-45310).
func TestS17(t *testing.T) {
	needBinary(t, peers{runc: differs("1.1.5 makes directories on the host (CVE-2024-45310)")})
	needRoot(t)
	watch(t)
	r := newRace(t, func(r *race) {
		r.must(os.Mkdir(r.volume+"/dst", 0o755))
		r.must(os.Symlink(r.outside+"/dir", r.volume+"/link"))
	}, "dst:link")
	source := r.c.write("source", "")
	kinds := []string{"cwd", "tmpfs", "file", "dev"}
	r.hit = func() bool {
		inside, decoy := r.made17(r.volume), r.made17(r.decoy())
		return !slices.ContainsFunc(kinds, func(k string) bool { return inside[k] < 3 || decoy[k] < 3 })
	}
	r.run(func(n int) string {
		at := func(kind string) string { return fmt.Sprintf("/mnt/dst/%s%d", kind, n) }
		r.c.config(args("sleep", "300"), r.shared("/mnt"), cwd(at("cwd")+"/deep"), tmpfs(at("tmpfs")+"/a/b"),
			addMount(specs.Mount{Destination: at("file"), Type: "bind", Source: source, Options: []string{"bind"}}),
			func(s *specs.Spec) {
				s.Linux.Devices = []specs.LinuxDevice{{Path: at("dev") + "/null", Type: "c", Major: 1, Minor: 3}}
			})
		// A link that turns into a directory between two looks at it is refused.
		return r.made(func(int) string { return "made" }, "invalid argument", "no such file or directory", "file exists")
	}, "made")
	inside := r.made17(r.volume)
	decoy := r.made17(r.decoy())
	t.Logf("in the volume: %v; in the container where the link leads: %v", inside, decoy)
	for _, kind := range kinds {
		if inside[kind] < 3 || decoy[kind] < 3 {
			t.Errorf("%s was made %d times in the volume and %d times by way of the link: the race does not hit", kind, inside[kind], decoy[kind])
		}
	}
	for _, f := range faults(r.c.before, listTree(r.c.rootfs())) {
		if path := strings.Fields(f)[1]; !strings.HasPrefix(path, r.outside+"/dir") {
			t.Errorf("rootfs changed: %s", f)
		}
	}
	r.c.before = listTree(r.c.rootfs())
}

// made17 counts what was made at the top of a directory's subdirectories, by kind.
func (r *race) made17(dir string) map[string]int {
	kinds := map[string]int{}
	paths, _ := filepath.Glob(dir + "/*/*")
	for _, p := range paths {
		kinds[strings.TrimRight(filepath.Base(p), "0123456789")]++
	}
	return kinds
}
