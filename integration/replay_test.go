package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A recorded call is a command line as a manager gives it. In line ID, BUNDLE, ROOT and the
// like are replaced.
type recorded struct {
	line string
	env  []string
	in   string // stdin
	code int
	text string // part of stderr, and of the log if there is one
	out  match
	then func(*replay) // what has to hold afterwards
	peers
}

// replay is one container that goes through a manager's calls.
type replay struct {
	*container
	shim  *shim
	state []string // --root and the like, for the test's own calls
	quiet []string // environment of the test's own calls
	one   bool     // the manager takes exactly one record in the log, whoever writes it
	last  result
	inits []int // pids seen, which the shim has to have
}

// newReplay is for a caller who chooses the state directory; by nil, the runtime does.
func newReplay(t *testing.T, p plain, edits ...func(*specs.Spec)) *replay {
	t.Helper()
	r := &replay{shim: newShim(t, p), quiet: []string{"XDG_RUNTIME_DIR="}}
	if p.uid == 0 {
		r.container = newContainer(t, append([]func(*specs.Spec){longLived}, edits...)...)
	} else {
		r.container = newContainer(t, append([]func(*specs.Spec){rootlessMounts, longLived}, edits...)...)
	}
	if err := os.Mkdir(filepath.Join(r.bundle, "bad"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := r.spec()
	s.Process.Args, s.Root.Path = []string{"nosuch"}, r.rootfs()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	r.write("bad/config.json", string(b))
	r.write("process.json", execProcess)
	r.write("resources.json", newLimits)
	if p.uid != 0 {
		r.belongsTo(p)
	}
	t.Cleanup(func() {
		if t.Failed() {
			r.own("delete", "--force", r.id)
		}
	})
	return r
}

// longLived ends on TERM.
func longLived(s *specs.Spec) {
	s.Process.Args = []string{"sh", "-c", `trap 'exit 5' TERM; while :; do sleep 0.02; done`}
}

const execProcess = `{"args":["sleep","300"],"cwd":"/","env":["PATH=/bin"],"user":{"uid":0,"gid":0},"capabilities":{},"noNewPrivileges":true}`

// newLimits has the zeros of docker, which mean unset.
const newLimits = `{"memory":{"limit":67108864,"reservation":0,"kernel":0},"cpu":{"shares":0},"blockIO":{"weight":0},"devices":[{"allow":false,"access":"rwm"}]}`

// withNewLimits: the memory limit is the new one.
func withNewLimits(r *replay) {
	r.t.Helper()
	file := "memory.limit_in_bytes"
	if hasV2() {
		file = "memory.max"
	}
	_, dir := groupPath(r.t, r.stateNow().Pid, "memory")
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil || string(b) != "67108864\n" {
		r.t.Errorf("limit: %q, %v", b, err)
	}
}

// play carries the calls out in their order, each as a row of its own.
func (r *replay) play(t *testing.T, calls []recorded) {
	for _, call := range calls {
		if !t.Run(strings.ReplaceAll(call.line, " ", "_"), func(t *testing.T) {
			call.vm = true // as the scene
			needBinary(t, call.peers)
			it.ran++
			r.t, r.shim.t = t, t
			r.make(call)
		}) {
			break
		}
	}
	r.t, r.shim.t = t, t
}

func (r *replay) make(call recorded) {
	r.t.Helper()
	log := filepath.Join(r.bundle, "log.json")
	os.Remove(log)
	r.last = r.shim.run(order{Env: call.env, In: call.in, Args: append([]string{r.program()}, r.words(call.line)...)})
	want(r.t, r.last, call.code, call.out, has(call.text))
	if strings.Contains(call.line, "--log ") {
		r.checkRecords(log, call)
	}
	if call.then != nil {
		call.then(r)
	}
}

func (r *replay) program() string {
	if r.caller.uid != 0 {
		return r.caller.bin
	}
	return it.bin
}

func (r *replay) words(line string) []string {
	fill := strings.NewReplacer("ID", r.id, "BUNDLE", r.bundle, "ROOT", r.bundle+"/state", "LOG", r.bundle+"/log.json")
	var out []string
	for _, w := range strings.Fields(line) {
		out = append(out, fill.Replace(w))
	}
	return out
}

// checkRecords: every line is an object with an RFC 3339 time. The last record of an error
// is what containerd takes; podman wants no other line beside it.
func (r *replay) checkRecords(path string, call recorded) {
	r.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && (call.code != 0 || !os.IsNotExist(err)) {
		r.t.Fatal(err)
	}
	var last string
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for _, line := range lines {
		var entry struct{ Level, Msg, Time string }
		if line == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			r.t.Fatalf("%v: %s", err, b)
		}
		if _, err := time.Parse(time.RFC3339, entry.Time); err != nil {
			r.t.Error(err)
		}
		if entry.Level == "error" {
			last = entry.Msg
		}
	}
	if call.code == 0 && last != "" || call.code != 0 && !strings.Contains(last, call.text) {
		r.t.Errorf("%v\nlog: %s", r.last, b)
	}
	if r.one && it.kind == "rt" && call.code != 0 && len(lines) != 1 {
		r.t.Errorf("%d records: %s", len(lines), b)
	}
}

// own is a call of the test's, in the manager's place.
func (r *replay) own(args ...string) result {
	r.t.Helper()
	return r.shim.run(order{Env: r.quiet, Args: append(append([]string{r.program()}, r.state...), args...)})
}

func (r *replay) stateNow() (s state) {
	r.t.Helper()
	got := r.own("state", r.id).must(r.t)
	if err := json.Unmarshal([]byte(got.stdout), &s); err != nil {
		r.t.Fatalf("%v\n%v", got, err)
	}
	return s
}

// waitFor: the end of a workload takes a moment.
func (r *replay) waitFor(status string) {
	r.t.Helper()
	until(r.t, "status "+status, func() bool { return r.stateNow().Status == status })
}

func nowIs(status string) func(*replay) {
	return func(r *replay) {
		r.t.Helper()
		r.waitFor(status)
	}
}

// madeInit is what holds when create has returned: the pid file, the parent, no stray fd.
func madeInit(name string) func(*replay) {
	return func(r *replay) {
		r.t.Helper()
		pid := r.checkPidFile(name)
		s := r.stateNow()
		if s.Status != "created" || s.Pid != pid {
			r.t.Errorf("%+v, pid file: %d", s, pid)
		}
		r.checkPlace(pid)
	}
}

// madeProcess is the same for a detached exec.
func madeProcess(name string) func(*replay) {
	return func(r *replay) {
		r.t.Helper()
		r.checkPlace(r.checkPidFile(name))
	}
}

func (r *replay) checkPidFile(name string) int {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.bundle, name))
	if err != nil || !regexp.MustCompile(`^[1-9][0-9]*$`).Match(b) {
		r.t.Fatalf("pid file: %q, %v", b, err)
	}
	return pidFile(r.t, filepath.Join(r.bundle, name))
}

