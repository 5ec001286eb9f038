//go:build managers

package managers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// podmanRootless belongs to a user without privileges, who has subordinate ids.
func podmanRootless() manager {
	m := podman()
	m.name = "rootless"
	m.needs = append(m.needs, "newuidmap", "newgidmap", "setpriv", "slirp4netns")
	m.open = openRootless
	m.lacks = rootlessLacks()
	return m
}

func openRootless(t *testing.T, e *engine) {
	addUsers(t, e.dir)
	runtimeDir := fmt.Sprintf("/run/user/%d", manUser)
	for _, dir := range []string{runtimeDir, e.dir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(runtimeDir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, manUser, manUser); err != nil {
			t.Fatal(err)
		}
	}
	user := []string{"setpriv", fmt.Sprint("--reuid=", manUser), fmt.Sprint("--regid=", manUser), "--clear-groups"}
	e.env = []string{"PATH=" + path, "HOME=" + e.dir, "XDG_RUNTIME_DIR=" + runtimeDir}
	e.bin = reachable(t, e)
	e.cli = append(user, "podman", "--runtime", e.bin, "--root", e.dir+"/root", "--runroot", e.dir+"/runroot", "--tmpdir", e.dir+"/tmp",
		"--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--log-level", "warn", "--syslog")
	e.image = "localhost/busybox:latest"
	e.dialect = podmanDialect()
	e.owner = manUser
	t.Cleanup(func() { e.do("system", "migrate") }) // ends the process that holds the user's namespaces
	e.syslog(t)
	importImage(t, e)
}

// reachable is a copy of the runtime where the user can get at it.
func reachable(t *testing.T, e *engine) string {
	t.Helper()
	data, err := os.ReadFile(e.bin)
	if err != nil {
		t.Fatal(err)
	}
	return e.save(t, filepath.Base(e.bin), string(data), 0o755)
}

func rootlessLacks() []lack {
	const limits = "on cgroup v1 a user without root has no cgroups"
	lacks := []lack{
		{"update pids", "podman 4.3 has no flag for it"},
		{"propagation rshared", "without root podman's mounts do not reach the host"},
		{"uidmap", "without root the ids of one user are too few"},
		{"userns auto", "without root the ids of one user are too few"},
	}
	for _, r := range []string{"memory", "cpu", "cpus", "cpuset", "pids", "update memory", "update cpu", "OOM kill", "OOM report", "pause, unpause",
		"stats", "exec: limits apply", "pod pause", "stop time-out while paused", "device read-only", "other devices", "cgroupns private"} {
		lacks = append(lacks, lack{r, limits})
	}
	return slices.Clip(lacks)
}
