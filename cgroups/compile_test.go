package cgroups

import (
	"encoding/json"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/errs"
	"rt/internal/kernel"
)

func v1Host(own, root string, controllers ...string) kernel.Cgroups {
	c := kernel.Cgroups{Version: 1, Unified: kernel.Hierarchy{Mount: "/cg/unified", Root: "/", Own: "/u"}}
	for _, name := range controllers {
		c.V1 = append(c.V1, kernel.Hierarchy{Controllers: strings.Split(name, ","), Mount: "/cg/" + name, Root: root, Own: own})
	}
	return c
}

func v2Host(own, root string, controllers ...string) kernel.Cgroups {
	return kernel.Cgroups{Version: 2, Unified: kernel.Hierarchy{Controllers: controllers, Mount: "/cg", Root: root, Own: own}}
}

func TestPlaces(t *testing.T) {
	rows := []struct {
		name, cgroupsPath string
		host              kernel.Cgroups
		want              string
	}{
		{"v1 absolute", "/a/b", v1Host("/own", "/", "cpu,cpuacct", "name=systemd"), "cpu,cpuacct /cg/cpu,cpuacct/a/b; name=systemd /cg/name=systemd/a/b"},
		{"v1 relative", "a/b", v1Host("/own", "/", "pids"), "pids /cg/pids/own/a/b"},
		{"v1 absent", "", v1Host("/own", "/", "pids"), "pids /cg/pids/own/id"},
		{"v1 in a container", "", v1Host("/docker/c/x", "/docker/c", "pids"), "pids /cg/pids/x/id"},
		{"v1 in a container, at its top", "", v1Host("/docker/c", "/docker/c", "pids"), "pids /cg/pids/id"},
		{"v1 of a sibling's name", "", v1Host("/docker/cc", "/docker/c", "pids"), "pids /cg/pids/id"},
		{"v1 absolute in a container", "/a", v1Host("/docker/c", "/docker/c", "pids"), "pids /cg/pids/a"},
		{"v1 absolute with dots", "/../../a/../b", v1Host("/own", "/", "pids"), "pids /cg/pids/b"},
		{"v1 relative with dots", "../../b", v1Host("/own", "/", "pids"), "pids /cg/pids/own/b"},
		{"v1 own outside of the namespace", "", v1Host("/../x", "/", "pids"), "pids /cg/pids/x/id"},
		{"v2 absolute", "/a/b", v2Host("/own/x", "/"), " /cg/a/b"},
		{"v2 relative: beside our own", "a/b", v2Host("/own/x", "/"), " /cg/own/a/b"},
		{"v2 absent", "", v2Host("/own", "/"), " /cg/id"},
		{"v2 at the top", "", v2Host("/", "/"), " /cg/id"},
		{"v2 in a container", "a", v2Host("/p/c/x/y", "/p/c"), " /cg/x/a"},
		{"v2 slice syntax is a name", "a.slice:b:c", v2Host("/", "/"), " /cg/a.slice:b:c"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			p, _, err := Compile(r.cgroupsPath, "id", nil, r.host)
			if err != nil {
				t.Fatal(err)
			}
			var dirs []string
			for _, d := range p.Dirs {
				dirs = append(dirs, d.Controller+" "+d.Path)
				if !strings.HasPrefix(d.Path, d.Mount+"/") {
					t.Errorf("%s is not below %s", d.Path, d.Mount)
				}
			}
			if got := strings.Join(dirs, "; "); got != r.want || p.V2 != (r.host.Version == 2) || len(p.Writes) != 0 {
				t.Errorf("got  %s (%+v)\nwant %s", got, p, r.want)
			}
		})
	}
}

