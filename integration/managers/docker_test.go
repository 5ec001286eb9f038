//go:build managers

package managers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func docker() manager {
	return manager{
		name:  "docker",
		needs: []string{program("dockerd"), program("docker"), program("containerd"), program("containerd-shim-runc-v2"), program("iptables")},
		open:  openDocker,
		rows:  slices.Concat(dockerLike(), dockerOnly(), dockerNetwork()),
		lacks: []lack{
			{"exec: missing command", "dockerd 20.10 gives 126 for every exec that cannot start"},
			{"attach", "docker 20.10 shows nothing when its input is a pipe"},
		},
	}
}

// remapped is a daemon whose containers all have a user namespace.
func remapped() manager {
	m := docker()
	m.name, m.lacks = "docker, userns-remap", nil
	m.rows = dockerRemapped()
	m.open = func(t *testing.T, e *engine) {
		write(t, "/etc/subuid", "daemon:100000:65536")
		write(t, "/etc/subgid", "daemon:200000:65536")
		e.dockerd(t, "--userns-remap", "daemon")
	}
	return m
}

func openDocker(t *testing.T, e *engine) { e.dockerd(t) }

// dockerd starts one, and by it a containerd. Its bridge and its rules for packets are taken
// away after it.
func (e *engine) dockerd(t *testing.T, flags ...string) {
	t.Helper()
	over(t, "/opt")
	clean(t, e.dir+"/exec/*runtime-*/moby/[0-9a-f]*")
	socket := "unix://" + e.dir + "/d.sock"
	e.env = append(e.env, "DOCKER_BUILDKIT=0", "DOCKER_CONFIG="+e.dir)
	e.cli = []string{program("docker"), "-H", socket}
	e.dialect = dialect{pids: "--pids-limit"}
	e.image = "localhost/busybox:latest"
	write(t, e.dir+"/daemon.json", fmt.Sprintf(`{"runtimes": {"tested": {"path": %q}}, "default-runtime": "tested"}`, e.bin))
	t.Cleanup(func() { withoutBridge(t, e) })
	d := e.start(t, slices.Concat([]string{program("dockerd"), "--config-file", e.dir + "/daemon.json", "--data-root", e.dir + "/data",
		"--exec-root", e.dir + "/exec", "--pidfile", e.dir + "/d.pid", "--host", socket, "--cgroup-parent", "/" + e.parent(),
		"--oom-score-adjust", "0"}, flags)) // lowering it takes CAP_SYS_RESOURCE
	d.answers(t, e, "version")
	importImage(t, e)
}

// withoutBridge empties the tests' network namespace of what the daemon keeps there.
func withoutBridge(t *testing.T, e *engine) {
	for _, words := range []string{
		"ip link del docker0", "iptables -P FORWARD ACCEPT",
		"iptables -F", "iptables -X", "iptables -t nat -F", "iptables -t nat -X",
	} {
		if d := command(e.env, nil, strings.Fields(words)...); d.err != nil || d.code != 0 {
			t.Errorf("%s: %v %s", words, d.err, d.stderr)
		}
	}
}
