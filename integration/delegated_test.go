package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// These rows are for a caller without root; the default config is that of `spec --rootless`.

// needDelegated skips where the caller may not make cgroups beside its own.
func needDelegated(t *testing.T) {
	t.Helper()
	needV2(&container{t: t})
	dir := filepath.Join("/sys/fs/cgroup", relativeTo(t, ""))
	if err := unix.Access(dir, unix.W_OK); err != nil {
		skip(t, "needs a delegated cgroup")
	}
}

func TestCaller(t *testing.T) {
	list := []row{
		{name: "root inside", sh: "id -u; id -g", want: is("0\n0\n")},
		{name: "mapping", sh: "cat /proc/self/uid_map", want: like(fmt.Sprintf(`^ +0 +%d +1$`, os.Getuid()))},
		{name: "setgroups is denied", sh: "cat /proc/self/setgroups", want: is("deny\n")},
		{name: "user namespace", sh: other("user")},
		{name: "network is the caller's", sh: equal("net")},
		{name: "files are the caller's", edit: writable, made: "/made", sh: "touch /made && stat -c %u /made", want: is("0\n")},
		{name: "subordinate ids", edit: edits(ownRanges, user(5, 6)), prep: needSubordinate, sh: "cat /proc/self/uid_map && touch /dev/shm/x && stat -c %u:%g /dev/shm/x", want: like(`(?s)^ +0 +\d+ +1\n +1 +\d+ +65535\n5:6$`)},
		{name: "exit code", sh: "exit 7", code: 7},
		{name: "no such program", edit: args("/nosuch"), code: 1, fails: like(`(?i)no such file or directory`)},
	}
	for i := range list {
		list[i].who = byUser
	}
	runRows(t, list)
}

// ownRanges maps root to the caller, and the rest to ids that newuidmap(1) allows.
func ownRanges(s *specs.Spec) {
	rest := specs.LinuxIDMapping{ContainerID: 1, HostID: firstSubordinate(), Size: 65535}
	s.Linux.UIDMappings = append(s.Linux.UIDMappings, rest)
	s.Linux.GIDMappings = append(s.Linux.GIDMappings, rest)
}

func firstSubordinate() (first uint32) {
	b, _ := os.ReadFile("/etc/subuid")
	for _, line := range strings.Split(string(b), "\n") {
		if f := strings.Split(line, ":"); len(f) == 3 && f[0] == os.Getenv("USER") {
			fmt.Sscan(f[1], &first)
		}
	}
	return first
}

func needSubordinate(c *container) {
	if _, err := exec.LookPath("newuidmap"); err != nil || firstSubordinate() == 0 {
		skip(c.t, "needs newuidmap and ids in /etc/subuid")
	}
}

func TestCallerScenes(t *testing.T) {
	list := []scene{
		{name: "create, start, end, delete", play: wholeLife, peers: peers{crun: otherText}},
		{name: "exec", play: func(t *testing.T) {
			c := newRunning(t)
			want(t, c.sh("id -u; readlink /proc/self/ns/user"), 0, has("0\n"), is(""))
			want(t, c.sh(`test "$(readlink /proc/1/ns/user)" = "$(readlink /proc/self/ns/user)"`), 0, is(""), is(""))
			c.delete("--force").must(t)
		}},
		{name: "as spec --rootless writes it", play: asWritten},
		{name: "state below XDG_RUNTIME_DIR", play: inRuntimeDir},
		{name: "memory", play: rootlessLimit("memory.max", "67108864", memoryLimit(specs.LinuxMemory{Limit: ptr(64 * mib)}))},
		{name: "pids", play: rootlessLimit("pids.max", "20", pidsLimit(20))},
		{name: "pids, and hooks of each kind", play: rootlessLimit("pids.max", "20", edits(pidsLimit(20), idleHooks))},
		{name: "cpu", play: rootlessLimit("cpu.max", "20000 50000", cpuLimit(specs.LinuxCPU{Quota: ptr(int64(20000)), Period: ptr(uint64(50000))}))},
		{name: "pause and resume", play: delegated(pauseResume)},
		{name: "kill --all", play: delegated(execKilled)},
		{name: "update", play: delegated(updatesOwn), peers: peers{runc: rtOnly, crun: rtOnly}},
		{name: "exec joins the group", play: delegated(execJoins)},
		{name: "death for want of memory is counted", play: delegated(countsOOM)},
	}
	for i := range list {
		list[i].who = byUser
	}
	runScenes(t, list)
}

func delegated(play func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		needDelegated(t)
		play(t)
	}
}

func rootlessLimit(file, value string, edit func(*specs.Spec)) func(*testing.T) {
	return delegated(func(t *testing.T) {
		c := newCreated(t, edit)
		if got := c.groupFile(file); got != value {
			t.Errorf("%s is %q, want %q", file, got, value)
		}
		c.start().must(t)
		if got := c.groupFile("cgroup.procs"); got != fmt.Sprint(c.state().Pid) {
			t.Errorf("in the group: %q", got)
		}
		c.delete("--force").must(t)
	})
}

func updatesOwn(t *testing.T) {
	c := newRunning(t, pidsLimit(20))
	c.update("--memory", "64m", "--pids-limit", "30").must(t)
	c.wantLimits("memory.max=67108864 pids.max=30")
	want(t, c.updateFile(`{"pids": {"limit": 9}, "devices": [{"allow": false}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"}]}`), 0, is(""), has("device rules are not applied"))
	want(t, c.update("--pids-limit", "40", "--cpu-quota", "1000", "--cpuset-cpus", "4000"), 1, is(""), has("cpuset"))
	c.wantLimits("pids.max=9 cpu.max=max_100000")
	c.delete("--force").must(t)
}

func asWritten(t *testing.T) {
	c := newContainer(t)
	if err := os.Remove(filepath.Join(c.bundle, "config.json")); err != nil {
		t.Fatal(err)
	}
	c.rt("spec", "--rootless", "--bundle", c.bundle).must(t)
	var s specs.Spec
	if err := json.Unmarshal([]byte(c.read(filepath.Join(c.bundle, "config.json"))), &s); err != nil {
		t.Fatal(err)
	}
	s.Process.Terminal = false
	s.Process.Args = []string{"sh", "-c", "echo hi from $(id -u)"}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	c.write("config.json", string(b))
	want(t, c.run(), 0, is("hi from 0\n"), is(""))
}

func inRuntimeDir(t *testing.T) {
	runtime := os.Getenv("XDG_RUNTIME_DIR")
	if runtime == "" {
		skip(t, "needs XDG_RUNTIME_DIR")
	}
	c := newContainer(t, args("sleep", "300"))
	do := func(args ...string) result {
		return command{args: append([]string{it.bin}, args...), dir: it.base, files: true}.run(t)
	}
	do("create", "--bundle", c.bundle, c.id).must(t)
	dir := filepath.Join(runtime, it.kind, c.id)
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	do("delete", "--force", c.id).must(t)
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is left", dir)
	}
}