func TestCompileErrors(t *testing.T) {
	host := v1Host("/", "/", "memory", "cpu,cpuacct")
	rows := []struct {
		name, cgroupsPath, resources string
		host                         kernel.Cgroups
		kind                         errs.Kind
		where                        string
	}{
		{"the mount itself", "/", `{}`, host, errs.Invalid, "/linux/cgroupsPath"},
		{"our own group", "x/..", `{}`, host, errs.Invalid, "/linux/cgroupsPath"},
		{"controller that is not mounted", "", `{"pids":{"limit":1}}`, host, errs.Unsupported, "/linux/resources/pids/limit"},
		{"no cgroups at all", "", `{"memory":{"limit":1}}`, kernel.Cgroups{}, errs.Unsupported, "/linux/resources/memory/limit"},
		{"v2 controller that is not there", "", `{"pids":{"limit":1}}`, v2Host("/", "/", "cpu"), errs.Unsupported, "/linux/resources/pids/limit"},
		{"hugetlb", "", `{"hugepageLimits":[{"pageSize":"2MB","limit":0}]}`, host, errs.Unsupported, "/linux/resources/hugepageLimits"},
		{"rdma", "", `{"rdma":{"a":{"hcaHandles":1}}}`, host, errs.Unsupported, "/linux/resources/rdma"},
		{"classID", "", `{"network":{"classID":1}}`, host, errs.Unsupported, "/linux/resources/network/classID"},
		{"priorities", "", `{"network":{"priorities":[{"name":"lo","priority":1}]}}`, host, errs.Unsupported, "/linux/resources/network/priorities"},
		{"weight", "", `{"blockIO":{"weight":10}}`, host, errs.Unsupported, "/linux/resources/blockIO/weight"},
		{"leafWeight", "", `{"blockIO":{"leafWeight":10}}`, host, errs.Unsupported, "/linux/resources/blockIO/leafWeight"},
		{"weightDevice", "", `{"blockIO":{"weightDevice":[{"major":8,"minor":0}]}}`, host, errs.Unsupported, "/linux/resources/blockIO/weightDevice"},
		{"read bps", "", `{"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0}]}}`, host, errs.Unsupported, "/linux/resources/blockIO/throttleReadBpsDevice"},
		{"write bps", "", `{"blockIO":{"throttleWriteBpsDevice":[{"major":8,"minor":0}]}}`, host, errs.Unsupported, "/linux/resources/blockIO/throttleWriteBpsDevice"},
		{"read iops", "", `{"blockIO":{"throttleReadIOPSDevice":[{"major":8,"minor":0}]}}`, host, errs.Unsupported, "/linux/resources/blockIO/throttleReadIOPSDevice"},
		{"write iops", "", `{"blockIO":{"throttleWriteIOPSDevice":[{"major":8,"minor":0}]}}`, host, errs.Unsupported, "/linux/resources/blockIO/throttleWriteIOPSDevice"},
		{"devices", "", `{"devices":[{"allow":true,"type":"x"}]}`, host, errs.Invalid, "/linux/resources/devices/0/type"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			_, _, err := Compile(r.cgroupsPath, "id", parse(t, r.resources), r.host)
			if err == nil || !strings.HasSuffix(err.Error(), " (config.json: "+r.where+")") || errs.KindOf(err) != r.kind {
				t.Errorf("got %v, want %v at %s", err, r.kind, r.where)
			}
		})
	}
}

func parse(t testing.TB, text string) *specs.LinuxResources {
	t.Helper()
	r := &specs.LinuxResources{}
	if err := json.Unmarshal([]byte(text), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// What managers send for unset things asks for nothing, on a host without the controllers.
func TestCompileZeros(t *testing.T) {
	unset := `{"memory":{"limit":0,"kernel":0},"cpu":{"shares":0},"pids":{},"hugepageLimits":[],"rdma":{},"unified":{},
		"network":{"classID":0,"priorities":null},"blockIO":{"weight":0,"leafWeight":0,"weightDevice":[],"throttleReadBpsDevice":[]}}`
	for _, host := range []kernel.Cgroups{v1Host("/", "/", "freezer"), v2Host("/", "/")} {
		p, warnings, err := Compile("", "id", parse(t, unset), host)
		if err != nil || len(p.Writes) != 0 || len(warnings) != 0 {
			t.Errorf("%v %v %v", p.Writes, warnings, err)
		}
	}
}

func TestCompileBinds(t *testing.T) {
	r := parse(t, `{"memory":{"limit":5},"cpu":{"shares":7},"devices":[{"allow":false,"access":"rwm"}]}`)
	p, _, err := Compile("/x", "id", r, v1Host("/", "/", "devices", "cpu,cpuacct", "memory"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Write{
		{2, "memory.limit_in_bytes", "5", "/linux/resources/memory/limit"},
		{1, "cpu.shares", "7", "/linux/resources/cpu/shares"},
		{0, "devices.deny", "a *:* rwm", "/linux/resources/devices/0"},
	}
	for i, w := range want {
		if p.Writes[i] != w {
			t.Errorf("got %v, want %v", p.Writes[i], w)
		}
	}
	p, _, err = Compile("/x", "id", r, v2Host("/", "/", "cpu", "memory"))
	if err != nil || len(p.Program) == 0 || len(p.Controllers) != 2 || p.Writes[0] != (Write{0, "memory.max", "5", "/linux/resources/memory/limit"}) {
		t.Errorf("%+v %v", p, err)
	}
}

func TestCompileWithoutCgroups(t *testing.T) {
	p, warnings, err := Compile("/a", "id", nil, kernel.Cgroups{})
	if err != nil || len(p.Dirs) != 0 || len(warnings) != 1 {
		t.Errorf("%+v %v %v", p, warnings, err)
	}
}
