//go:build managers

package managers

import (
	"fmt"
	"strings"
	"testing"
)

// ctrSecurity are rows about who a process is and what it may do.
func ctrSecurity() []row {
	return []row{
		{"user namespace", ctrUserNamespace},
		{"capabilities by default", func(t *testing.T, e *engine) {
			equal(t, "CapEff", status(t, once(t, e, nil, "cat", "/proc/self/status"), "CapEff"), "00000000a80425fb")
		}},
		{"--cap-drop", func(t *testing.T, e *engine) {
			d := once(t, e, []string{"--cap-drop", "CAP_CHOWN"}, "sh", "-c", "cat /proc/self/status; chown 1 /tmp")
			equal(t, "CapBnd", status(t, d, "CapBnd"), "00000000a80425fa")
			d.says(t, "Operation not permitted").exits(t, 1)
		}},
		{"--cap-add", func(t *testing.T, e *engine) {
			once(t, e, nil, "mount", "-t", "tmpfs", "x", "/mnt").says(t, "permission denied").exits(t, 1)
			once(t, e, []string{"--cap-add", "CAP_SYS_ADMIN"}, "mount", "-t", "tmpfs", "x", "/mnt").must(t)
		}},
		{"no_new_privs", func(t *testing.T, e *engine) {
			equal(t, "by default", status(t, once(t, e, nil, "cat", "/proc/self/status"), "NoNewPrivs"), "1")
			equal(t, "not wanted", status(t, once(t, e, []string{"--allow-new-privs"}, "cat", "/proc/self/status"), "NoNewPrivs"), "0")
		}},
		{"--seccomp", func(t *testing.T, e *engine) {
			equal(t, "without", status(t, once(t, e, nil, "cat", "/proc/self/status"), "Seccomp"), "0")
			once(t, e, nil, "unshare", "-U", "true").exits(t, 0)
			equal(t, "default profile", status(t, once(t, e, []string{"--seccomp"}, "cat", "/proc/self/status"), "Seccomp"), "2")
			once(t, e, []string{"--seccomp"}, "unshare", "-U", "true").says(t, "Operation not permitted").exits(t, 1)
		}},
		{"--seccomp-profile", func(t *testing.T, e *engine) {
			profile := e.save(t, "seccomp.json", `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
				{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 27}]}`, 0o644)
			once(t, e, []string{"--seccomp", "--seccomp-profile", profile}, "mkdir", "/tmp/d").says(t, "File too large").exits(t, 1)
		}},
		{"masked and read-only paths", func(t *testing.T, e *engine) {
			once(t, e, nil, "sh", "-c", "cat /proc/kcore | wc -c; ls /proc/acpi /sys/firmware 2>/dev/null | grep -v :; echo x > /proc/sys/kernel/hostname").
				says(t, "0\n").says(t, "Read-only file system").exits(t, 1)
		}},
		{"--read-only", func(t *testing.T, e *engine) {
			once(t, e, []string{"--read-only"}, "touch", "/file").says(t, "Read-only file system").exits(t, 1)
			once(t, e, nil, "touch", "/file").must(t)
		}},
		{"--privileged", func(t *testing.T, e *engine) {
			d := once(t, e, []string{"--privileged"}, "sh", "-c", "cat /proc/self/status; mount -t tmpfs x /mnt && touch /mnt/file && test -w /sys/kernel/profiling && echo well")
			equal(t, "CapEff", status(t, d, "CapEff"), status(t, did{stdout: textOf(t, "/proc/self/status")}, "CapEff"))
			d.says(t, "well\n").must(t)
		}},
		{"--device", ctrDevice},
		{"no other device", func(t *testing.T, e *engine) {
			once(t, e, nil, "sh", "-c", "ls /dev | tr '\\n' ' '; mknod /tmp/d b 7 0 && cat /tmp/d").says(t, "Operation not permitted").exits(t, 1)
		}},
	}
}

// status is a field of /proc/self/status in a command's output.
func status(t *testing.T, d did, name string) string {
	t.Helper()
	for line := range strings.Lines(d.stdout) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return strings.TrimSpace(value)
		}
	}
	t.Errorf("%s: no %s\n%s%s%v", d.command, name, d.stdout, d.stderr, d.err)
	return ""
}

func ctrUserNamespace(t *testing.T, e *engine) {
	c := up(t, e, []string{"--uidmap", "0:100000:65536", "--gidmap", "0:200000:65536"}, "sleep", "60")
	equal(t, "uid_map", strings.Join(strings.Fields(textOf(t, fmt.Sprintf("/proc/%d/uid_map", c.pid))), " "), "0 100000 65536")
	equal(t, "gid_map", strings.Join(strings.Fields(textOf(t, fmt.Sprintf("/proc/%d/gid_map", c.pid))), " "), "0 200000 65536")
	host := did{stdout: textOf(t, fmt.Sprintf("/proc/%d/status", c.pid))}
	equal(t, "Uid", status(t, host, "Uid"), "100000\t100000\t100000\t100000")
	equal(t, "Gid", status(t, host, "Gid"), "200000\t200000\t200000\t200000")
	equal(t, "inside", c.inside(t, e, "sh", "-c", "id -u; id -g; stat -c %u:%g /var/data/seed; touch /new && stat -c %u /new").must(t), "0\n0\n0:0\n0")
}

// ctrDevice gives a device that the image's list of allowed devices does not have.
func ctrDevice(t *testing.T, e *engine) {
	want := command(e.env, nil, "stat", "-c", "%t:%T", "/dev/loop-control").must(t)
	got := once(t, e, []string{"--device", "/dev/loop-control"}, "sh", "-c", "stat -c %t:%T /dev/loop-control; : < /dev/loop-control && echo opened").must(t)
	equal(t, "device", got, want+"\nopened")
}
