package cgroups

import (
	"os"
	"strconv"
	"testing"

	"rt/internal/kernel"
)

func TestBeside(t *testing.T) {
	host, err := kernel.ReadCgroups()
	if err != nil || host.Version != 2 || os.Getuid() != 0 {
		t.Skip("needs root and a host with cgroup v2 alone", err)
	}
	g := create(t, testPath(t, host), nil, host)
	init := sleeper(t, g).Process.Pid
	sub := nested(t, g, "sub")
	put(t, sub.Dirs[0].Path+"/cgroup.procs", strconv.Itoa(init))
	beside(t, g, init, g)
	put(t, g.Dirs[0].Path+"/cgroup.subtree_control", "+pids")
	beside(t, g, init, sub)
	beside(t, g, os.Getpid(), g) // not below the container's
	check(t, sub.Kill(enough))
	check(t, g.Destroy(enough))
	beside(t, g, init, g) // gone
}

func beside(t *testing.T, g Group, pid int, want Group) {
	t.Helper()
	got, err := g.Beside(pid)
	if err != nil || got.Dirs[0] != want.Dirs[0] {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
