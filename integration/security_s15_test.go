package integration

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestS15: /proc and /sys are not mounted through a link of the image (CVE-2023-27561,
// CVE-2025-54867): what is written to /proc, and masked there, would be somewhere else.
func TestS15(t *testing.T) {
	targets := []struct{ name, target string }{
		{"absolute", "/mnt"}, {"relative", "mnt"}, {"up", "../../../mnt"}, {"nested", "/var/link"}, {"to a host directory", "OUTSIDE"},
		{"dangling", "/nosuch"}, {"to itself", "proc"}, {"the root", "/"}, {"the other", "/sys"}, {"with a dot", "./mnt/."},
	}
	for _, name := range []string{"proc", "sys"} {
		for _, l := range targets {
			t.Run(name+" "+l.name, func(t *testing.T) {
				refusedLink(t, []string{name + " " + l.target, "var/link ../mnt"}, onlyMounts("/proc", "/sys"))
			})
		}
	}
	for _, dst := range []string{"//proc", "/./proc", "/var/../proc", "proc"} {
		t.Run("written as "+dst, func(t *testing.T) {
			refusedLink(t, []string{"proc /mnt"}, func(s *specs.Spec) { s.Mounts[0].Destination = dst })
		})
	}
	t.Run("bind of the host's", func(t *testing.T) {
		refusedLink(t, []string{"proc /mnt"}, func(s *specs.Spec) {
			s.Mounts[0] = specs.Mount{Destination: "/proc", Type: "bind", Source: "/proc", Options: []string{"rbind"}}
		})
	})
}

// refusedLink: create names the mount point, run as well, and nothing has been made.
func refusedLink(t *testing.T, links []string, edit func(*specs.Spec)) {
	needBinary(t, peers{runc: differs("1.1.5 has another text for it")})
	watch(t)
	c := newContainer(t, args("sleep", "300"), edit)
	outside := c.bundle + "/outside"
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	c.links(links, func(s string) string { return strings.ReplaceAll(s, "OUTSIDE", outside) })
	name, _, _ := strings.Cut(links[0], " ")
	for _, r := range []result{c.create(), c.run()} {
		want(t, r, 1, is(""), like("mount on /"+name+": .*symbolic link"))
	}
	if !empty(outside) || !empty(c.rootfs()+"/mnt") {
		t.Error("something was made where the link leads")
	}
}
