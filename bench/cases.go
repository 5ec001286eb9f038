package main

import (
	"fmt"
	"os"
	"slices"
	"time"
)

// benchCase is a row of the table. A timed case gives its subjects, which measure shuffles;
// any other gives its results itself and has no idle variant.
type benchCase struct {
	name, about string
	subjects    func(*world) ([]subject, error)
	results     func(*world) []result
}

func allCases() []benchCase {
	return []benchCase{
		// First: after some thousand containers the kernel charges a new group with more, whoever
		// makes it (seen: rt 256 KiB instead of 128 to 160, crun 352 instead of 224 to 256).
		{"memory", "smallest memory limit that starts 'sh -c :'", nil, memoryResults},
		{"rss", "resident memory of a created container's init", nil, rssResults},
		{"run", "run of /bin/true", runSubjects, nil},
		{"userns", "run of /bin/true in a new user namespace", usernsSubjects, nil},
		{"cycle", "create + start + delete -f of a sleeping container", cycleSubjects, nil},
		{"exec", "exec of /bin/true in a running container", execSubjects, nil},
		{"seccomp-first", "run with a seccomp profile, the runtime's cache emptied", seccompFirst, nil},
		{"seccomp-cached", "the same run with the cache filled", seccompCached, nil},
		{"version", "--version, beside empty cgo programs", versionSubjects, nil},
		{"parallel", "100 runs, 8 at a time", nil, parallelResults},
	}
}

func caseNames() []string {
	var names []string
	for _, c := range allCases() {
		names = append(names, c.name)
	}
	return names
}

func among(list []string, name string) bool { return slices.Contains(list, name) }

// chosen is true for every name when nothing was chosen.
func chosen(list []string, name string) bool { return len(list) == 0 || among(list, name) }

func runCases(w *world) []result {
	var all []result
	for _, c := range allCases() {
		if c.results != nil && chosen(w.opts.cases, c.name) && !w.stopped() {
			progress(c.name)
			all = append(all, named(c.name, c.results(w))...)
			all = append(all, leftoverResults(w, c.name)...)
		}
	}
	for _, idle := range w.opts.idles {
		for _, c := range allCases() {
			if c.subjects != nil && chosen(w.opts.cases, c.name) {
				all = append(all, runTimed(w, c, idle)...)
			}
		}
	}
	return withRatios(all)
}

func runTimed(w *world, c benchCase, idle time.Duration) []result {
	if w.stopped() {
		return nil
	}
	progress(fmt.Sprintf("%s, idle %v", c.name, idle))
	subjects, err := c.subjects(w)
	if err != nil {
		return []result{{Case: c.name, IdleMS: idle.Milliseconds(), Subject: "all", Note: err.Error()}}
	}
	results := named(c.name, measure(w, subjects, idle))
	results = append(results, leftoverResults(w, c.name)...)
	for i := range results {
		results[i].IdleMS = idle.Milliseconds()
	}
	return results
}

func named(name string, results []result) []result {
	for i := range results {
		results[i].Case = name
	}
	return results
}

func progress(what string) { fmt.Fprintln(os.Stderr, "measuring", what) }
