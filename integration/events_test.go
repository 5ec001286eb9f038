package integration

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// event is a line of `events`; Data is of a line of statistics.
type event struct {
	Type, ID string
	Data     map[string]any
}

func (e event) number(t *testing.T, path string) float64 {
	t.Helper()
	var v any = e.Data
	for _, key := range strings.Split(path, ".") {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	n, ok := v.(float64)
	if !ok && v != nil {
		t.Fatalf("%s is %v", path, v)
	}
	return n
}

func parseEvents(t *testing.T, c *container, text string) []event {
	t.Helper()
	var list []event
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		var e event
		if err := json.Unmarshal(s.Bytes(), &e); err != nil || e.ID != c.id || (e.Type == "stats") != (e.Data != nil) {
			t.Fatalf("%v in %s", err, s.Text())
		}
		list = append(list, e)
	}
	return list
}

func (c *container) stats() event {
	c.t.Helper()
	list := parseEvents(c.t, c, c.rt("events", "--stats", c.id).must(c.t).stdout)
	if len(list) != 1 || list[0].Type != "stats" {
		c.t.Fatalf("%v", list)
	}
	return list[0]
}

// counted is the number in the file of the group that v1 has, or v2's.
func (c *container) counted(controller, one, two string) float64 {
	c.t.Helper()
	name := filepath.Join(c.groupDir(controller), one)
	if hasV2() {
		name = filepath.Join(c.groupDir(""), two)
	}
	n, err := strconv.ParseFloat(c.read(name), 64)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

func TestEvents(t *testing.T) {
	endsLate := peers{runc: differs("goes on until the cgroup is removed")}
	list := []scene{
		{name: "memory and tasks are the kernel's", play: statsOfKernel},
		{name: "cpu time grows", play: statsOfLoad},
		{name: "the members that runc prints", play: statsMembers},
		{name: "huge pages", play: statsOfPages, peers: onV2("1.1 prints none, with the kernel's files there")},
		{name: "pressure", play: statsOfPressure, peers: peers{runc: differs("1.1 has none")}},
		{name: "created and paused", play: statsOfIdle},
		{name: "an interval, and no lock", play: eventsStream},
		{name: "an interval is a duration above 0", play: eventsUsage},
		{name: "OOM kills", play: eventsOOM, peers: onV2("1.1 tells of a kill more than once")},
		{name: "the OOM kill of the init comes before the end", play: eventsOOMEnd, peers: endsLate},
		{name: "ends when the workload does", play: eventsEnd, peers: endsLate},
		{name: "ends by a signal", play: eventsSignal},
		{name: "ends when its reader goes", play: eventsReader, peers: peers{runc: differs("learns of it by its next write")}},
	}
	for i := range list {
		list[i].vm = true
	}
	runScenes(t, list)
}

// onV2 is what runc does otherwise with cgroup v2 alone.
func onV2(how string) peers {
	if !hasV2() {
		return peers{}
	}
	return peers{runc: differs(how)}
}

func statsOfKernel(t *testing.T) {
	c := newRunning(t, resources(specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr(64 * mib)}, Pids: &specs.LinuxPids{Limit: ptr(int64(20))}}),
		script("sleep 300 & sleep 300 & wait"))
	until(t, "three processes", func() bool { return c.counted("pids", "pids.current", "pids.current") == 3 })
	e := c.stats()
	if got := e.number(t, "pids.current"); got != 3 {
		t.Errorf("%v tasks", got)
	}
	if got := e.number(t, "pids.limit"); got != 20 {
		t.Errorf("limit of %v tasks", got)
	}
	if got := e.number(t, "memory.usage.limit"); got != float64(64*mib) {
		t.Errorf("limit of %v bytes", got)
	}
	used := c.counted("memory", "memory.usage_in_bytes", "memory.current")
	if got := e.number(t, "memory.usage.usage"); got <= 0 || got < used-float64(2*mib) || got > used+float64(2*mib) {
		t.Errorf("%v bytes used, the kernel says %v", got, used)
	}
	dir := c.groupDir("memory")
	raw, _ := e.Data["memory"].(map[string]any)["raw"].(map[string]any)
	for line := range strings.Lines(c.read(dir + "/memory.stat")) {
		key, _, _ := strings.Cut(line, " ")
		if _, ok := raw[key]; !ok {
			t.Errorf("raw has no %s", key)
		}
	}
	c.delete("--force").must(t)
}

