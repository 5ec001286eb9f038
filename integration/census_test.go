package integration

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A census is one sorted line for each thing that a test could leave behind.
type census []string

func takeCensus() census {
	it.procs.reap()
	var c census
	for _, p := range processes() {
		c = append(c, fmt.Sprintf("process %d born %s", p.pid, p.born))
	}
	c = append(c, prefixed("host-mount ", hostMounts(), it.prefix)...)
	c = append(c, prefixed("cgroup ", cgroupDirs(it.prefix), "")...)
	c = append(c, prefixed("fd ", openFDs(), "")...)
	if !it.shared {
		c = append(c, ownNamespaces()...)
	}
	sort.Strings(c)
	return c
}

// ownNamespaces is what nobody else changes in namespaces that are ours alone.
func ownNamespaces() []string {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	lines := prefixed("mount ", strings.Split(string(mounts), "\n"), "")
	links, _ := net.Interfaces()
	for _, l := range links {
		lines = append(lines, "link "+l.Name+" "+l.Flags.String())
	}
	host, _ := os.Hostname()
	return append(lines, "hostname "+host)
}

func prefixed(kind string, lines []string, only string) []string {
	var out []string
	for _, l := range lines {
		if l != "" && strings.Contains(l, only) {
			out = append(out, kind+l)
		}
	}
	return out
}

// hostMounts reads the table of the mount namespace outside: an open mountinfo stays with
// the namespace in which it was opened.
func hostMounts() []string {
	it.host.Seek(0, io.SeekStart)
	b, err := io.ReadAll(it.host)
	if err != nil {
		return []string{it.prefix + " " + err.Error()}
	}
	return strings.Split(string(b), "\n")
}

// cgroupDirs are the groups of all hierarchies with name in their path, deepest first.
func cgroupDirs(name string) []string {
	var dirs []string
	filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.Contains(path, name) {
			dirs = append(dirs, path)
		}
		return nil
	})
	sort.Slice(dirs, func(i, j int) bool { return len(dirs[i]) > len(dirs[j]) })
	return dirs
}

// openFDs leaves out the descriptor that lists the directory, which is closed when its link
// is read. The lock keeps the reaper, which looks through /proc, from having any.
func openFDs() []string {
	it.procs.rest.Lock()
	defer it.procs.rest.Unlock()
	entries, _ := os.ReadDir("/proc/self/fd")
	var fds []string
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			fds = append(fds, e.Name()+" "+target)
		}
	}
	return fds
}

// faults are the lines of only one of two censuses.
func faults(before, after census) []string {
	count := map[string]int{}
	for _, l := range before {
		count[l]--
	}
	for _, l := range after {
		count[l]++
	}
	var out []string
	for l, n := range count {
		switch {
		case n > 0:
			out = append(out, "+ "+l)
		case n < 0:
			out = append(out, "- "+l)
		}
	}
	sort.Strings(out)
	return out
}

// settled gives the faults since before. The second allows processes that were killed
// already to get to their end; nothing else may take time.
func settled(before census) []string {
	left := faults(before, takeCensus())
	for end := time.Now().Add(patient(time.Second)); len(left) > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
		left = faults(before, takeCensus())
	}
	return left
}

// watch checks at the end of t that everything is as it was.
func watch(t *testing.T) census {
	t.Helper()
	needRoot(t)
	return watchAs(t)
}

// watchAs is watch for any caller.
func watchAs(t *testing.T) census {
	t.Helper()
	before := takeCensus()
	t.Cleanup(func() {
		if !t.Skipped() {
			it.ran++
		}
		left := settled(before)
		if len(left) == 0 {
			return
		}
		t.Errorf("left behind:\n%s\n%s", strings.Join(left, "\n"), diagnosis())
		cleanUp(left)
	})
	return before
}

// changed says that a mount was there before, with other options.
func changed(id string, left []string) bool {
	return slices.ContainsFunc(left, func(l string) bool { return strings.HasPrefix(l, "- mount "+id+" ") })
}

// cleanUp removes what a test left, so that the next one is not hit.
func cleanUp(left []string) {
	for _, dir := range cgroupDirs(it.prefix) {
		os.WriteFile(filepath.Join(dir, "freezer.state"), []byte("THAWED"), 0)
		os.WriteFile(filepath.Join(dir, "cgroup.freeze"), []byte("0"), 0)
	}
	for _, l := range left {
		var pid int
		if n, _ := fmt.Sscanf(l, "+ process %d", &pid); n == 1 {
			killPid(pid)
		}
		if f := strings.Fields(l); len(f) > 6 && f[0] == "+" && f[1] == "mount" && !changed(f[2], left) {
			unix.Unmount(f[6], unix.MNT_DETACH)
		}
	}
	for end := time.Now().Add(patient(2 * time.Second)); len(cgroupDirs(it.prefix)) > 0 && time.Now().Before(end); {
		it.procs.reap()
		for _, dir := range cgroupDirs(it.prefix) {
			unix.Rmdir(dir)
		}
		time.Sleep(10 * time.Millisecond)
	}
	it.procs.reap()
}
