package integration

import (
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestComboNoPivot: --no-pivot with all that else is mounted, and with each root. Outside of
// the container only the flag differs.
func TestComboNoPivot(t *testing.T) {
	own := peers{runc: rtOnly, crun: rtOnly}
	runCombos(t, []comboScene{
		{name: "volumes, masks, a read-only path, hooks, exec and delete", peers: own, play: func(t *testing.T, by comboCaller) {
			var out [2]string
			for i, flags := range [][]string{nil, {"--no-pivot"}} {
				c := newContainer(t)
				inImage("mnt/masked", "secret\n")(c)
				inImage("mnt/fixed", "fixed\n")(c)
				by.takes(c)
				by.config(c, args("sleep", "300"), idleHooks, tmpfs("/tmp"), func(s *specs.Spec) {
					s.Linux.MaskedPaths = append(s.Linux.MaskedPaths, "/mnt/masked")
					s.Linux.ReadonlyPaths = append(s.Linux.ReadonlyPaths, "/mnt/fixed")
				})
				c.create(flags...).must(t)
				c.start().must(t)
				r := c.sh("cd /; pwd; ls -a / /..; cat /mnt/masked /mnt/fixed; echo x >/mnt/fixed; cut -d' ' -f5,6 /proc/self/mountinfo; for l in 1/root 1/cwd self/root; do readlink /proc/$l; done").must(t)
				out[i] = r.stdout
				if by.as.uid == 0 {
					c.rt("pause", c.id).must(t)
				}
				c.delete("--force").must(t)
			}
			if out[0] != out[1] || !strings.Contains(out[0], "fixed\n") || strings.Contains(out[0], "secret") {
				t.Errorf("pivot_root: %s\n--no-pivot: %s", out[0], out[1])
			}
		}},
		{name: "its own mounts taken away", peers: own, play: func(t *testing.T, by comboCaller) {
			c := by.container(t, everyCap, script("umount -l /proc; umount -l /sys; umount -l /dev/shm; ls -a /proc /sys /dev/shm; umount -l /proc 2>&1; ls -a /proc"))
			r := moved(t, c)
			if strings.Contains(r.stdout, "cmdline") || strings.Contains(r.stdout, "kernel") || strings.Contains(r.stdout, it.prefix) {
				t.Errorf("%v", r)
			}
		}},
		{name: "the root of another namespace of its own", peers: own, play: func(t *testing.T, by comboCaller) {
			c := by.container(t, args("/attacker", "peel", "/"))
			c.adopt(program(t, "attacker", "CGO_ENABLED=0"))
			by.takes(c)
			r := moved(t, c)
			if !strings.Contains(r.stdout, "unmount: invalid argument") && !strings.Contains(r.stdout, "operation not permitted") {
				t.Errorf("%v", r)
			}
		}},
	})
}

// everyCap are root's rights to mount and to change its root.
func everyCap(s *specs.Spec) {
	list := []string{"CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE"}
	s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: list, Effective: list, Permitted: list}
}
