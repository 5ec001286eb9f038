//go:build managers

package managers

import (
	"os/exec"
	"strings"
	"testing"
)

func podman() manager {
	return manager{
		name:  "podman",
		needs: []string{"podman", "conmon"},
		open:  openPodman,
		rows:  dockerLike(),
	}
}

func openPodman(t *testing.T, e *engine) {
	e.cli = []string{"podman", "--runtime", e.bin, "--root", e.dir + "/root", "--runroot", e.dir + "/runroot", "--tmpdir", e.dir + "/tmp",
		"--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", "--events-backend", "file"}
	e.image = "localhost/busybox:latest"
	importImage(t, e)
}

// importImage loads the rootfs as an image by a tar stream, as `podman import -` reads it.
func importImage(t *testing.T, e *engine) {
	t.Helper()
	tar := exec.Command("tar", "-C", it.rootfs, "-c", ".")
	stream, err := tar.Output()
	if err != nil {
		t.Fatal("tar:", err)
	}
	e.with(strings.NewReader(string(stream)), "import", "-", e.image).must(t)
}
