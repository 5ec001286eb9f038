package integration

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCopyUpDeviceRace: another container exchanges a file with a device while it is copied. To
// open some devices has effects, so none is: the driver, which is missing, is never asked for.
func TestCopyUpDeviceRace(t *testing.T) {
	needBinary(t, peers{runc: differs("opens by path"), crun: differs("is not ours to judge")})
	needRoot(t)
	watch(t)
	r := newRace(t, func(r *race) {
		r.must(os.WriteFile(r.volume+"/file", []byte("mine"), 0o644))
		r.must(unix.Mknod(r.volume+"/device", unix.S_IFCHR|0o666, int(unix.Mkdev(10, 250))))
	}, "file:device")
	r.c.config(args("sleep", "300"), r.shared("/mnt"), copied("/mnt"))
	r.run(func(int) string {
		if end := r.made(func(int) string { return "copied" }, "has a device in it", "permission denied", "stale"); end == "copied" {
			return end
		}
		return "refused"
	}, "copied", "refused")
}
