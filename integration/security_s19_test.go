package integration

import (
	"fmt"
	"os"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestS19: what masks files is the host's /dev/null, not what the container has there
// (CVE-2025-31133).
func TestS19(t *testing.T) {
	masks := `stat -c '%F %t:%T' /proc/keys /proc/timer_list; wc -c </proc/keys`
	masked := is("character special file 1:3\ncharacter special file 1:3\n0\n")
	image := func(make func(path string) error) func(*container) {
		return func(c *container) {
			if err := make(c.rootfs() + "/dev/null"); err != nil {
				t.Fatal(err)
			}
			c.before = listTree(c.rootfs())
		}
	}
	link := func(target string) func(*container) {
		return image(func(path string) error { return os.Symlink(target, path) })
	}
	// The image's own /dev: no tmpfs covers it.
	bare := edits(onlyMounts("/proc", "/sys"), func(s *specs.Spec) {
		s.Linux.MaskedPaths = []string{"/proc/keys", "/proc/timer_list"}
	})
	node := func(minor uint32) func(*container) {
		return image(func(path string) error {
			return unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor)))
		})
	}
	// The links lead to a file that the container has for itself: a runtime with the flaw is run
	// here, too, and would write to the host's.
	follows := peers{runc: differs("1.1.5 masks with whatever is there (CVE-2025-31133)")}
	runRows(t, []row{
		{name: "null of the image", prep: node(3), edit: bare, sh: masks, want: masked, made: bareDevices},
		{name: "a link to procfs", prep: link("/proc/sys/kernel/domainname"), edit: bare, peers: follows, sh: masks, code: 1, fails: has("null"), made: bareDevices},
		{name: "a relative one", prep: link("../proc/sys/kernel/domainname"), edit: bare, peers: follows, sh: masks, code: 1, fails: has("null"), made: bareDevices},
		{name: "another device", prep: node(5), edit: bare, peers: follows, sh: masks, code: 1, fails: has("null"), made: bareDevices},
		{name: "a file", prep: image(func(path string) error { return os.WriteFile(path, nil, 0o666) }), edit: bare, peers: follows, sh: masks, code: 1, fails: has("null"), made: bareDevices},
		{name: "covered by the container's own", prep: link("/proc/sys/kernel/domainname"), sh: masks, want: masked},
	})
	t.Run("race", raceNull)
}

// bareDevices are what is made where the image's /dev is used as it is.
const bareDevices = "/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/core /dev/ptmx"

// onlyMounts leaves out the other default mounts.
func onlyMounts(dsts ...string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		var keep []specs.Mount
		for _, m := range s.Mounts {
			for _, dst := range dsts {
				if m.Destination == dst {
					keep = append(keep, m)
				}
			}
		}
		s.Mounts = keep
	}
}

// raceNull: /dev is the volume, and its null turns into a link to a file of procfs and back. A
// container whose stdin would become something else than null is refused.
func raceNull(t *testing.T) {
	needBinary(t, peers{runc: differs("1.1.5 masks with whatever is there (CVE-2025-31133)")})
	needRoot(t)
	watch(t)
	r := newRace(t, func(r *race) {
		r.must(unix.Mknod(r.volume+"/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
		r.must(os.Symlink("/proc/sys/kernel/domainname", r.volume+"/link"))
	}, "null:link")
	r.c.config(args("sleep", "300"), onlyMounts("/proc", "/sys"), r.shared("/dev"))
	r.run(func(int) string {
		return r.made(func(pid int) string {
			var st unix.Stat_t
			r.must(unix.Stat(fmt.Sprintf("/proc/%d/root/proc/keys", pid), &st))
			if st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != unix.Mkdev(1, 3) {
				t.Errorf("/proc/keys is masked by mode %o, device %x", st.Mode, st.Rdev)
			}
			return "null"
		}, "/dev/null")
	}, "null", "refused")
}