// checkPlace: the shim is the parent now, and the socket that it was careless with is not
// open in the container.
func (r *replay) checkPlace(pid int) {
	r.t.Helper()
	p, ok := readProcess(pid)
	if !ok || p.parent != r.shim.pid() {
		r.t.Errorf("%+v is not a child of the shim %d", p, r.shim.pid())
	}
	r.checkFDs(pid)
	r.inits = append(r.inits, pid)
}

func (r *replay) checkFDs(pid int) {
	r.t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 3 {
		r.t.Fatalf("%d fds, %v", len(entries), err)
	}
	for _, e := range entries {
		if to, _ := os.Readlink(dir + "/" + e.Name()); r.shim.strays[to] {
			r.t.Errorf("fd %s of pid %d is %s of the shim's", e.Name(), pid, to)
		}
	}
}

// runs: what the workload has open is what it was given.
func runs(r *replay) {
	r.t.Helper()
	r.waitFor("running")
	pid := r.stateNow().Pid
	until(r.t, "the shell's trap", func() bool { return catches(pid, unix.SIGTERM) })
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	for _, e := range entries {
		if !strings.Contains(" 0 1 2 10 ", " "+e.Name()+" ") { // 10 is the shell's own
			r.t.Errorf("the workload has fd %s", e.Name())
		}
	}
	r.checkFDs(pid)
}

// catches reads SigCgt, proc_pid_status(5).
func catches(pid int, signal unix.Signal) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, mask, _ := strings.Cut(string(b), "SigCgt:\t")
	mask, _, _ = strings.Cut(mask, "\n")
	bits, err := strconv.ParseUint(mask, 16, 64)
	return err == nil && bits&(1<<(uint(signal)-1)) != 0
}

// ended: no such container, and none of its processes.
func ended(r *replay) {
	r.t.Helper()
	want(r.t, r.own("state", r.id), 1, is(""), has(gone))
	for _, pid := range r.inits {
		if alive(pid) {
			r.t.Errorf("pid %d is still there", pid)
		}
	}
	if groups := cgroupDirs(r.id); len(groups) > 0 {
		r.t.Errorf("cgroups: %v", groups)
	}
}
