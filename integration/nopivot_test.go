package integration

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// moved runs the container with --no-pivot. From outside nothing else may differ.
func moved(t *testing.T, c *container) result {
	t.Helper()
	return c.run("--no-pivot")
}

func rootPropagation(p string) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Linux.RootfsPropagation = p }
}

func TestNoPivot(t *testing.T) {
	noUnshare := peers{runc: differs("its tests are its own"), crun: differs("its tests are its own")}
	runScenes(t, []scene{
		{name: "as with pivot_root", play: func(t *testing.T) { samePivot(t) }},
		{name: "as with pivot_root: user namespace", play: func(t *testing.T) { samePivot(t, mapped) }},
		{name: "as with pivot_root: shared", play: func(t *testing.T) { samePivot(t, rootPropagation("shared")) }, peers: peers{runc: differs("binds the rootfs from a parent that is private by then")}},
		{name: "as with pivot_root: private", play: func(t *testing.T) { samePivot(t, rootPropagation("private")) }, peers: peers{runc: differs("refuses it: it would keep mounts of the host busy")}},
		{name: "no mounts of the host", play: func(t *testing.T) {
			c := newContainer(t, script("cut -d' ' -f5 /proc/self/mountinfo | grep -v -E '^/($|proc|sys|dev)'"))
			want(t, moved(t, c), 1, is(""), match{})
		}},
		{name: "exec, with and without a user namespace", play: func(t *testing.T) {
			for _, edit := range []func(*specs.Spec){nil, mapped} {
				c := newContainer(t, edit, args("sleep", "300"))
				c.create("--no-pivot").must(t)
				c.start().must(t)
				want(t, c.sh("ls /; pwd"), 0, has("bin\ndev\netc\n"), match{})
				c.delete("--force").must(t)
			}
		}},
		{name: "chroot out of it", play: chrootOut, peers: noUnshare},
		{name: "a new procfs in a user namespace of the container", play: newProc, peers: peers{runc: differs("1.1 leaves one of two procfs on /proc in a user namespace")}},
		{name: "where pivot_root cannot", play: wherePivotCannot, peers: inVM()},
	})
}

// samePivot: the container sees the same mounts, root and paths either way.
func samePivot(t *testing.T, edit ...func(*specs.Spec)) {
	t.Helper()
	look := script("ls -a / /..; cut -d' ' -f4-6 /proc/self/mountinfo | grep -v cgroup; readlink /proc/self/root; readlink /proc/self/cwd; pwd; echo x >/proc/sys/kernel/domainname; touch /x")
	var out [2]result
	for i, flags := range [][]string{nil, {"--no-pivot"}} {
		c := newContainer(t, append(edit, look)...)
		r := c.run(flags...)
		r.stdout = strings.ReplaceAll(r.stdout, c.bundle, "BUNDLE")
		out[i] = r
	}
	if out[0].code != 1 || out[0].stdout != out[1].stdout || out[0].code != out[1].code || len(out[0].stdout) < 300 {
		t.Errorf("pivot_root: %v\n--no-pivot: %v", out[0], out[1])
	}
	if !strings.Contains(out[1].stderr, "can't create /proc/sys/kernel/domainname: Read-only") {
		t.Errorf("%v", out[1])
	}
}

// chrootOut: who may chroot can leave a chroot; what lies above is the container's root again.
func chrootOut(t *testing.T) {
	rights := func(s *specs.Spec) {
		list := []string{"CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE"}
		s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: list, Effective: list, Permitted: list}
	}
	c := newContainer(t, rights, args("/attacker", "chroot", "/mnt"))
	c.adopt(program(t, "attacker", "CGO_ENABLED=0"))
	r := moved(t, c).must(t)
	if !strings.Contains(r.stdout, "attacker\n") || strings.Contains(r.stdout, "tmp/"+it.prefix) {
		t.Errorf("%v", r)
	}
}

// newProc: the kernel grants a new procfs to a user namespace only where one can be seen
// whole. The container's is masked; the host's must not be there any more.
func newProc(t *testing.T) {
	for _, edit := range []func(*specs.Spec){nil, mapped} {
		for _, flags := range [][]string{nil, {"--no-pivot"}} {
			c := newContainer(t, edit, user(1000, 1000), args("/attacker", "proc", "/mnt"))
			c.adopt(program(t, "attacker", "CGO_ENABLED=0"))
			want(t, c.run(flags...), 0, has("mount: operation not permitted"), match{})
		}
	}
}

// wherePivotCannot: in a chroot whose mount lies on a shared one pivot_root(2) gives EINVAL,
// as it does in an initial ramfs.
func wherePivotCannot(t *testing.T) {
	look := script("ls /; grep -c . /proc/self/mountinfo; echo alive")
	c := newContainer(t, look)
	c.do(os.Mkdir(c.bundle+"/chroot", 0o755))
	for _, r := range []struct {
		flag string
		code int
		out  match
		err  match
	}{{"--no-pivot=false", 1, is(""), has("invalid argument")}, {"--no-pivot", 0, like(`(?s)^bin\n.*alive\n$`), match{}}} {
		cmd := c.command("run", "--bundle", c.bundle, r.flag, c.id)
		enter := `mount --make-rprivate / && mount --make-shared / && mount --rbind / "$0" && mount --make-rprivate "$0" && mount --make-shared / && exec chroot "$0" "$@"`
		cmd.args = append([]string{"unshare", "-m", "sh", "-c", enter, c.bundle + "/chroot"}, cmd.args...)
		want(t, cmd.run(t), r.code, r.out, r.err)
	}
}
