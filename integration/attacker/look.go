package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// what a look through /proc has come to.
type loot struct {
	seen  int      // looks at an init
	close int      // of these, when only its not being dumpable was in the way
	found []string // what could be opened of an init, or leads to the host
	caps  string   // our own permitted set
	hosts []string // beginnings of paths that only the host has
}

// look tries to open everything that /proc shows of the other processes.
func look(hosts []string, ended *atomic.Bool) {
	l := loot{hosts: hosts}
	own, _ := os.ReadFile("/proc/self/status")
	l.caps = field(own, "CapPrm:")
	for !ended.Load() {
		dir, _ := os.Open("/proc")
		names, _ := dir.Readdirnames(-1)
		dir.Close()
		for _, name := range names {
			if name[0] >= '1' && name[0] <= '9' && name != fmt.Sprint(os.Getpid()) {
				l.process(name)
			}
		}
	}
	fmt.Println("seen", l.seen, "close", l.close)
	slices.Sort(l.found)
	for _, f := range slices.Compact(l.found) {
		fmt.Println("found", f)
	}
}

func field(status []byte, name string) string {
	_, rest, _ := bytes.Cut(status, []byte(name))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return strings.TrimSpace(string(line))
}

// process keeps the directory open: a pid that is given to another process does not matter.
func (l *loot) process(pid string) {
	dir, err := unix.Open("/proc/"+pid, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(dir)
	if status := readAt(dir, "status"); field(status, "Name:") == "rt-init" {
		l.seen++
		if field(status, "CapPrm:") == l.caps && strings.HasPrefix(field(status, "Uid:"), fmt.Sprint(os.Getuid(), "\t")) {
			l.close++
		}
	}
	l.files(dir)
	l.descriptors(dir)
}

func readAt(dir int, name string) []byte {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	b := make([]byte, 4096)
	n, _ := unix.Read(fd, b)
	return b[:max(n, 0)]
}

// files: a success counts while exe still is the init's; a moment later the process is the
// workload, and may be looked at.
func (l *loot) files(dir int) {
	for _, name := range []string{"exe", "root", "cwd", "environ", "mem", "maps"} {
		flags := unix.O_RDONLY
		if name == "root" || name == "cwd" {
			flags = unix.O_PATH
		}
		fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		unix.Close(fd)
		if strings.HasPrefix(linkAt(dir, "exe"), "/memfd:rt-") {
			l.note(name + " of an init")
		}
		l.judge(name, linkAt(dir, name))
	}
}

// descriptors are opened, not only read: a link may lead elsewhere than it says.
func (l *loot) descriptors(dir int) {
	fds, err := unix.Openat(dir, "fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fds), "fd")
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	for _, name := range names {
		target := linkAt(fds, name)
		l.judge("fd", target)
		fd, err := unix.Openat(fds, name, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
			l.note("fd of a directory " + target)
		}
		unix.Close(fd)
	}
}

// judge notes a link that leads to the host, out of the root, or to a file of the init.
func (l *loot) judge(name, target string) {
	bad := strings.HasPrefix(target, "/memfd:rt-") || strings.HasPrefix(target, "(unreachable)")
	for _, h := range l.hosts {
		bad = bad || strings.HasPrefix(target, h)
	}
	if bad {
		l.note(name + " " + target)
	}
}

func (l *loot) note(what string) {
	if len(l.found) < 1000 {
		l.found = append(l.found, what)
	}
}

func linkAt(dir int, name string) string {
	b := make([]byte, 4096)
	n, err := unix.Readlinkat(dir, name, b)
	if err != nil {
		return ""
	}
	return string(b[:n])
}
