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
// prefix, and mounts of the tests' mount namespace.
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
		if filepath.Base(dir) != it.prefix { // the parent of all: sweep removes it
			all = append(all, "cgroup "+dir)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		all = append(all, "mount "+strings.Fields(line)[4])
	}
	return all
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
