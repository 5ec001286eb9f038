package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestS06: what exec and create bring into a pid namespace shows nothing of the host to who
// is in there already (CVE-2016-9962). RT_EXECS is the number of execs, 150 without it.
func TestS06(t *testing.T) {
	plain := edits(user(1000, 1000), func(s *specs.Spec) { s.Process.Capabilities = &specs.LinuxCapabilities{} })
	for _, row := range []struct {
		name  string
		as    func(*specs.Spec) // who the attacker and the others are
		edit  func(*specs.Spec)
		count int
		act   func(e *enemy, as func(*specs.Spec)) func()
	}{
		{"exec as root", nil, nil, execCount(t), execTrue},
		{"exec as the same user", plain, nil, execCount(t), execTrue},
		{"create in a shared pid namespace", nil, without("pid"), 40, createBeside},
		{"create in a shared pid namespace, as the same user", plain, without("pid"), 40, createBeside},
	} {
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, peers{runc: rtOnly, crun: rtOnly}) // the attacker knows rt's init by its name
			watch(t)
			e := newEnemy(t, either(row.as, row.edit), "look", it.base, "/sys/fs/cgroup")
			act := row.act(e, row.as)
			for range row.count {
				act()
			}
			sees(t, e.stop(t))
		})
	}
	t.Run("exec in a created container, as root", func(t *testing.T) { lookAtCreated(t, nil) })
	t.Run("exec in a created container, as the same user", func(t *testing.T) { lookAtCreated(t, plain) })
}

// either does those edits that there are.
func either(list ...func(*specs.Spec)) func(*specs.Spec) {
	return func(s *specs.Spec) {
		for _, e := range list {
			if e != nil {
				e(s)
			}
		}
	}
}

// execTrue adds processes of the attacker's user to its container.
func execTrue(e *enemy, _ func(*specs.Spec)) func() {
	return func() { want(e.c.t, e.c.exec(nil, "true"), 0, is(""), is("")) }
}

// createBeside makes another container in the same pid namespace, the test's own.
func createBeside(e *enemy, as func(*specs.Spec)) func() {
	other := newContainer(e.c.t, without("pid"), as)
	return func() {
		other.create().must(e.c.t)
		other.delete("--force").must(e.c.t)
	}
}

func execCount(t *testing.T) int {
	text := os.Getenv("RT_EXECS")
	if text == "" {
		return 150
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("RT_EXECS=%s", text)
	}
	return n
}

// sees: the attacker has looked at inits of its own user with no more rights than it has, so
// that nothing but their not being dumpable was in the way, and got nothing.
func sees(t *testing.T, report string) {
	t.Helper()
	var seen, close int
	line := strings.Split(report, "\n")[1]
	fmt.Sscanf(line, "seen %d close %d", &seen, &close)
	t.Log(line)
	if close < 3 {
		t.Errorf("the attacker was too slow to prove anything:\n%s", report)
	}
	if strings.Contains(report, "found") {
		t.Errorf("the attacker got\n%s", report)
	}
}

// lookAtCreated: the init waits for start, as the same user, its rights dropped.
func lookAtCreated(t *testing.T, as func(*specs.Spec)) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	watch(t)
	c := newContainer(t, args("sleep", "300"), as)
	c.adopt(program(t, "attacker", "CGO_ENABLED=0"))
	c.create().must(t)
	e := &enemy{c: c}
	e.begin(t, c.command("exec", c.id, "/attacker", "look", it.base, "/sys/fs/cgroup"))
	c.rt("state", c.id).must(t)
	sees(t, e.stop(t))
	c.delete("--force").must(t)
}
