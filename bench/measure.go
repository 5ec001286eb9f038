package main

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"time"
)

// subject is one contestant in one timed case.
type subject struct {
	name    string
	prepare func(n int) error                  // before a sample, not timed; may be nil
	sample  func(n int) (time.Duration, error) // n is different for each sample
	release func() error                       // after the case; may be nil
	note    string                             // why it is left out; then nothing is called
}

// samples are what one subject took.
type samples struct {
	subject
	times []time.Duration
	err   error
}

// measure takes rounds samples of each subject, in a new order every round; the first round
// warms up and is discarded. A subject that fails is out, with its error in the result.
func measure(w *world, subjects []subject, idle time.Duration) []result {
	all := make([]*samples, len(subjects))
	for i, s := range subjects {
		all[i] = &samples{subject: s}
	}
	for round := 0; round <= w.opts.rounds && !w.stopped(); round++ {
		runtime.GC() // here, so that it does not fall into a sample
		order := slices.Clone(all)
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, s := range order {
			s.take(round, idle)
		}
	}
	results := make([]result, len(all))
	for i, s := range all {
		results[i] = s.finish()
	}
	return results
}

func (s *samples) take(round int, idle time.Duration) {
	if s.err != nil || s.note != "" {
		return
	}
	if s.prepare != nil {
		s.err = s.prepare(round)
	}
	if s.err != nil {
		return
	}
	time.Sleep(idle)
	took, err := s.sample(round)
	s.err = err
	if round > 0 && err == nil {
		s.times = append(s.times, took)
	}
}

func (s *samples) finish() result {
	if s.release != nil {
		if err := s.release(); s.err == nil {
			s.err = err
		}
	}
	r := quartiles(s.name, "ms", milliseconds(s.times))
	if s.note != "" {
		r.Note = s.note
	}
	if s.err != nil {
		r.Error = s.err.Error()
	}
	return r
}

func milliseconds(times []time.Duration) []float64 {
	values := make([]float64, len(times))
	for i, t := range times {
		values[i] = float64(t) / float64(time.Millisecond)
	}
	return values
}
