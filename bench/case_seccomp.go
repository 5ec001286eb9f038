package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// seccompFirst: a run whose profile has to be compiled.
func seccompFirst(w *world) ([]subject, error) {
	subjects, err := seccompSubjects(w, "seccomp1")
	for i, c := range w.contestants {
		if err == nil {
			subjects[i].prepare = func(int) error { return c.dropCache() }
		}
	}
	return subjects, err
}

// seccompCached: the warm-up round fills the cache.
func seccompCached(w *world) ([]subject, error) { return seccompSubjects(w, "seccomp2") }

func seccompSubjects(w *world, what string) ([]subject, error) {
	profile, err := readProfile(w.opts.profile)
	if err != nil {
		return nil, err
	}
	b, err := w.newBundle("seccomp", func(s *specs.Spec) { s.Linux.Seccomp = profile }, "/bin/true")
	if err != nil {
		return nil, err
	}
	var noFilter error
	b.filter, noFilter = w.rawFilter()
	var subjects []subject
	for _, c := range w.contestants {
		s := subject{name: c.name(), sample: w.sampleRun(c, b, what)}
		if c.name() == "floor" && noFilter != nil {
			s.note = noFilter.Error()
		}
		subjects = append(subjects, s)
	}
	return subjects, nil
}

func readProfile(path string) (*specs.LinuxSeccomp, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var profile specs.LinuxSeccomp
	if err := json.Unmarshal(data, &profile); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(profile.Syscalls) == 0 {
		return nil, fmt.Errorf("%s: no syscalls: it has to be a linux.seccomp object", path)
	}
	return &profile, nil
}

// rawFilter compiles the profile by bench/bpf, a program of its own so that this one does
// not carry libseccomp.
func (w *world) rawFilter() (string, error) {
	path := filepath.Join(w.dir, "filter")
	cmd := exec.Command("go", "run", "./bench/bpf", w.opts.profile, path)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("no raw filter: go run ./bench/bpf: %w: %s", err, text)
	}
	return path, nil
}
