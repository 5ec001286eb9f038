package integration

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// An initBinary is a small init that a manager binds, read-only, over a file that is missing.
type initBinary struct {
	name, source, at string
}

var initBinaries = []initBinary{
	{"podman", "/usr/bin/catatonit", "/run/podman-init"},
	{"podman before 4", "/usr/bin/catatonit", "/dev/init"},
	{"docker", "/usr/bin/docker-init", "/sbin/docker-init"},
}

func (b initBinary) edit(sh string) func(*specs.Spec) {
	return edits(args(b.at, "--", "sh", "-c", sh),
		addMount(specs.Mount{Destination: b.at, Type: "bind", Source: b.source, Options: []string{"bind", "ro", "rprivate"}}))
}

func TestInitBinaries(t *testing.T) {
	var scenes []scene
	for _, b := range initBinaries {
		scenes = append(scenes,
			scene{name: b.name + ": reaps", play: b.reaps},
			scene{name: b.name + ": forwards signals", play: b.forwards},
		)
	}
	runScenes(t, scenes)
}

func (b initBinary) container(t *testing.T, sh string) *container {
	t.Helper()
	if _, err := os.Stat(b.source); err != nil {
		skip(t, "needs "+b.source)
	}
	c := newContainer(t, b.edit(sh))
	if !strings.HasPrefix(b.at, "/dev/") {
		dir := b.at[:strings.LastIndex(b.at, "/")]
		c.made = []string{dir, b.at}
	}
	return c
}

// reaps: an orphan that has ended is gone, and the exit code is the workload's.
func (b initBinary) reaps(t *testing.T) {
	c := b.container(t, `cat /proc/1/comm; (sleep 0.01 &); (sleep 0.01 &); sleep 0.3; grep -c "^State:.Z" /proc/[0-9]*/status | grep -vc ":0$"; exit 42`)
	want(t, c.run(), 42, like(`^(podman-init|init|docker-init)\n0\n$`), match{})
}

func (b initBinary) forwards(t *testing.T) {
	c := b.container(t, `trap "echo told; exit 7" TERM; echo ready; while :; do sleep 0.02; done`)
	run := c.command("run", "--bundle", c.bundle, c.id)
	run.files = true
	r := run.start(t)
	r.until(t, "ready", func() bool { return strings.Contains(r.printed(), "ready") })
	c.kill("TERM").must(t)
	want(t, r.wait(t), 7, has("told"), match{})
}
