package cgroups

import (
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

func TestCompileDenied(t *testing.T) {
	one := v1Host("/own", "/", "memory", "cpu,cpuacct", "pids", "devices", "cpuset")
	two := v2Host("/own/x", "/", "memory", "cpu", "pids", "cpuset")
	one.Denied, two.Denied, one.UID, two.UID = true, true, 7, 7
	const nothing = ""
	rows := []struct{ name, resources, where string }{
		{"nothing asked for", `{}`, nothing},
		{"devices", `{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":3,"access":"rw"}]}`, nothing},
		{"zeros", `{"memory":{"limit":0,"swap":0},"cpu":{"shares":0,"quota":0,"period":0,"burst":0,"idle":0,"cpus":""},"pids":{},"unified":{}}`, nothing},
		{"no limit", `{"memory":{"limit":-1,"swap":-1},"cpu":{"quota":-1},"pids":{"limit":-1}}`, nothing},
		{"a period without a quota", `{"cpu":{"period":100000}}`, nothing},
		{"memory", `{"memory":{"limit":5}}`, "/memory/limit"},
		{"reservation", `{"memory":{"reservation":5}}`, "/memory/reservation"},
		{"shares", `{"cpu":{"shares":5}}`, "/cpu/shares"},
		{"quota", `{"cpu":{"quota":5,"period":10}}`, "/cpu/quota"},
		{"burst", `{"cpu":{"burst":5}}`, "/cpu/burst"},
		{"idle", `{"cpu":{"idle":1}}`, "/cpu/idle"},
		{"cpuset", `{"cpu":{"cpus":"0"}}`, "/cpu/cpus"},
		{"pids", `{"pids":{"limit":5}}`, "/pids/limit"},
		{"no process", `{"pids":{"limit":0}}`, "/pids/limit"},
		{"unified", `{"unified":{"memory.max":"1"}}`, "/unified/memory.max"},
	}
	for _, r := range rows {
		for _, host := range []kernel.Cgroups{one, two} {
			if strings.HasPrefix(r.where, "/unified") && host.Version == 1 {
				continue // refused in any case
			}
			p, warnings, err := Compile("/a", "id", parse(t, r.resources), host)
			if r.where == nothing {
				if err != nil || len(p.Dirs)+len(p.Writes)+len(p.Program) > 0 || p.V2 || len(warnings) != 1 ||
					!strings.HasSuffix(warnings[0], "/a cannot be written by uid 7; limits and pause are not available") {
					t.Errorf("%s, v%d: %+v %q %v", r.name, host.Version, p, warnings, err)
				}
				continue
			}
			if err == nil || errs.KindOf(err) != errs.Permission || !strings.HasSuffix(err.Error(), " (config.json: /linux/resources"+r.where+")") ||
				!strings.Contains(err.Error(), "cannot be written by uid 7") || !strings.Contains(err.Error(), []string{"only root", "systemd-run --user"}[host.Version-1]) {
				t.Errorf("%s, v%d: %v", r.name, host.Version, err)
			}
		}
	}
}

// TestCompileDeniedQuiet: who can make no device nodes has nothing to be warned of.
func TestCompileDeniedQuiet(t *testing.T) {
	for _, host := range []kernel.Cgroups{v1Host("/own", "/", "memory", "devices"), v2Host("/own", "/", "memory")} {
		host.Denied, host.NoBPF = true, true
		_, warnings, err := Compile("/a", "id", parse(t, `{"devices":[{"allow":false,"access":"rwm"}]}`), host)
		if err != nil || len(warnings) > 0 {
			t.Errorf("v%d: %q %v", host.Version, warnings, err)
		}
	}
}

// TestCompileDeniedErrors: what is wrong stays wrong, and a host without cgroups has none to deny.
func TestCompileDeniedErrors(t *testing.T) {
	host := v1Host("/", "/", "memory", "devices")
	host.Denied = true
	for _, r := range []struct {
		resources string
		kind      errs.Kind
	}{
		{`{"devices":[{"allow":true,"type":"x"}]}`, errs.Invalid},
		{`{"memory":{"limit":2,"swap":1}}`, errs.Invalid},
		{`{"hugepageLimits":[{"pageSize":"2MB","limit":1}]}`, errs.Unsupported},
	} {
		if _, _, err := Compile("/a", "id", parse(t, r.resources), host); errs.KindOf(err) != r.kind {
			t.Errorf("%s: %v", r.resources, err)
		}
	}
	_, warnings, err := Compile("/a", "id", nil, kernel.Cgroups{Denied: true})
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "no cgroups are mounted") {
		t.Errorf("%q %v", warnings, err)
	}
}

func TestCompileNoBPF(t *testing.T) {
	host := v2Host("/", "/")
	host.NoBPF, host.UID = true, 7
	for _, r := range []struct {
		resources string
		warnings  int
	}{
		{dockerLike, 0},
		{`{}`, 0},
		{`{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":9,"minor":3,"access":"rw"}]}`, 1},
	} {
		p, warnings, err := Compile("/a", "id", parse(t, r.resources), host)
		if err != nil || len(p.Program) > 0 || len(p.Dirs) != 1 || len(warnings) != r.warnings {
			t.Errorf("%s: %+v %q %v", r.resources, p, warnings, err)
		}
	}
}

