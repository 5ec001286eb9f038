package integration

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// caller says who has to run a row. The default config of a caller without root is what
// `spec --rootless` prints.
type caller int

const (
	byRoot caller = iota
	byAnyone
	byUser
)

func needCaller(t *testing.T, p peers) {
	t.Helper()
	root := os.Geteuid() == 0
	switch {
	case p.leftOut(): // needBinary says so
	case !root && p.who == byRoot:
		needRoot(t)
	case root && p.who == byUser:
		skip(t, "needs a caller without root")
	case !root:
		needUserNamespace(t)
	}
}

func needUserNamespace(t *testing.T) {
	t.Helper()
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}
	if err := it.procs.start(cmd); err != nil {
		skip(t, "needs user namespaces: "+err.Error())
	}
	it.procs.wait(cmd)
}

// leftOut says that this run is for marked rows, and this is none. Rows for a caller
// without root are few, and marked by that.
func (p peers) leftOut() bool {
	return os.Getenv("RT_ROWS") == "vm" && !p.vm && p.who != byUser
}

// patient is d on a machine that is RT_SLOW times slower than hardware.
func patient(d time.Duration) time.Duration {
	text := os.Getenv("RT_SLOW")
	if text == "" {
		return d
	}
	factor, err := strconv.Atoi(text)
	if err != nil || factor < 1 {
		panic("RT_SLOW=" + text)
	}
	return d * time.Duration(factor)
}

// skipped is a row that was not run.
type skipped struct{ name, why string }

// report prints what was run and what was skipped, and gives the exit code. Marked rows that
// nothing was heard of have failed.
func (w *world) report(code int) int {
	fmt.Printf("integration: %d rows run with %s, %d skipped\n%s", w.ran, w.kind, len(w.skipped), reasons(w.skipped))
	refused := slices.ContainsFunc(w.skipped, func(s skipped) bool { return strings.HasPrefix(s.why, w.kind+": ") })
	chosen := flag.Lookup("test.run").Value.String() != ""
	if code == 0 && w.ran == 0 && !refused && !chosen && os.Getenv("RT_ROWS") != "" {
		fmt.Println("integration: no row was run")
		return 1
	}
	return code
}

// reasons lists the skipped rows, or their number where many have the same reason.
func reasons(rows []skipped) string {
	const many = 15
	names := map[string][]string{}
	var order []string
	for _, r := range rows {
		if names[r.why] == nil {
			order = append(order, r.why)
		}
		names[r.why] = append(names[r.why], r.name)
	}
	slices.SortStableFunc(order, func(a, b string) int { return len(names[a]) - len(names[b]) })
	var s strings.Builder
	for _, why := range order {
		if n := len(names[why]); n > many {
			fmt.Fprintf(&s, "  %d rows: %s\n", n, why)
			continue
		}
		for _, name := range names[why] {
			fmt.Fprintf(&s, "  %s: %s\n", name, why)
		}
	}
	return s.String()
}