func statsOfLoad(t *testing.T) {
	c := newRunning(t)
	first := c.stats().number(t, "cpu.usage.total")
	c.sh("i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done").must(t)
	e := c.stats()
	second := e.number(t, "cpu.usage.total")
	if second-first < 5e6 { // the loop takes more than 5 ms
		t.Errorf("from %v to %v ns", first, second)
	}
	if parts := e.number(t, "cpu.usage.user") + e.number(t, "cpu.usage.kernel"); parts > second+1e6 {
		t.Errorf("user and kernel are %v ns of %v", parts, second)
	}
	c.delete("--force").must(t)
}

// members are what runc 1.1.5 prints of a container that sleeps; raw is apart. A value that is
// 0 is left out in most places.
const members = `blkio cpu cpu.throttling cpu.usage cpu.usage.kernel cpu.usage.total cpu.usage.user cpuset
cpuset.cpu_exclusive cpuset.mem_exclusive cpuset.mem_hardwall cpuset.memory_migrate cpuset.memory_pressure
cpuset.memory_spread_page cpuset.memory_spread_slab cpuset.sched_load_balance cpuset.sched_relax_domain_level
hugetlb intel_rdt memory memory.kernel memory.kernel.failcnt memory.kernel.limit memory.kernelTCP
memory.kernelTCP.failcnt memory.kernelTCP.limit memory.raw memory.swap memory.swap.failcnt memory.swap.limit
memory.swap.usage memory.usage memory.usage.failcnt memory.usage.limit memory.usage.max memory.usage.usage network_interfaces pids pids.current`

// membersV1 are those that runc has on v1 alone.
const membersV1 = `cpu.usage.percpu cpu.usage.percpu_kernel cpu.usage.percpu_user cpuset.cpus cpuset.mems memory.kernel.max
memory.kernel.usage memory.swap.max`

func statsMembers(t *testing.T) {
	c := newRunning(t)
	want := strings.Fields(members)
	if !hasV2() {
		want = append(want, strings.Fields(membersV1)...)
	}
	got := paths("", c.stats().Data)
	for _, path := range want {
		if !slices.Contains(got, path) {
			t.Errorf("there is no %s", path)
		}
	}
	for _, path := range got {
		optional := path == "memory.cache" || strings.HasPrefix(path, "blkio.") || strings.HasPrefix(path, "hugetlb.")
		if it.kind == "runc" && !optional && !slices.Contains(want, path) {
			t.Errorf("runc has %s, which is not in the list", path)
		}
	}
	c.delete("--force").must(t)
}

// paths names the members of v, but those below memory.raw.
func paths(prefix string, v map[string]any) []string {
	var list []string
	for key, value := range v {
		list = append(list, prefix+key)
		if m, ok := value.(map[string]any); ok && key != "raw" {
			list = append(list, paths(prefix+key+".", m)...)
		}
	}
	return list
}

func statsOfPages(t *testing.T) {
	c := newRunning(t)
	var want []string
	if hasV2() {
		files, _ := filepath.Glob(c.groupDir("") + "/hugetlb.*.events")
		for _, f := range files {
			want = append(want, strings.Split(filepath.Base(f), ".")[1])
		}
	}
	pages := c.stats().Data["hugetlb"].(map[string]any)
	if len(pages) != len(want) {
		t.Errorf("%v, want %v", pages, want)
	}
	for _, size := range want {
		if _, ok := pages[size]; !ok {
			t.Errorf("no %s in %v", size, pages)
		}
	}
	c.delete("--force").must(t)
}

func statsOfPressure(t *testing.T) {
	c := newRunning(t)
	e := c.stats()
	for part, file := range map[string]string{"cpu": "cpu.pressure", "memory": "memory.pressure", "blkio": "io.pressure"} {
		_, err := os.ReadFile(c.groupDir("pids") + "/" + file)
		psi, _ := e.Data[part].(map[string]any)["psi"].(map[string]any)
		if (err == nil) != (psi != nil) {
			t.Errorf("%s: %v, and %s: %v", part, psi, file, err)
		}
		if psi != nil && (psi["some"] == nil || psi["full"] == nil) {
			t.Errorf("%s: %v", part, psi)
		}
	}
	c.delete("--force").must(t)
}

func statsOfIdle(t *testing.T) {
	c := newCreated(t)
	if c.stats().number(t, "pids.current") < 1 {
		t.Error("no task while created")
	}
	c.start().must(t)
	c.rt("pause", c.id).must(t)
	if c.stats().number(t, "pids.current") != 1 {
		t.Error("no task while paused")
	}
	c.delete("--force").must(t)
}