// stage tells a second copy of TestAccessible the version of cgroups, the path that it shall
// ask for, and the answer.
const stage = "CGROUPS_STAGE"

const anybody = 4711

// TestAccessible compares the answer with what really happens, as root and as another user
// whose own group, TOP/own, lies in one that may be that user's.
func TestAccessible(t *testing.T) {
	if s := os.Getenv(stage); s != "" {
		word := strings.Fields(s)
		try(t, word[0], word[1], word[2] == "true")
		return
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Fatal("no setpriv, of util-linux: ", err)
	}
	const procs = "/cgroup.procs"
	rows := []struct {
		name, path string // TOP is the test's group; relative: as config.json would have it
		theirs     string // what the user gets below TOP, or not
		made       string // a group that root made there
		one, two   bool   // the answers with v1 and v2
	}{
		{"nothing", "TOP/a", "", "", false, false},
		{"elsewhere", "TOP-b", ". " + procs, "", false, false},
		{"the directory", "TOP/a", ".", "", true, false},
		{"the directory and its processes", "TOP/a", ". " + procs, "", true, true},
		{"with parents", "TOP/a/b/c", ". " + procs, "", true, true},
		{"only the own group", "TOP/own/a", "own own" + procs, "", true, true},
		{"not even that", "TOP/own/a", "", "", false, false},
		{"another's group", "TOP/a", ". " + procs, "a", false, false},
		{"another's group with own processes", "TOP/a", ". " + procs + " a/tasks a" + procs, "a", false, false},
		{"a given group without its processes", "TOP/a", ". " + procs + " a", "a", false, false},
		{"a given group", "TOP/a", ". " + procs + " a a/tasks a" + procs, "a", true, true},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			eachHost(t, func(t *testing.T, host kernel.Cgroups) {
				host = single(t, host)
				name := testPath(t, host)
				create(t, name+"/own", nil, host)
				top := path.Dir(compile(t, name+"/own", nil, host).Dirs[0].Path)
				if r.made != "" {
					check(t, os.Mkdir(top+"/"+r.made, 0o755))
				}
				for _, file := range strings.Fields(r.theirs) {
					if err := os.Chown(top+"/"+file, anybody, anybody); err != nil && !os.IsNotExist(err) {
						t.Fatal(err)
					}
				}
				asked := strings.ReplaceAll(r.path, "TOP", name)
				if !Accessible(asked, "", host) {
					t.Error("not for root")
				}
				want := map[int]string{1: yesNo(r.one), 2: yesNo(r.two)}[host.Version]
				asAnybody(t, top+"/own/cgroup.procs", []string{"", "v1", "v2"}[host.Version]+" "+asked+" "+want)
				cleanUp(top)
			})
		})
	}
}

func yesNo(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// single keeps one hierarchy: the others are not the test's to delegate.
func single(t *testing.T, host kernel.Cgroups) kernel.Cgroups {
	t.Helper()
	host.V1 = slices.DeleteFunc(slices.Clone(host.V1), func(h kernel.Hierarchy) bool { return !slices.Contains(h.Controllers, "pids") })
	if host.Version == 1 && len(host.V1) == 0 {
		t.Skip("no pids hierarchy here")
	}
	return host
}

// asAnybody runs TestAccessible as another user in a group. That user cannot look where the
// program lies.
func asAnybody(t *testing.T, group, what string) {
	t.Helper()
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	cmd := exec.Command("sh", "-c", `echo 0 >"$1" && exec setpriv --reuid=4711 --regid=4711 --clear-groups /proc/self/fd/3 '-test.run=^TestAccessible$'`, "sh", group)
	cmd.Env, cmd.Dir, cmd.ExtraFiles = append(os.Environ(), stage+"="+what), "/", []*os.File{program}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// try asks, and then does it.
func try(t *testing.T, version, name string, want bool) {
	host, err := kernel.ReadCgroups()
	if err != nil {
		t.Fatal(err)
	}
	if host.Version = 1; version == "v2" {
		host.Version = 2
	}
	host = single(t, host)
	p := compile(t, name, nil, host)
	have := Accessible(name, "", host)
	m := maker{plan: p}
	_, err = m.mkdir(p.Dirs[0].Path, p.Dirs[0])
	if err == nil {
		err = os.WriteFile(p.Dirs[0].Path+"/"+joinFile(p.V2), []byte("0"), 0)
	}
	if err == nil { // a group that the container can be joined to, and no more, is not enough
		err = unix.Access(p.Dirs[0].Path, unix.W_OK)
	}
	if have != want || have != (err == nil) {
		t.Errorf("have %v, want %v: %v", have, want, err)
	}
}

// cleanUp removes what the other user made: the leaves first.
func cleanUp(top string) {
	for _, dir := range []string{"a/b/c", "a/b", "a", "own/a"} {
		os.Remove(top + "/" + dir)
	}
}
