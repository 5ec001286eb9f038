package cgroups

import (
	"errors"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

const dockerLike = `{"devices":[{"allow":false,"access":"rwm"}]}`

func TestCreate(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		g := create(t, testPath(t, host), nil, host)
		if n := len(present(g)); n != len(g.Dirs) || n == 0 || !g.Exists() {
			t.Errorf("%d of %d groups", n, len(g.Dirs))
		}
		check(t, g.Destroy(enough))
		if left := present(g); len(left) > 0 || g.Exists() {
			t.Errorf("left: %v", left)
		}
		check(t, g.Destroy(enough)) // what is gone is fine
	})
}

// A crash loses everything but the paths. Parents that we made go, too.
func TestDestroyByPaths(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		top := testPath(t, host)
		p := compile(t, top+"/a/b", nil, host)
		if _, err := Create(p); err != nil {
			t.Fatal(err)
		}
		if n := len(present(p.Group())); n != len(p.Dirs) {
			t.Errorf("%d of %d groups", n, len(p.Dirs))
		}
		check(t, Group{p.V2, p.Dirs}.Destroy(enough))
	})
}

// The leaf may be gone already when a crash interrupted Destroy.
func TestDestroyAfterTheLeaf(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		g, err := Create(compile(t, testPath(t, host)+"/a", nil, host))
		check(t, err)
		for _, d := range g.Dirs {
			check(t, os.Remove(d.Path))
		}
		check(t, g.Destroy(enough))
	})
}

func TestForeignParentStays(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		top := testPath(t, host)
		foreign := compile(t, top, nil, host).Group()
		for _, d := range foreign.Dirs {
			check(t, os.Mkdir(d.Path, 0o755))
		}
		g := create(t, top+"/a/b", nil, host)
		check(t, g.Destroy(enough))
		if n := len(present(foreign)); n != len(foreign.Dirs) {
			t.Errorf("%d of %d foreign parents are left", n, len(foreign.Dirs))
		}
		for _, d := range foreign.Dirs {
			if _, err := os.Stat(d.Path + "/a"); err == nil {
				t.Errorf("%s/a is left", d.Path)
			}
			check(t, os.Remove(d.Path))
		}
	})
}

// Many containers come and go below one parent; the last one removes it.
func TestSharedParent(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		top := testPath(t, host)
		var all sync.WaitGroup
		for i := range 4 {
			p := compile(t, top+"/pod/"+string(rune('a'+i)), nil, host)
			all.Go(func() {
				for range 25 {
					g, err := Create(p)
					check(t, err)
					check(t, g.Destroy(enough))
				}
			})
		}
		all.Wait()
	})
}

func TestExistingLeaf(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		name := testPath(t, host)
		g := create(t, name, nil, host)
		p := compile(t, name, nil, host)
		nested(t, g, "sub")
		_, err := Create(p)
		check(t, err) // empty: taken over

		check(t, g.Freeze())
		refused(t, p, "frozen")
		check(t, g.Thaw())

		_, out := process(t, nested(t, g, "other"), "echo in; exec sleep 1000")
		out.ReadString('\n')
		refused(t, p, "has processes in it")
		check(t, g.Kill(enough))
		check(t, g.Destroy(enough))
	})
}

func refused(t *testing.T, p Plan, why string) {
	t.Helper()
	_, err := Create(p)
	if err == nil || errs.KindOf(err) != errs.Exists || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), p.Dirs[0].Path[len(p.Dirs[0].Mount):]) {
		t.Errorf("got %v, want %q", err, why)
	}
	if n := len(present(p.Group())); n != len(p.Dirs) {
		t.Errorf("the refused groups were removed: %d of %d are left", n, len(p.Dirs))
	}
}

func TestFrozenParent(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		top := testPath(t, host)
		parent := create(t, top, nil, host)
		check(t, parent.Freeze())
		p := compile(t, top+"/a", nil, host)
		_, err := Create(p)
		if errs.KindOf(err) != errs.Exists || len(present(p.Group())) > 0 {
			t.Errorf("got %v, left %v", err, present(p.Group()))
		}
	})
}

