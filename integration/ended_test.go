package integration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestEnded: TERM or INT at points all over `create` leaves nothing, exits with 1, and tells the
// manager so in one JSON object; before rt has got to heed signals, it just dies of it.
func TestEnded(t *testing.T) {
	needStrace(t, peers{runc: differs("keeps the state directory when TERM comes early")})
	for _, shape := range shapes() {
		told, points := 0, spread(t, shape.edit)
		for i, p := range points {
			signal := []string{"SIGTERM", "SIGINT"}[i%2]
			t.Run(fmt.Sprintf("%s/%s %s %d", shape.name, signal, p.call, p.n), func(t *testing.T) {
				before := watch(t)
				c := newContainer(t, args("sleep", "300"), shape.edit)
				if c.endedBy(p, signal) {
					told++
				}
				want(t, c.rt("state", c.id), 1, is(""), has(gone))
				want(t, c.delete("--force"), 0, is(""), is(""))
				if left := settled(before); len(left) > 0 {
					t.Errorf("left: %v", left)
				}
			})
		}
		if told < len(points)/3 {
			t.Errorf("%s: %d of %d creates told of a signal", shape.name, told, len(points))
		}
	}
}

// endedBy sends the signal at a point of create, and says whether it was told of. A create that
// got to its end before is deleted.
func (c *container) endedBy(p point, signal string) bool {
	c.t.Helper()
	cmd, log := inject(c, p, signal), c.bundle+"/log.json"
	at := slices.Index(cmd.args, it.bin) + 1
	cmd.args = slices.Insert(cmd.args, at, "--log", log, "--log-format", "json")
	r := cmd.run(c.t)
	number := map[string]int{"SIGTERM": 15, "SIGINT": 2}[signal]
	switch {
	case r.code == 0:
		c.delete("--force").must(c.t)
	case r.code == 128+number:
		if _, err := os.Stat(c.root + "/" + c.id); err == nil {
			c.t.Errorf("%v\ndied with a state directory", r)
		}
	case r.code == 1:
		text := "ended by " + signal
		if died := fmt.Sprintf("container init: died: exit status %d", 128+number); strings.Contains(r.stderr, died) {
			text = died // the n-th call of a name may be the init's, and the signal with it
		}
		checkLog(c.t, log, text)
		if !strings.Contains(r.stderr, text) || strings.Count(r.stderr, "\n") != 1 {
			c.t.Errorf("%v", r)
		}
		return true
	default:
		c.t.Errorf("%v", r)
	}
	return false
}
