package integration

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestS11: a mount's target is exchanged with a link to the host while it is mounted on
// (CVE-2021-30465). The mount goes to what was looked up, and that lies in the container.
func TestS11(t *testing.T) {
	needBinary(t, peers{runc: differs("makes too few containers in the time to count on")})
	needRoot(t)
	watch(t)
	r := newRace(t, func(r *race) {
		r.must(os.Mkdir(r.volume+"/dst", 0o755))
		r.must(os.Symlink(r.outside+"/dir", r.volume+"/link"))
		r.must(os.WriteFile(r.volume+"/file", nil, 0o644))
		r.must(os.Symlink(r.outside+"/kept", r.volume+"/filelink"))
	}, "dst:link", "file:filelink")
	r.c.config(args("sleep", "300"), r.shared("/mnt"),
		addMount(specs.Mount{Destination: "/mnt/dst", Type: "tmpfs", Source: "raced"}),
		addMount(specs.Mount{Destination: "/mnt/file", Type: "bind", Source: r.c.write("source", "raced\n"), Options: []string{"bind"}}))
	r.run(func(int) string {
		return r.made(func(pid int) string {
			for _, m := range mountsOf(t, os.Getpid()) {
				if m.source == "raced" || strings.HasSuffix(m.root, "/source") {
					t.Errorf("a mount on the host: %+v", m)
				}
			}
			r.landed(pid, func(m mountLine) bool { return strings.HasSuffix(m.root, "/source") }, "/mnt/file", "/kept")
			return r.landed(pid, func(m mountLine) bool { return m.source == "raced" }, "/mnt/dst", "/dir")
		})
	}, "directory", "link")
}

// landed says where the one mount that is asked for is: at the name on the volume or the one
// it is exchanged with, or where the link means inside.
func (r *race) landed(pid int, which func(mountLine) bool, at, link string) string {
	r.t.Helper()
	var found []mountLine
	for _, m := range mountsOf(r.t, pid) {
		if which(m) {
			found = append(found, m)
		}
	}
	switch {
	case len(found) != 1:
		r.t.Errorf("%d mounts for %s in the container, one was made: %+v", len(found), at, found)
		return "lost"
	case found[0].at == at || found[0].at == strings.TrimSuffix(at, "dst")+"link" || found[0].at == at+"link":
		return "directory"
	case found[0].at == r.outside+link:
		return "link"
	}
	r.t.Errorf("mounted on %s", found[0].at)
	return "elsewhere"
}
