package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// initSlack is how many more system calls rt's init may make than the floor's, in percent.
const initSlack = 15

// initMay lists the cheap system calls that a general init cannot do without, with reasons:
// they do not count. All others are the plan's work.
func initMay() map[string]string {
	return map[string]string{
		"arch_prctl":      "start of a separate program: the thread pointer",
		"set_tid_address": "start of a separate program",
		"dup3":            "the parent places the passed fds",
		"fcntl":           "the parent places the passed fds",
		"rt_sigprocmask":  "the signal mask is emptied",
		"rt_sigaction":    "dispositions are set to SIG_DFL",
		"mmap":            "the plan",
		"recvmsg":         "DONE",
		"sendmsg":         "CALL",
		"read":            "the plan, or the byte of start",
		"newfstatat":      "args[0] has to be a regular file",
		"faccessat2":      "args[0] has to be executable",
		"close":           "each fd is closed by the step that is done with it",
		"dup2":            "the parent places the socket",
		"execveat":        "the parent executes the init",
		"fchown":          "stdio becomes the user's",
		"fstatfs":         "no mount may land in a procfs by way of a link",
		"getcwd":          "cwd has to lie inside the root",
		"lseek":           "the plan's size",
		"statx":           "whether a masked path is a file, what stdio is, what args[0] is",
		"openat2":         "a missing mount point is looked for before it is made",
	}
}

// trace counts system calls by name: the container's init up to its execve of the workload,
// and all other processes together.
type trace struct {
	init, others map[string]int
}

// TestInitCallsLikeFloor holds rt's init to the floor's system calls. RT names another
// program than ./rt, and RT_REQUIRED=1 makes a missing one an error.
func TestInitCallsLikeFloor(t *testing.T) {
	w := traceWorld(t)
	floor := traceRun(t, w, w.contestants[len(w.contestants)-1])
	rt := traceRun(t, w, w.contestants[0])
	t.Logf("init: floor %d, rt %d; other processes: floor %d, rt %d",
		total(floor.init), total(rt.init), total(floor.others), total(rt.others))
	for _, row := range compareCalls(floor.init, rt.init) {
		t.Log(row)
	}
	for _, fault := range initFaults(floor.init, rt.init) {
		t.Error(fault)
	}
}

func traceWorld(t *testing.T) *world {
	t.Helper()
	if os.Getuid() != 0 {
		skipLoudly(t, "needs root")
	}
	if _, err := findProgram("strace"); err != nil {
		skipLoudly(t, err.Error())
	}
	t.Chdir("..")
	runtime.LockOSThread() // never unlocked: the thread, and its mount namespace, ends with the test
	if err := ownMounts(); err != nil {
		t.Fatal(err)
	}
	dir, path := t.TempDir(), os.Getenv("RT")
	if path == "" {
		path = "./rt"
	}
	w, err := newWorld(options{rt: path, dir: dir, stateDir: dir, only: []string{"rt", "floor"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.remove)
	if len(w.missing) > 0 {
		skipLoudly(t, "not compared: "+strings.Join(w.missing, "; "))
	}
	return w
}

func skipLoudly(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("RT_REQUIRED") == "1" {
		t.Fatal(why)
	}
	fmt.Fprintln(os.Stderr, "SKIPPED", t.Name()+":", why)
	t.Skip(why)
}

func traceRun(t *testing.T, w *world, c contestant) trace {
	t.Helper()
	b, err := w.newBundle("true", nil, "/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	prefix := filepath.Join(w.dir, "trace-"+c.name())
	argv := append([]string{"-f", "-ff", "-qq", "-o", prefix}, c.run(b, w.id(c, "strace", 0))...)
	cmd := exec.Command("strace", argv...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("strace of %s: %v: %s", c.name(), err, text)
	}
	files, err := filepath.Glob(prefix + ".*")
	if err != nil {
		t.Fatal(err)
	}
	return readTraces(t, files)
}

// readTraces takes the one process that called pivot_root for the container's init.
func readTraces(t *testing.T, files []string) trace {
	t.Helper()
	result := trace{others: map[string]int{}}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		calls := parseCalls(string(data))
		if !slices.ContainsFunc(calls, func(c call) bool { return c.name == "pivot_root" }) {
			addCounts(result.others, calls)
			continue
		}
		if result.init != nil {
			t.Fatal("two processes call pivot_root")
		}
		result.init = addCounts(map[string]int{}, beforeWorkload(calls))
	}
	if result.init == nil {
		t.Fatalf("no process calls pivot_root in %v", files)
	}
	return result
}

// call is one line of a trace.
type call struct {
	name string
	exec bool // an execve that succeeded
}

// parseCalls lists the system calls of a trace in order; lines about signals have no name.
func parseCalls(text string) []call {
	var calls []call
	for line := range strings.Lines(text) {
		name, rest, found := strings.Cut(line, "(")
		if found && !strings.ContainsAny(name, " +-") {
			calls = append(calls, call{name, name == "execve" && strings.HasSuffix(strings.TrimSpace(rest), "= 0")})
		}
	}
	return calls
}

// beforeWorkload cuts what follows the last execve that succeeded: the workload's own calls.
func beforeWorkload(calls []call) []call {
	for i, c := range slices.Backward(calls) {
		if c.exec {
			return calls[:i+1]
		}
	}
	return nil
}

func addCounts(counts map[string]int, calls []call) map[string]int {
	for _, c := range calls {
		counts[c.name]++
	}
	return counts
}

func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// work counts the calls that are not listed in may.
func work(counts map[string]int, may map[string]string) int {
	sum := 0
	for name, n := range counts {
		if may[name] == "" {
			sum += n
		}
	}
	return sum
}

// compareCalls gives a line for every call whose counts differ.
func compareCalls(floor, rt map[string]int) []string {
	both := maps.Clone(floor)
	maps.Copy(both, rt)
	var rows []string
	for _, name := range slices.Sorted(maps.Keys(both)) {
		if floor[name] != rt[name] {
			rows = append(rows, fmt.Sprintf("%-16s floor %3d  rt %3d", name, floor[name], rt[name]))
		}
	}
	return rows
}

func initFaults(floor, rt map[string]int) []string {
	var faults []string
	may := initMay()
	if most := work(floor, may) * (100 + initSlack) / 100; work(rt, may) > most {
		faults = append(faults, fmt.Sprintf("rt's init makes %d system calls, more than %d: the floor's %d and %d %%", work(rt, may), most, work(floor, may), initSlack))
	}
	for _, name := range slices.Sorted(maps.Keys(rt)) {
		if floor[name] == 0 && may[name] == "" {
			faults = append(faults, fmt.Sprintf("rt's init calls %s (%d times), the floor's does not", name, rt[name]))
		}
	}
	return faults
}

func TestInitFaults(t *testing.T) {
	floor := map[string]int{"mount": 90, "execve": 10}
	for _, row := range []struct {
		name   string
		rt     map[string]int
		faults int
	}{
		{"the same", map[string]int{"mount": 90, "execve": 10}, 0},
		{"15 more", map[string]int{"mount": 105, "execve": 10}, 0},
		{"16 more", map[string]int{"mount": 106, "execve": 10}, 1},
		{"an allowed kind", map[string]int{"mount": 90, "mmap": 1}, 0},
		{"another kind", map[string]int{"mount": 90, "chroot": 1}, 1},
		{"both", map[string]int{"mount": 120, "chroot": 1}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			if faults := initFaults(floor, row.rt); len(faults) != row.faults {
				t.Errorf("%d faults, want %d: %q", len(faults), row.faults, faults)
			}
		})
	}
}
