//go:build managers

package managers

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestStorm runs many containers through containerd 2 with rt, four at a time. None is lost:
// each one's output and exit code is seen. None is left: not in containerd, nor at the kernel,
// nor in rt's directory. RT_STORM is how many, 500 by default.
func TestStorm(t *testing.T) {
	count := 500
	if text, set := os.LookupEnv("RT_STORM"); set && text != "" {
		count = number(t, text)
	}
	e := &engine{runtime: "rt", bin: binary(t, "rt"), dir: scratch(t), env: []string{"PATH=" + path, "HOME=/root"}}
	openContainerd2(t, e) // its clean looks for processes, mounts, cgroups and states that are left
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for n := range numbers {
				stormed(t, e, n)
			}
		})
	}
	for n := range count {
		numbers <- n
	}
	close(numbers)
	workers.Wait()
	for _, list := range [][]string{{"container", "ls", "-q"}, {"task", "ls", "-q"}, {"snapshot", "ls"}} {
		for line := range strings.Lines(e.do(list...).must(t)) {
			if strings.Contains(line, it.prefix) {
				t.Errorf("%s: left: %s", strings.Join(list, " "), line)
			}
		}
	}
}

// stormed is one container of the storm; every eighth one has a seccomp filter and a limit,
// so that these paths meet each other as well.
func stormed(t *testing.T, e *engine, n int) {
	var flags []string
	if n%8 == 0 {
		flags = []string{"--seccomp", "--memory-limit", "67108864"}
	}
	code := n % 100
	d := once(t, e, flags, "sh", "-c", fmt.Sprintf("echo number %d; exit %d", n, code))
	if d.err != nil || d.code != code || d.stdout != "number "+strconv.Itoa(n)+"\n" {
		t.Errorf("container %d: exit %d (%v), stdout %q, stderr %s", n, d.code, d.err, d.stdout, d.stderr)
	}
}

// onceContainerd2 is the command line of one container of openContainerd2 that does nothing,
// for measurements. Its id must not be in use.
func onceContainerd2(e *engine, bin, id string) []string {
	return append(append([]string{}, e.cli...), "run", "--rm", "--runc-binary", bin, e.image, id, "true")
}
