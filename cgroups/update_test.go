package cgroups

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rt/cgroups/v2"
	"rt/internal/kernel"
)

func goOn() error { return nil }

// prepare decides an update, and fails the test if that cannot be done.
func prepare(t *testing.T, g Group, resources string, host kernel.Cgroups) *Update {
	t.Helper()
	u, _, err := g.Prepare(parse(t, resources), host)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// values are what files of the group hold: FILE=VALUE, the controller is before the first dot.
func values(t *testing.T, g Group, files ...string) string {
	t.Helper()
	var list []string
	for _, f := range files {
		controller, _, _ := strings.Cut(f, ".")
		list = append(list, get(t, g.dir(controller)+"/"+f))
	}
	return strings.Join(list, "\n")
}

// order is the files that an update writes.
func (u *Update) order() string {
	var names []string
	for _, c := range u.Changes() {
		names = append(names, c.Path[strings.LastIndexByte(c.Path, '/')+1:])
	}
	return strings.Join(names, " ")
}

func TestUpdateOrder(t *testing.T) {
	host := v1Only(t, "memory", "cpu")
	before := `{"memory":{"limit":4194304,"swap":8388608},"cpu":{"quota":50000,"period":100000}}`
	const limit, both, quota, period = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "cpu.cfs_quota_us", "cpu.cfs_period_us"
	for _, r := range []struct{ name, resources, order string }{
		{"nothing", `{}`, ""},
		{"what is so already", before, ""},
		{"rise", `{"memory":{"limit":16777216,"swap":33554432}}`, both + " " + limit},
		{"fall", `{"memory":{"limit":2097152,"swap":2097152}}`, limit + " " + both},
		{"unlimited", `{"memory":{"limit":-1}}`, both + " " + limit},
		{"limit alone", `{"memory":{"limit":8388608}}`, limit},
		{"swap alone", `{"memory":{"swap":16777216}}`, both},
		{"shorter period first would double the share", `{"cpu":{"quota":20000,"period":50000}}`, quota + " " + period},
		{"longer period", `{"cpu":{"quota":90000,"period":200000}}`, period + " " + quota},
		{"no quota, which is no share of its own", `{"cpu":{"quota":-1,"period":50000}}`, quota + " " + period},
		{"quota alone", `{"cpu":{"quota":1000}}`, quota},
	} {
		t.Run(r.name, func(t *testing.T) {
			g := create(t, testPath(t, host), parse(t, before), host)
			u := prepare(t, g, r.resources, host)
			if got := u.order(); got != r.order {
				t.Errorf("writes %s, want %s", got, r.order)
			}
			check(t, u.Apply(goOn))
			if got := prepare(t, g, r.resources, host).order(); got != "" && r.name != "unlimited" {
				t.Errorf("after it, there is left: %s", got)
			}
		})
	}
}

// Below a group with a quota the share of CPU time must not be above its, not for a moment:
// without the order the kernel refuses some of these, both ways.
func TestUpdateBelowAQuota(t *testing.T) {
	host := v1Only(t, "cpu")
	top := testPath(t, host)
	create(t, top, parse(t, `{"cpu":{"quota":50000,"period":100000}}`), host)
	g := create(t, top+"/a", parse(t, `{"cpu":{"quota":50000,"period":100000}}`), host)
	for _, r := range []string{
		`{"cpu":{"quota":5000,"period":10000}}`, `{"cpu":{"quota":400000,"period":800000}}`, `{"cpu":{"quota":-1,"period":1000}}`,
		`{"cpu":{"quota":100000,"period":200000}}`,
	} {
		u := prepare(t, g, r, host)
		for _, s := range u.steps { // in their order, each at once
			tr := transaction{Update: u, stop: goOn}
			if err := tr.do(s); err != nil {
				t.Errorf("%s: %v", r, err)
			}
		}
	}
}

// Every place where an update can stop gives the former values back.
func TestUpdateUndone(t *testing.T) {
	host := v1Only(t, "memory", "cpu", "cpuset", "pids")
	files := []string{"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_burst_us", "cpu.idle",
		"cpuset.cpus", "pids.max", "devices.list"}
	before := parse(t, `{"memory":{"limit":4194304,"swap":8388608},"cpu":{"quota":50000,"shares":300},"pids":{"limit":9},"devices":[{"allow":false},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}]}`)
	const after = `{"memory":{"limit":16777216,"swap":33554432,"reservation":1048576},"cpu":{"quota":90000,"burst":80000,"idle":1,"cpus":"0"},"pids":{"limit":-1},"devices":[{"allow":false},{"allow":true,"type":"b","major":8,"minor":1,"access":"r"}]}`
	g := create(t, testPath(t, host), before, host)
	old := values(t, g, files...)
	boom := errors.New("boom")
	stops := 0
	for n := 0; ; n++ {
		left := n
		err := prepare(t, g, after, host).Apply(func() error {
			if left--; left < 0 {
				return boom
			}
			return nil
		})
		if err == nil {
			break
		}
		stops++
		if got := values(t, g, files...); !errors.Is(err, boom) || sameLines(got) != sameLines(old) {
			t.Fatalf("stopped after %d writes: %v\ngot  %s\nwant %s", n, err, got, old)
		}
	}
	if got := values(t, g, files...); stops < 9 || got == old {
		t.Errorf("%d stops, now %s", stops, got)
	}
	check(t, prepare(t, g, `{"cpu":{"idle":0,"shares":300}}`, host).Apply(goOn)) // the shares have to wait for idle
}

// sameLines forgets the order of lines, which devices.list gives as it was written.
func sameLines(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestUpdateRefused(t *testing.T) {
	host := v1Only(t, "memory", "cpuset", "pids")
	g := create(t, testPath(t, host), parse(t, `{"memory":{"limit":4194304},"pids":{"limit":9}}`), host)
	cpus := get(t, g.dir("cpuset")+"/cpuset.cpus")
	err := prepare(t, g, `{"memory":{"limit":8388608},"cpu":{"cpus":"4000"},"pids":{"limit":8}}`, host).Apply(goOn)
	want := `write "4000" (was "` + cpus + `") to ` + g.dir("cpuset") + "/cpuset.cpus: "
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), " (resources: /cpu/cpus); all former values are back") {
		t.Errorf("got %v, want %s…", err, want)
	}
	if got := values(t, g, "memory.limit_in_bytes", "pids.max"); got != "4194304\n9" {
		t.Errorf("left: %s", got)
	}
}

func TestWeight(t *testing.T) {
	host := v1Only(t, "blkio")
	g := create(t, testPath(t, host), parse(t, `{"blockIO":{"weight":200}}`), host)
	file := "blkio.weight"
	if !g.has(Write{File: file, Dir: slices.IndexFunc(g.Dirs, func(d Dir) bool { return d.has("blkio") })}) {
		file = "blkio.bfq.weight"
	}
	if got := values(t, g, file); got != "200" {
		t.Errorf("%s: %s", file, got)
	}
	check(t, prepare(t, g, `{"blockIO":{"weight":777}}`, host).Apply(goOn))
	if got := values(t, g, file); got != "777" {
		t.Errorf("%s: %s", file, got)
	}
	for weight, want := range map[string]string{"10": "1", "1000": "10000", "505": "5000"} {
		if got := v2.CostWeight(weight); got != want {
			t.Errorf("weight %s is %s, want %s", weight, got, want)
		}
	}
}
