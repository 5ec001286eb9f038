//go:build managers

package managers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clean fails the engine's test if, after its daemons have ended, there is something that was
// not there before: processes, mounts, network interfaces and namespaces, cgroups, and what
// lies in the runtime's directory of states. Called before the daemons are started.
func clean(t *testing.T, states ...string) {
	t.Helper()
	before := things(t, states)
	t.Cleanup(func() {
		var left []string
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if left = news(before, things(t, states)); len(left) == 0 {
				return
			}
		}
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	})
}

func things(t *testing.T, states []string) []string {
	t.Helper()
	found := slices.Concat(runningHere(), mountPoints(t))
	for _, pattern := range append(states, "/sys/class/net/*", "/run/netns/*", "/var/run/docker/netns/*") {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, paths...)
	}
	for _, dir := range cgroupDirs(it.prefix) {
		if !slices.Contains(runtimes, strings.TrimPrefix(filepath.Base(dir), it.prefix+"-")) { // e.parent() stays
			found = append(found, dir)
		}
	}
	return found
}

// parent is the name of the group that the containers' groups lie in.
func (e *engine) parent() string { return it.prefix + "-" + e.runtime }

// runningHere are those of this PID namespace, but for its first one and for this one.
func runningHere() []string {
	var found []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		line, err := os.ReadFile(dir + "/cmdline")
		if err != nil || pid == 1 || pid == os.Getpid() {
			continue
		}
		comm, _ := os.ReadFile(dir + "/comm")
		found = append(found, fmt.Sprintf("process %d %s: %s", pid, strings.TrimSpace(string(comm)), strings.ReplaceAll(string(line), "\x00", " ")))
	}
	return found
}

// mountPoints are those of this mount namespace.
func mountPoints(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 4 && !strings.HasSuffix(fields[4], "/netns/default") { // dockerd keeps it
			found = append(found, "mount "+fields[4])
		}
	}
	return found
}
