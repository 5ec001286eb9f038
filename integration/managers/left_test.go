//go:build managers

package managers

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// census is what is there: processes of the tests' PID namespace, cgroups with the run's
// prefix, mounts of the tests' mount namespace, network interfaces and namespaces.
func census(t *testing.T) []string {
	t.Helper()
	var all []string
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range commands {
		pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
		line, err := os.ReadFile(file)
		if err == nil && len(line) > 0 && pid != os.Getpid() { // an empty one is a zombie, or gone
			all = append(all, "process "+strconv.Itoa(pid)+" "+strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " ")))
		}
	}
	for _, dir := range cgroupDirs(it.prefix) {
		if !slices.Contains(parents(), filepath.Base(dir)) { // sweep removes them
			all = append(all, "cgroup "+dir)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if point := strings.Fields(line)[4]; !strings.HasSuffix(point, "/netns/default") { // dockerd keeps it
			all = append(all, "mount "+point)
		}
	}
	return append(all, paths(t, "/sys/class/net/*", "/run/netns/*", "/var/run/docker/netns/*")...)
}

func paths(t *testing.T, patterns ...string) (found []string) {
	t.Helper()
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, names...)
	}
	return found
}

// parents are the names of the groups that containers' groups lie in.
func parents() []string {
	names := []string{it.prefix}
	for _, runtime := range runtimes {
		names = append(names, it.prefix+"-"+runtime)
	}
	return names
}

// anyID is what differs between two engines that leave the same. The names of directories stay.
var anyID = regexp.MustCompile(`rtmgr-\d+(-(runc|rt)-\d+)?|[0-9a-f]{12,}|\b\d+\b`)

// remains is what was not there before, made comparable. What is on its way out gets 5 s.
func remains(t *testing.T, before []string) []string {
	t.Helper()
	var left []string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if left = news(before, census(t)); len(left) == 0 {
			break
		}
	}
	for i, thing := range left {
		t.Log("left:", thing)
		left[i] = anyID.ReplaceAllString(thing, "~")
	}
	slices.Sort(left)
	return slices.Compact(left)
}