// stream starts `events` with files, and waits for the first line of statistics: what happens
// then is seen.
func (c *container) stream(flags ...string) *running {
	c.t.Helper()
	cmd := c.command(append(append([]string{"events"}, flags...), c.id)...)
	cmd.files = true
	r := cmd.start(c.t)
	r.until(c.t, "a first event", func() bool { return r.lines() > 0 })
	return r
}

func (r *running) lines() int { return strings.Count(r.printed(), "\n") }

// eventsStream: pause and delete would wait for a lock that events holds.
func eventsStream(t *testing.T) {
	c := newRunning(t)
	r := c.stream("--interval=50ms")
	r.until(t, "a third event", func() bool { return r.lines() >= 3 })
	c.rt("pause", c.id).must(t)
	before := r.lines()
	r.until(t, "an event while paused", func() bool { return r.lines() > before })
	c.rt("resume", c.id).must(t)
	c.delete("--force").must(t)
	for _, e := range parseEvents(t, c, r.wait(t).must(t).stdout) {
		if e.Type != "stats" {
			t.Errorf("%+v", e)
		}
	}
}

func eventsUsage(t *testing.T) {
	c := newRunning(t)
	for _, interval := range []string{"5", "0", "0s", "-1s", "x", ""} {
		want(t, c.rt("events", "--interval", interval, c.id), 1, match{}, like("parse error|must be greater than 0"))
	}
	c.delete("--force").must(t)
}

// eats is a limit, and a command that does not fit below it.
var (
	smallMemory = specs.LinuxMemory{Limit: ptr(24 * mib), Swap: ptr(24 * mib)}
	eats        = []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"}
)

func eventsOOM(t *testing.T) {
	c := newRunning(t, memoryLimit(smallMemory))
	r := c.stream("--interval=50ms")
	ooms := func() int { return strings.Count(r.printed(), `{"type":"oom","id":"`+c.id+`"}`+"\n") }
	if ooms() != 0 {
		t.Errorf("OOM before any\n%s", r.printed())
	}
	for n := 1; n <= 2; n++ {
		want(t, c.exec(nil, eats...), 137, match{}, match{})
		r.until(t, "OOM", func() bool { return ooms() >= n })
		before := r.lines()
		r.until(t, "more events", func() bool { return r.lines() > before })
		if ooms() != n {
			t.Errorf("%d OOM events after %d kills", ooms(), n)
		}
	}
	c.wantStatus("running")
	c.delete("--force").must(t)
	r.wait(t).must(t)
}

// eventsOOMEnd stops rt meanwhile, so that it finds both at once.
func eventsOOMEnd(t *testing.T) {
	c := newCreated(t, memoryLimit(smallMemory), args(eats...))
	r := c.stream("--interval=50ms")
	r.cmd.Process.Signal(unix.SIGSTOP)
	until(t, "rt to stop", func() bool { p, _ := readProcess(r.cmd.Process.Pid); return p.state == "T" })
	c.start().must(t)
	c.untilStatus("stopped")
	r.cmd.Process.Signal(unix.SIGCONT)
	list := parseEvents(t, c, r.wait(t).must(t).stdout)
	if n := len(slices.DeleteFunc(list, func(e event) bool { return e.Type != "oom" })); n != 1 {
		t.Errorf("%d OOM events", n)
	}
	c.wantStatus("stopped")
	c.delete().must(t)
}

func eventsEnd(t *testing.T) {
	c := newRunning(t)
	r := c.stream("--interval=50ms")
	c.kill("KILL").must(t)
	want(t, r.wait(t), 0, match{}, is(""))
	want(t, c.rt("events", "--stats", c.id), 1, is(""), has("container with id "+c.id+" is not running"))
	c.delete().must(t)
}

func eventsSignal(t *testing.T) {
	c := newRunning(t)
	for signal, code := range map[os.Signal]int{os.Interrupt: 130, os.Kill: 137} {
		r := c.stream("--interval=50ms")
		r.cmd.Process.Signal(signal)
		want(t, r.wait(t), code, match{}, is(""))
	}
	c.wantStatus("running")
	c.delete("--force").must(t)
}

// eventsReader: in an hour there is no write that could fail.
func eventsReader(t *testing.T) {
	c := newRunning(t)
	r, out := pipedOut(t, c.command("events", "--interval=1h", c.id))
	out.Close()
	want(t, r.wait(t), 0, match{}, is(""))
	c.delete("--force").must(t)
}
