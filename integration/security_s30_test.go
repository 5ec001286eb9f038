package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// sharedHost is run in a mount namespace of its own in which all mounts are shared, while
// something is mounted and unmounted all the time. It writes down the mounts before, with the
// container created, running, and after.
const sharedHost = `set -e
mount --make-rshared /
OWN
mkdir BUNDLE/raced BUNDLE/peer
mount --bind BUNDLE BUNDLE/peer
(while [ ! -e BUNDLE/stop ]; do mount -t tmpfs raced BUNDLE/raced; umount BUNDLE/raced; done) & racer=$!
table() { kill -STOP $racer; sleep 0.01; grep -v /raced /proc/self/mountinfo >BUNDLE/table.$1 || :; kill -CONT $racer; }
trap 'touch BUNDLE/stop' EXIT
table before
for i in 1 2; do
RT create --bundle BUNDLE ID; table created$i
RT start ID; RT exec ID true; table running$i
RT delete --force ID; table after$i
done
touch BUNDLE/stop; wait; umount BUNDLE/peer; rmdir BUNDLE/peer BUNDLE/raced
`

// TestS30: the host's mounts are the same before, meanwhile and after, whatever is shared and
// mounted meanwhile, with many mounts and each rootfsPropagation.
func TestS30(t *testing.T) {
	for _, propagation := range []string{"", "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"} {
		for _, own := range []string{"", "mount --bind BUNDLE BUNDLE", "mount --bind BUNDLE/rootfs BUNDLE/rootfs"} {
			t.Run("rootfs "+propagation+", "+own, func(t *testing.T) {
				needBinary(t, peers{runc: differs("1.1.5 cannot bind below an unbindable /, nor keep a rootfs shared")})
				watch(t)
				onSharedHost(t, propagation, own)
			})
		}
	}
}

func onSharedHost(t *testing.T, propagation, own string) {
	c := newContainer(t, args("sleep", "300"), manyMounts, func(s *specs.Spec) { s.Linux.RootfsPropagation = propagation })
	data(c)
	script := strings.NewReplacer("OWN", own).Replace(sharedHost)
	script = strings.NewReplacer("BUNDLE", c.bundle, "RT", it.bin+" --root "+c.root, "ID", c.id).Replace(script)
	r := command{args: []string{"unshare", "-m", "sh", "-c", script}, dir: it.base, files: true}.run(t)
	r.args = r.args[:3]
	if r.code != 0 {
		t.Error(r)
	}
	before := table(t, c, "before")
	for i := 1; i <= 2; i++ {
		for _, when := range []string{"created", "running", "after"} {
			if f := faults(before, table(t, c, fmt.Sprint(when, i))); len(f) > 0 {
				t.Fatalf("%s: %d mounts came or went:\n%s", when, len(f), strings.Join(f, "\n"))
			}
		}
	}
}

func table(t *testing.T, c *container, name string) []string {
	t.Helper()
	b, err := os.ReadFile(c.bundle + "/table." + name)
	must(t, err)
	list := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(list) < 5 || !strings.Contains(string(b), " shared:") {
		t.Fatalf("not a table of shared mounts:\n%s", b)
	}
	return list
}

// manyMounts are 60 below /mnt, some of them clones of shared ones of the host.
func manyMounts(s *specs.Spec) {
	tmpfs("/mnt")(s)
	for i := range 50 {
		tmpfs(fmt.Sprintf("/mnt/%d", i))(s)
	}
	for i := range 10 {
		bind(fmt.Sprintf("/mnt/%d/bind", i), "rbind", []string{"rprivate", "rslave", "ro"}[i%3])(s)
	}
}
