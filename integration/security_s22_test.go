package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestS22: what readonlyPaths and maskedPaths name is exchanged meanwhile
// (GHSA-3q8j-pf29-vwv8). A read-only mount lies on what it is a clone of, and each
// mask on one of the two.
func TestS22(t *testing.T) {
	needBinary(t, peers{runc: differs("1.1 gives up when the path is exchanged in between")})
	needRoot(t)
	watch(t)
	r := newRace(t, func(r *race) {
		for _, dir := range []string{"ro1/first", "ro2", "hide1", "hide2"} {
			r.must(os.MkdirAll(r.volume+"/"+dir, 0o755))
		}
		r.must(os.WriteFile(r.volume+"/mask1", []byte("secret"), 0o644))
		r.must(os.WriteFile(r.volume+"/mask2", []byte("secret"), 0o644))
	}, "ro1:ro2", "mask1:mask2", "hide1:hide2")
	r.c.config(args("sleep", "300"), r.shared("/mnt"), func(s *specs.Spec) {
		s.Linux.ReadonlyPaths = []string{"/mnt/ro1"}
		s.Linux.MaskedPaths = []string{"/mnt/mask1", "/mnt/hide1"}
	})
	r.run(func(int) string {
		return r.made(func(pid int) (state string) {
			r.still(func() { state = r.locked(pid) })
			return state
		})
	}, "first", "second")
}

// locked checks the mounts below /mnt and tells which of the two directories is read-only.
func (r *race) locked(pid int) string {
	count := map[string]int{}
	state := "second"
	for _, m := range mountsOf(r.t, pid) {
		name, below := strings.CutPrefix(m.at, "/mnt/")
		if !below {
			continue
		}
		kind := strings.TrimRight(name, "12")
		count[kind]++
		ok := strings.HasPrefix(m.options, "ro,")
		switch kind {
		case "ro":
			ok = ok && filepath.Base(m.root) == name
			if !empty(r.volume + "/" + name) {
				state = "first"
			}
		case "mask":
			ok = m.root == "/null"
		case "hide":
			ok = ok && m.fs == "tmpfs"
		}
		if !ok {
			r.t.Errorf("%+v", m)
		}
	}
	if len(count) != 3 || count["ro"] != 1 || count["mask"] != 1 || count["hide"] != 1 {
		r.t.Errorf("mounts below /mnt: %v", count)
	}
	return state
}

// empty tells the second directory from the first.
func empty(dir string) bool {
	entries, _ := os.ReadDir(dir)
	return len(entries) == 0
}
