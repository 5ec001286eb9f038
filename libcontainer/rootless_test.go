package libcontainer

import (
	"os"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/config"
	"rt/internal/kernel"
)

// TestSticky looks at what a create leaves in the state directory.
func TestSticky(t *testing.T) {
	for _, sticky := range []bool{false, true} {
		r := Root{Dir: t.TempDir() + "/run/rt", Sticky: sticky}
		c := &creation{Root: r, o: CreateOptions{ID: "x"}, dir: r.dir("x"), doc: &config.Document{}, lock: lock{-1}, fifos: [2]int{-1, -1}}
		for _, step := range []func() error{c.claim, c.makeFifos, c.keep} {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"", "/..", "/../..", "/lock", "/start", "/started", "/config.json"} {
			st, err := os.Lstat(c.dir + name)
			if err != nil {
				t.Fatal(err)
			}
			mode := os.FileMode(0o600)
			if st.IsDir() {
				mode = 0o700
			}
			if st.Mode().Perm() != mode || (st.Mode()&os.ModeSticky != 0) != sticky {
				t.Errorf("%q is %v, sticky: %v", name, st.Mode(), sticky)
			}
		}
		c.close()
	}
}

func TestTolerates(t *testing.T) {
	rows := []struct {
		choice Rootless
		host   kernel.Host
		want   bool
	}{
		{RootlessAuto, kernel.Host{}, false},
		{RootlessAuto, kernel.Host{UID: 7}, true},
		{RootlessAuto, kernel.Host{UserNS: true}, true},
		{RootlessYes, kernel.Host{}, true},
		{RootlessNo, kernel.Host{UID: 7, UserNS: true}, false},
	}
	for _, r := range rows {
		if have := r.choice.tolerates(r.host); have != r.want {
			t.Errorf("%v %+v: %v", r.choice, r.host, have)
		}
		// A hierarchy that is not there: nobody can make a group in it.
		h := r.host
		h.Cgroups = kernel.Cgroups{Version: 2, Unified: kernel.Hierarchy{Mount: "/nosuch", Root: "/", Own: "/"}}
		Root{Rootless: r.choice}.deny(&h, &specs.Spec{}, "x")
		if h.Cgroups.Denied != r.want {
			t.Errorf("%v %+v: denied is %v", r.choice, r.host, h.Cgroups.Denied)
		}
	}
}
