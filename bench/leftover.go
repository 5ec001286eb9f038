package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// leftoverResults is empty when nothing of the case's containers is left. What is left is
// reported, then removed, so that the next case starts clean.
func leftoverResults(w *world, name string) []result {
	left := append(leftState(w), leftMounts(w)...)
	groups, err := leftGroups(w.prefix)
	if err != nil {
		left = append(left, err.Error())
	}
	left = append(left, groups...)
	if len(left) == 0 {
		return nil
	}
	for _, c := range w.contestants {
		clearState(w, c)
	}
	w.removeGroups(w.prefix)
	text := fmt.Sprintf("left behind, %d in all: %s", len(left), strings.Join(left[:min(len(left), 12)], " "))
	return []result{{Case: name, Subject: "all", Error: text}}
}

// leftState lists containers in the state roots. A name that no id can have is not one.
func leftState(w *world) []string {
	var left []string
	for _, c := range w.contestants {
		root := filepath.Join(w.stateDir, c.name())
		entries, err := os.ReadDir(root)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			left = append(left, err.Error())
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), w.prefix) {
				left = append(left, filepath.Join(root, e.Name()))
			}
		}
	}
	return left
}

func clearState(w *world, c contestant) {
	o, ok := c.(*oci)
	if !ok {
		return
	}
	entries, _ := os.ReadDir(o.root)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), w.prefix) {
			w.runner.plain(o.command("delete", "-f", e.Name())...)
		}
	}
}

func leftMounts(w *world) []string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return []string{err.Error()}
	}
	if strings.Contains(string(mounts), w.dir) || strings.Contains(string(mounts), w.stateDir) {
		return []string{"a mount in " + w.dir}
	}
	return nil
}

// leftGroups lists groups whose name starts with prefix, in all hierarchies, where runtimes
// put them: at the top (crun, floor) or in the caller's own group (runc).
func leftGroups(prefix string) ([]string, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	dirs, err := filepath.Glob("/sys/fs/cgroup/*")
	if err != nil {
		return nil, err
	}
	for entry := range strings.Lines(string(own)) {
		fields := strings.SplitN(strings.TrimSpace(entry), ":", 3)
		dirs = append(dirs, filepath.Join("/sys/fs/cgroup", strings.TrimPrefix(fields[1], "name="), fields[2]))
	}
	slices.Sort(dirs)
	var left []string
	for _, dir := range slices.Compact(dirs) {
		if dir == unifiedDir { // here our own tmpfs
			continue
		}
		found, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
		if err != nil {
			return nil, err
		}
		left = append(left, found...)
	}
	return left, nil
}

// removeGroups removes the empty groups whose names start with prefix.
func (w *world) removeGroups(prefix string) {
	groups, _ := leftGroups(prefix)
	for _, group := range groups {
		os.Remove(group)
	}
}
