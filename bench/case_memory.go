package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const (
	memoryFirst = 64 << 10 // bytes
	memoryStep  = 32 << 10
	memoryLast  = 32 << 20
	memoryTries = 3
)

// errTooSmall says that a container does not start with the limit it was given.
var errTooSmall = errors.New("the limit is too small")

func tooSmall(why error) error { return fmt.Errorf("%w: %w", errTooSmall, why) }

// memoryResults: the smallest limit with which 'sh -c :' succeeds 3 times of 3. A limit that
// was not in force would look like a small one, so the group's own numbers are checked.
func memoryResults(w *world) []result {
	var results []result
	for _, c := range w.contestants {
		results = append(results, smallestLimit(w, c))
	}
	return results
}

func smallestLimit(w *world, c contestant) result {
	r := result{Subject: c.name(), Unit: "KiB"}
	for limit := int64(memoryFirst); limit <= memoryLast && !w.stopped(); limit += memoryStep {
		b, err := w.memoryBundle(limit)
		if err == nil {
			err = w.tryLimit(c, b)
		}
		if errors.Is(err, errTooSmall) {
			r.Error = fmt.Sprintf("does not start with %d KiB: %v", limit>>10, err)
			continue
		}
		if err != nil {
			r.Error = err.Error()
			return r
		}
		kib := float64(limit >> 10)
		r.Error = ""
		r.N, r.P25, r.P50, r.P75 = memoryTries, kib, kib, kib
		return r
	}
	return r // of the last limit
}

func (w *world) memoryBundle(limit int64) (bundle, error) {
	b, err := w.newBundle("memory", func(s *specs.Spec) {
		s.Linux.Resources.Memory = &specs.LinuxMemory{Limit: &limit}
	}, "/bin/sh", "-c", ":")
	b.memory = limit
	return b, err
}

// tryLimit gives errTooSmall when not all of the starts succeed. It clears away what a failed
// one has left: here a runtime's own parts are killed, and their leavings are not measured.
func (w *world) tryLimit(c contestant, b bundle) error {
	for n := range memoryTries {
		id := w.id(c, "memory", n)
		if err := w.runner.plain(c.run(b, id)...); err != nil {
			w.clear(c, id)
			return tooSmall(err)
		}
	}
	return w.checkLimit(c, b, w.id(c, "peak", 0))
}

func (w *world) clear(c contestant, id string) {
	if o, ok := c.(*oci); ok {
		w.runner.plain(o.command("delete", "-f", id)...)
	}
	w.removeGroups(id)
}

// checkLimit runs the bundle once more and reads its group: the limit stands there, and some
// memory was charged. create and start may need more than run did: then errTooSmall.
func (w *world) checkLimit(c contestant, b bundle, id string) error {
	o, ok := c.(*oci)
	if !ok {
		if err := w.runner.plain(c.run(b, id)...); err != nil {
			return tooSmall(err)
		}
		peak, _ := strings.CutPrefix(strings.TrimSpace(string(w.runner.output())), "peak ")
		return checkPeak(peak)
	}
	h, err := o.hold(b, id, "created")
	if err != nil {
		w.clear(c, id)
		return tooSmall(err)
	}
	return errors.Join(w.runAndCheck(o, h.pid, id, b.memory), h.release())
}

func (w *world) runAndCheck(o *oci, pid int, id string, limit int64) error {
	group, err := memoryGroup(pid)
	if err != nil {
		return err
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	if err := w.runner.plain(o.command("start", id)...); err != nil {
		return tooSmall(err)
	}
	if err := waitExit(pidfd, deadline); err != nil {
		return err
	}
	inForce, err := os.ReadFile(filepath.Join(group, "memory.limit_in_bytes"))
	if err != nil {
		return err
	}
	if text := strings.TrimSpace(string(inForce)); text != strconv.FormatInt(limit, 10) {
		return fmt.Errorf("%s: limit is %s, not %d", group, text, limit)
	}
	peak, err := os.ReadFile(filepath.Join(group, "memory.max_usage_in_bytes"))
	if err != nil {
		return err
	}
	return checkPeak(strings.TrimSpace(string(peak)))
}

func memoryGroup(pid int) (string, error) {
	path := fmt.Sprintf("/proc/%d/cgroup", pid)
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(data)) {
		if _, group, found := strings.Cut(strings.TrimSpace(line), ":memory:"); found {
			return filepath.Join("/sys/fs/cgroup/memory", group), nil
		}
	}
	return "", fmt.Errorf("no memory group in %s", path)
}

// checkPeak asks for a charge only: runc writes the limit after its init has joined, so that
// the peak may lie above it.
func checkPeak(text string) error {
	peak, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("peak memory %q: %w", text, err)
	}
	if peak <= 0 {
		return errors.New("no memory was charged to the group: the limit was not in force")
	}
	return nil
}
