//go:build managers

package managers

import (
	"strings"
	"testing"
	"time"
)

// clean fails the engine's test if, after its daemons have ended, there is something that was
// not there before, also in the runtime's directory of states. Called before the daemons are
// started.
func clean(t *testing.T, states ...string) {
	t.Helper()
	things := func() []string { return append(census(t), paths(t, states...)...) }
	before := things()
	t.Cleanup(func() {
		var left []string
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if left = news(before, things()); len(left) == 0 {
				return
			}
		}
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	})
}

// parent is the name of the group that the containers' groups lie in.
func (e *engine) parent() string { return it.prefix + "-" + e.runtime }