func TestCreateUndoes(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		p := compile(t, testPath(t, host)+"/a/b", nil, host)
		p.Writes = []Write{{0, "cgroup.procs", "x", "/linux/x"}}
		_, err := Create(p)
		want := `write "x" to ` + p.Dirs[0].Path + "/cgroup.procs: invalid argument (config.json: /linux/x)"
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

func TestNeverTheMount(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		p := compile(t, testPath(t, host), nil, host)
		d := p.Dirs[0]
		for _, at := range []string{d.Mount, path.Dir(d.Mount), d.Mount + "-x/y"} {
			bad := Plan{V2: p.V2, Dirs: []Dir{{d.Controller, at, d.Mount}}}
			if _, err := Create(bad); !errors.Is(err, unix.EINVAL) {
				t.Errorf("create %s: %v", at, err)
			}
			if err := bad.Group().Destroy(enough); !errors.Is(err, unix.EINVAL) {
				t.Errorf("destroy %s: %v", at, err)
			}
		}
	})
}

func v1Only(t *testing.T, controllers ...string) kernel.Cgroups {
	t.Helper()
	host, err := kernel.ReadCgroups()
	if err != nil {
		t.Fatal(err)
	}
	if host.Version != 1 || os.Getuid() != 0 {
		t.Skip("needs root and cgroup v1")
	}
	for _, c := range controllers {
		needs(t, host, c)
	}
	return host
}

func TestV1Limits(t *testing.T) {
	host := v1Only(t, "memory", "cpu", "cpuset", "pids")
	resources := parse(t, `{"memory":{"limit":1048576,"swap":2097152,"reservation":524288,"swappiness":3,"disableOOMKiller":true},
		"cpu":{"shares":77,"quota":5000,"period":20000,"burst":1000,"cpus":"0"},"pids":{"limit":9}}`)
	g := create(t, testPath(t, host)+"/p/q", resources, host)
	rows := []struct{ controller, file, want string }{
		{"memory", "memory.limit_in_bytes", "1048576"},
		{"memory", "memory.memsw.limit_in_bytes", "2097152"},
		{"memory", "memory.soft_limit_in_bytes", "524288"},
		{"memory", "memory.swappiness", "3"},
		{"cpu", "cpu.shares", "77"},
		{"cpu", "cpu.cfs_quota_us", "5000"},
		{"cpu", "cpu.cfs_period_us", "20000"},
		{"cpu", "cpu.cfs_burst_us", "1000"},
		{"cpuset", "cpuset.cpus", "0"},
		{"cpuset", "cpuset.mems", get(t, path.Join(g.dir("cpuset"), "../../../cpuset.mems"))},
		{"cpuset", "../cpuset.cpus", get(t, path.Join(g.dir("cpuset"), "../../../cpuset.cpus"))},
		{"pids", "pids.max", "9"},
	}
	for _, r := range rows {
		if got := get(t, g.dir(r.controller)+"/"+r.file); got != r.want {
			t.Errorf("%s is %s, want %s", r.file, got, r.want)
		}
	}
	if !strings.Contains(get(t, g.dir("memory")+"/memory.oom_control"), "oom_kill_disable 1") {
		t.Error("the OOM killer is enabled")
	}
}

