//go:build managers

package managers

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// podman is root's, with the runtime's errors as text, as of any runtime that podman has not heard of.
func podman() manager {
	return manager{
		name:  "podman",
		needs: []string{"podman", "conmon", "catatonit"},
		open:  openPodman,
		rows:  slices.Concat(dockerLike(), podmanOnly()),
		lacks: podmanLacks(),
	}
}

// podmanJSON has containers.conf say that the runtime writes its errors as JSON.
func podmanJSON() manager {
	m := podman()
	m.name = "podman, JSON"
	m.open = func(t *testing.T, e *engine) {
		e.env = append(e.env, "CONTAINERS_CONF="+e.save(t, "containers.conf", "[engine]\nruntime_supports_json=[\"rt\", \"runc\"]\n", 0o644))
		openPodman(t, e)
	}
	return m
}

func openPodman(t *testing.T, e *engine) {
	e.cli = []string{"podman", "--runtime", e.bin, "--root", e.dir + "/root", "--runroot", e.dir + "/runroot", "--tmpdir", e.dir + "/tmp",
		"--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--log-level", "warn", "--syslog"}
	e.image = "localhost/busybox:latest"
	e.dialect = podmanDialect()
	e.flags = append(e.flags, "--cgroup-parent", "/"+it.prefix)
	addUsers(t, e.dir)
	e.syslog(t)
	importImage(t, e)
}

func podmanDialect() dialect {
	return dialect{
		// The machine may lack CAP_SYS_RESOURCE, without which no hard limit can be raised.
		flags:  flags("--log-driver k8s-file --ulimit nofile=1024:4096 --ulimit nproc=1024:1024"),
		listen: true,
		health: flags("healthcheck run"),
	}
}

func podmanLacks() []lack {
	return []lack{
		{"OOM kill", "podman 4.3 does not look where conmon 2.1.6 puts its report"},
		{"update pids", "podman 4.3 has no flag for it"},
		{"userns keep-id", "podman has it for users without root"},
	}
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
