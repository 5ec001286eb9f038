//go:build managers

package managers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// makeRootfs makes the files of the image that every row uses: busybox with all its applets,
// three users, and the usual directories.
func makeRootfs(dir string) error {
	for _, d := range []string{"bin", "proc", "dev", "sys", "tmp", "etc", "root", "home/joe", "mnt", "var/data", "run"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	box, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return fmt.Errorf("%w (make deps)", err)
	}
	files := []struct {
		name, text string
		mode       os.FileMode
	}{
		{"bin/busybox", string(box), 0o755},
		{"etc/passwd", "root:x:0:0:root:/root:/bin/sh\njoe:x:1000:1000:joe:/home/joe:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n", 0o644},
		{"etc/group", "root:x:0:\njoe:x:1000:\nextra:x:2000:joe\nnogroup:x:65534:\n", 0o644},
		{"var/data/seed", "of the image\n", 0o640},
		{"bin/noexec", "x", 0o644},
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	if out, err := exec.Command("chroot", dir, "/bin/busybox", "--install", "-s", "/bin").CombinedOutput(); err != nil {
		return fmt.Errorf("busybox --install: %w: %s", err, out)
	}
	if err := os.Chown(filepath.Join(dir, "home/joe"), 1000, 1000); err != nil {
		return err
	}
	return os.Chmod(filepath.Join(dir, "tmp"), 0o777|os.ModeSticky)
}