// Raised and lowered limits that bound each other need opposite orders.
func TestV1Update(t *testing.T) {
	host := v1Only(t, "memory", "cpu")
	name := testPath(t, host)
	g := create(t, name, parse(t, `{"memory":{"limit":1048576,"swap":2097152},"cpu":{"quota":5000,"burst":5000}}`), host)
	for _, r := range []struct{ resources, limit, quota string }{
		{`{"memory":{"limit":4194304,"swap":8388608},"cpu":{"quota":9000,"burst":8000}}`, "4194304", "9000"},
		{`{"memory":{"limit":1048576,"swap":2097152},"cpu":{"quota":5000,"burst":4000}}`, "1048576", "5000"},
		{`{"memory":{"limit":-1},"cpu":{"quota":-1}}`, "9223372036854771712", "-1"},
	} {
		check(t, g.Apply(compile(t, name, parse(t, r.resources), host).Writes))
		limit, quota := get(t, g.dir("memory")+"/memory.limit_in_bytes"), get(t, g.dir("cpu")+"/cpu.cfs_quota_us")
		if limit != r.limit || quota != r.quota {
			t.Errorf("%s: limit %s, quota %s", r.resources, limit, quota)
		}
	}
}

func TestV1Devices(t *testing.T) {
	host := v1Only(t, "devices")
	all := `a *:* rwm`
	defaults := []string{"b *:* m", "c *:* m", "c 10:200 rwm", "c 136:* rwm", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm", "c 5:2 rwm"}
	for _, r := range []struct {
		name, resources string
		want            []string
	}{
		{"none", `{}`, []string{all}},
		{"default", dockerLike, defaults},
		{"all", `{"devices":[{"allow":true,"access":"rwm"}]}`, []string{all}},
		{"one more", `{"devices":[{"allow":true,"type":"b","major":8,"minor":1,"access":"r"}]}`, append([]string{"b 8:1 r"}, defaults...)},
	} {
		t.Run(r.name, func(t *testing.T) {
			g := create(t, testPath(t, host), parse(t, r.resources), host)
			got := strings.Split(get(t, g.dir("devices")+"/devices.list"), "\n")
			slices.Sort(got)
			slices.Sort(r.want)
			if !slices.Equal(got, r.want) {
				t.Errorf("got  %q\nwant %q", got, r.want)
			}
		})
	}
}

// The program is attached for real, and a process in the group feels it.
func TestV2Devices(t *testing.T) {
	host, err := kernel.ReadCgroups()
	if err != nil || host.Unified.Mount == "" || os.Getuid() != 0 {
		t.Skip("needs root and a mounted cgroup v2", err)
	}
	host = kernel.Cgroups{Version: 2, Unified: host.Unified}
	name := testPath(t, host)
	const node = "/dev/kmsg" // not in the defaults
	if fd, err := unix.Open(node, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		t.Skip(node, err)
	} else {
		unix.Close(fd)
	}
	for _, r := range []struct{ resources, want string }{
		{dockerLike, "null kmsg-refused\n"},
		{`{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":11,"access":"r"}]}`, "null kmsg\n"},
		{`{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"access":"w"}]}`, "null kmsg-refused\n"},
		{`{}`, "null kmsg\n"},
	} {
		g, err := Create(compile(t, name, parse(t, r.resources), host))
		if err != nil {
			t.Fatal(err)
		}
		_, out := process(t, g, `(: < /dev/null) 2>&- && (: > /dev/null) 2>&- && printf 'null '; if (: < `+node+`) 2>&-; then echo kmsg; else echo kmsg-refused; fi`)
		if got, _ := out.ReadString('\n'); got != r.want {
			t.Errorf("%s: got %q, want %q", r.resources, got, r.want)
		}
		check(t, g.Kill(enough))
		check(t, g.Destroy(enough))
	}
}

// A controller that cannot be enabled is named, not the file that is missing for it.
func TestV2Missing(t *testing.T) {
	host, err := kernel.ReadCgroups()
	if err != nil || host.Unified.Mount == "" || os.Getuid() != 0 {
		t.Skip("needs root and a mounted cgroup v2", err)
	}
	outer := kernel.Cgroups{Version: 2, Unified: host.Unified}
	outer.Unified.Controllers = nil // enables nothing
	g := create(t, testPath(t, outer), nil, outer)
	top := g.Dirs[0].Path
	inner := kernel.Cgroups{Version: 2, Unified: kernel.Hierarchy{Controllers: []string{"nosuch"}, Mount: top, Root: "/", Own: "/"}}
	_, err = Create(compile(t, "/a/b", parse(t, `{"unified":{"nosuch.max":"1"}}`), inner))
	want := "enable controller nosuch for " + top + `/a/b: write "+nosuch" to ` + top + "/cgroup.subtree_control: invalid argument (config.json: /linux/resources/unified/nosuch.max)"
	if err == nil || err.Error() != want || errs.KindOf(err) != errs.Unsupported {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestV2Limits(t *testing.T) {
	host, err := kernel.ReadCgroups()
	if err != nil || host.Version != 2 || os.Getuid() != 0 {
		t.Skip("needs root and a host with cgroup v2 alone", err)
	}
	resources := parse(t, `{"memory":{"limit":1048576,"swap":1048576,"reservation":524288},
		"cpu":{"shares":1024,"quota":5000,"period":20000,"burst":1000,"cpus":"0"},"pids":{"limit":9},"unified":{"memory.high":"999424"}}`)
	g := create(t, testPath(t, host)+"/p/q", resources, host)
	for _, r := range []struct{ file, want string }{
		{"memory.max", "1048576"},
		{"memory.low", "524288"},
		{"memory.high", "999424"},
		{"cpu.weight", "100"},
		{"cpu.max", "5000 20000"},
		{"cpu.max.burst", "1000"},
		{"cpuset.cpus", "0"},
		{"pids.max", "9"},
	} {
		if got := get(t, g.Dirs[0].Path+"/"+r.file); got != r.want {
			t.Errorf("%s is %s, want %s", r.file, got, r.want)
		}
	}
}

func BenchmarkCreateDestroy(b *testing.B) {
	host, err := kernel.ReadCgroups()
	if err != nil || host.Version == 0 || os.Getuid() != 0 {
		b.Skip("needs root and cgroups", err)
	}
	name := testPath(b, host)
	for _, r := range []struct{ name, path, resources string }{{"default", name, dockerLike}, {"no-devices", name, `{}`}, {"with-parent", name + "/a", dockerLike}} {
		b.Run(r.name, func(b *testing.B) {
			resources := parse(b, r.resources)
			for b.Loop() {
				g, err := Create(compile(b, r.path, resources, host))
				if err == nil {
					err = g.Destroy(enough)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFloor is the system calls of BenchmarkCreateDestroy/default that cannot be saved.
func BenchmarkFloor(b *testing.B) {
	host, err := kernel.ReadCgroups()
	if err != nil || host.Version != 1 || os.Getuid() != 0 {
		b.Skip("needs root and cgroup v1", err)
	}
	p := compile(b, testPath(b, host), parse(b, dockerLike), host)
	for b.Loop() {
		for _, d := range p.Dirs {
			unix.Mkdir(d.Path, 0o755)
			if d.has("cpuset") {
				for _, f := range []string{"/cpuset.cpus", "/cpuset.mems"} {
					floorCopy(d.Mount+f, d.Path+f)
				}
			}
		}
		deny, _ := unix.Open(p.Group().dir("devices")+"/devices.deny", unix.O_WRONLY, 0)
		allow, _ := unix.Open(p.Group().dir("devices")+"/devices.allow", unix.O_WRONLY, 0)
		unix.Write(deny, []byte(p.Writes[0].Value))
		for _, w := range p.Writes[1:] {
			unix.Write(allow, []byte(w.Value))
		}
		unix.Close(deny)
		unix.Close(allow)
		for _, d := range p.Dirs {
			if err := unix.Rmdir(d.Path); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func floorCopy(from, to string) {
	var buf [64]byte
	in, _ := unix.Open(from, unix.O_RDONLY, 0)
	n, _ := unix.Read(in, buf[:])
	unix.Close(in)
	out, _ := unix.Open(to, unix.O_WRONLY, 0)
	unix.Write(out, buf[:n])
	unix.Close(out)
}
