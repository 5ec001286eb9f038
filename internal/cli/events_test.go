package cli

import (
	"testing"

	"rt/cgroups/stat"
	"rt/libcontainer"
)

// TestEvents: one object in each line; null and {} are where runc has them.
func TestEvents(t *testing.T) {
	r := &recorder{warn: []string{"held"}, events: []libcontainer.Event{
		{Type: "oom", ID: "a"},
		{Type: "stats", ID: "a", Data: &libcontainer.EventData{Stats: stat.Stats{
			Pids:    stat.Pids{Current: 2},
			Hugetlb: map[string]stat.Hugetlb{"2MB": {Usage: 4}},
		}}},
	}}
	const cpu = `"cpu":{"usage":{"kernel":0,"user":0},"throttling":{}}`
	const cpuset = `"cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,` +
		`"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0}`
	const use = `{"limit":0,"failcnt":0}`
	const memory = `"memory":{"usage":` + use + `,"swap":` + use + `,"kernel":` + use + `,"kernelTCP":` + use + `}`
	const want = `{"type":"oom","id":"a"}` + "\n" +
		`{"type":"stats","id":"a","data":{` + cpu + "," + cpuset + "," + memory +
		`,"pids":{"current":2},"blkio":{},"hugetlb":{"2MB":{"usage":4,"failcnt":0}},"intel_rdt":{},"network_interfaces":null}}` + "\n"
	equal(t, "output", r.rt("events", "a"), result{stdout: want, stderr: "rt: warning: held\n"})
}

// TestEventWarning: a stream does not keep a warning until its end, and gives it once.
func TestEventWarning(t *testing.T) {
	r := &recorder{}
	s := &session{world: world{stdout: failing{}}, log: newLogger(failing{})}
	s.log.warn("early")
	if err := s.event(libcontainer.Event{Type: "oom"}); err == nil || len(s.log.held()) != 0 {
		t.Errorf("%v, held back: %q", err, s.log.held())
	}
	r.warn, r.err = []string{"first"}, errBoom
	equal(t, "stderr", r.rt("events", "a").stderr, "rt: warning: first\nrt: boom\n")
}
