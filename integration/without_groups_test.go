package integration

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// readOnlyGroups runs a command where nobody can make a cgroup: in a mount namespace of its
// own, whose cgroup mounts are read-only.
const readOnlyGroups = `for m in $(awk '/ - cgroup/ { print $5 }' /proc/self/mountinfo); do
	mount -o remount,bind,ro "$m" || exit 99
done
exec "$@"`

// denied is a command of the runtime that can make no cgroup.
func (c *container) denied(args ...string) result {
	c.t.Helper()
	cmd := c.command(args...)
	cmd.args = append([]string{"unshare", "--mount", "--propagation", "private", "sh", "-c", readOnlyGroups, "sh"}, cmd.args...)
	return cmd.run(c.t)
}

// TestWithoutGroups: --rootless says whether a container may do without a cgroup.
func TestWithoutGroups(t *testing.T) {
	const look = "grep -c rtit- /proc/self/cgroup; ls /sys/fs/cgroup | grep -c memory; touch /sys/fs/cgroup/x || echo ro; mkdir /sys/fs/cgroup/memory/x || echo ro"
	rows := []struct {
		name, flag string
		edit       func(*specs.Spec)
		code       int
		stdout     match
		stderr     match
	}{
		{"tolerated", "true", nil, 0, is("0\n1\nro\nro\n"), like("no cgroup: /sys/fs/cgroup/.* cannot be written by uid 0; limits and pause are not available")},
		{"not by root itself", "auto", nil, 1, is(""), like("mkdir /sys/fs/cgroup/.*: [Rr]ead-only file system")},
		{"not if refused", "false", nil, 1, is(""), like("mkdir /sys/fs/cgroup/.*: [Rr]ead-only file system")},
		{
			"a limit", "true", resources(specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr(int64(9))}}), 1, is(""),
			like(`there is no cgroup for it, .* mounted read-only.*/linux/resources/pids/limit`),
		},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			needRoot(t)
			needBinary(t, peers{runc: rtOnly, crun: rtOnly})
			watch(t)
			c := newContainer(t, script(look), r.edit)
			want(t, c.denied("--rootless="+r.flag, "run", "--bundle", c.bundle, c.id), r.code, r.stdout, r.stderr)
		})
	}
	runScenes(t, []scene{{"a life without groups", lifeWithoutGroups, peers{runc: rtOnly, crun: rtOnly}}})
}

func lifeWithoutGroups(t *testing.T) {
	needRoot(t)
	c := newContainer(t, args("sleep", "300"))
	c.denied("--rootless=true", "create", "--bundle", c.bundle, c.id).must(t)
	c.start().must(t)
	c.wantStatus("running")
	want(t, c.sh("echo in"), 0, is("in\n"), is(""))
	want(t, c.rt("pause", c.id), 1, is(""), has("no cgroup"))
	want(t, c.update("--pids-limit", "9"), 1, is(""), has("the container has no cgroup, and so no limits to change: "))
	for _, flag := range []string{"--stats", "--interval=1h"} {
		want(t, c.rt("events", flag, c.id), 1, is(""), has("no cgroup"))
	}
	c.wantStatus("running")
	c.kill("KILL").must(t)
	c.untilStatus("stopped")
	c.delete().must(t)
}
