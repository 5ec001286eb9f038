package libcontainer

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/errs"
	"rt/seccomp"
)

// filterSource is where the seccomp program comes from: the cache, or a compilation that
// runs while the init mounts.
type filterSource struct {
	profile *specs.LinuxSeccomp
	cache   seccomp.Cache
	key     string
	cached  seccomp.Filter
	result  chan compiled
	warn    func(string)
}

type compiled struct {
	filter   seccomp.Filter
	warnings []string
	err      error
}

// filterFor looks in the cache, which does not touch libseccomp.
func (r Root) filterFor(spec *specs.Spec) filterSource {
	f := filterSource{cache: seccomp.Cache{Dir: r.Dir + "/" + cacheDir}, warn: r.Warn}
	if spec.Linux == nil || spec.Linux.Seccomp == nil {
		return f
	}
	f.profile = spec.Linux.Seccomp
	f.key = seccomp.Key(f.profile)
	f.cached, _ = f.cache.Load(f.key)
	return f
}

// start compiles in the background, if there is something to compile.
func (f *filterSource) start() {
	if f.profile == nil || len(f.cached.Program) > 0 {
		return
	}
	f.result = make(chan compiled, 1)
	go func() {
		var c compiled
		c.filter, c.warnings, c.err = seccomp.Compile(f.profile)
		f.result <- c
	}()
}

// memfd waits for the compilation and hands its program over as a file. That it cannot be
// kept for the next time is no failure.
func (f *filterSource) memfd() (int, error) {
	c := <-f.result
	if c.err != nil {
		return -1, c.err
	}
	for _, w := range c.warnings {
		f.warn(w)
	}
	fd, err := memfd("rt-seccomp", c.filter.Program)
	if err != nil {
		return -1, errs.Op("make the memory file", "rt-seccomp", err)
	}
	if err := f.cache.Store(f.key, c.filter); err != nil {
		f.warn("the seccomp cache was not written: " + err.Error())
	}
	return fd, nil
}
