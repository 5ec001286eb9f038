package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"time"
)

const (
	parallelRuns    = 100
	parallelWorkers = 8
	parallelRounds  = 3
)

// parallelResults: wall clock of 100 runs, 8 at a time.
func parallelResults(w *world) []result {
	b, err := w.newBundle("true", nil, "/bin/true")
	if err != nil {
		return []result{{Subject: "all", Error: err.Error()}}
	}
	runners, err := w.newRunners(parallelWorkers)
	if err != nil {
		return []result{{Subject: "all", Error: err.Error()}}
	}
	times := make([][]float64, len(w.contestants))
	errs := make([]error, len(w.contestants))
	for round := range parallelRounds {
		for _, i := range rand.Perm(len(w.contestants)) {
			if errs[i] != nil {
				continue
			}
			took, err := runParallel(w, runners, w.contestants[i], b, round)
			times[i], errs[i] = append(times[i], milliseconds([]time.Duration{took})...), err
		}
	}
	var results []result
	for i, c := range w.contestants {
		r := quartiles(c.name(), "ms", times[i])
		if errs[i] != nil {
			r.Error = errs[i].Error()
		}
		results = append(results, r)
	}
	return results
}

func (w *world) newRunners(n int) ([]*runner, error) {
	var runners []*runner
	for i := range n {
		r, err := newRunner(filepath.Join(w.dir, fmt.Sprintf("output-%d", i)))
		if err != nil {
			return nil, err
		}
		runners = append(runners, r)
	}
	return runners, nil
}

func runParallel(w *world, runners []*runner, c contestant, b bundle, round int) (time.Duration, error) {
	jobs := make(chan int, parallelRuns)
	for n := range parallelRuns {
		jobs <- round*parallelRuns + n
	}
	close(jobs)
	done := make(chan error, len(runners))
	start := time.Now()
	for _, r := range runners {
		go func() { done <- drain(w, r, c, b, jobs) }()
	}
	var err error
	for range runners {
		err = errors.Join(err, <-done)
	}
	return time.Since(start), err
}

func drain(w *world, r *runner, c contestant, b bundle, jobs <-chan int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for n := range jobs {
		if err := r.plain(c.run(b, w.id(c, "parallel", n))...); err != nil {
			return err
		}
	}
	return nil
}
