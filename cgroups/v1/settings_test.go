package v1

import (
	"encoding/json"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/devices"
	"rt/internal/errs"
)

func compile(t *testing.T, text string) cgroupfs.Settings {
	t.Helper()
	var r specs.LinuxResources
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	list, err := devices.Compile(r.Devices)
	if err != nil {
		t.Fatal(err)
	}
	return Settings(&r, list)
}

const defaultDevices = `devices.allow=c *:* m; devices.allow=b *:* m; ` +
	`devices.allow=c 1:3 rwm; devices.allow=c 1:5 rwm; devices.allow=c 1:7 rwm; devices.allow=c 1:8 rwm; devices.allow=c 1:9 rwm; ` +
	`devices.allow=c 5:0 rwm; devices.allow=c 5:2 rwm; devices.allow=c 136:* rwm; devices.allow=c 10:200 rwm`

func TestSettings(t *testing.T) {
	rows := []struct{ name, resources, want string }{
		{"nothing", `{}`, ""},
		{
			"memory", `{"memory":{"limit":100,"swap":200,"reservation":50,"kernelTCP":7,"swappiness":0,"disableOOMKiller":true}}`,
			"memory.limit_in_bytes=100 @memory/limit; memory.memsw.limit_in_bytes=200 @memory/swap; memory.soft_limit_in_bytes=50 @memory/reservation; " +
				"memory.kmem.tcp.limit_in_bytes=7 @memory/kernelTCP; memory.swappiness=0 @memory/swappiness; memory.oom_control=1 @memory/disableOOMKiller",
		},
		{"memory, unlimited", `{"memory":{"limit":-1,"swap":-5}}`, "memory.limit_in_bytes=-1 @memory/limit; memory.memsw.limit_in_bytes=-1 @memory/swap"},
		{"zeros of managers", `{"memory":{"limit":0,"swap":0,"reservation":0,"kernel":0,"disableOOMKiller":false},"cpu":{"shares":0,"quota":0,"period":0,"realtimeRuntime":0,"realtimePeriod":0,"cpus":"","mems":""},"pids":{}}`, ""},
		{
			"cpu", `{"cpu":{"shares":512,"quota":5000,"period":10000,"burst":0,"idle":1,"realtimeRuntime":950,"realtimePeriod":1000,"cpus":"0-1","mems":"0"}}`,
			"cpu.shares=512 @cpu/shares; cpu.cfs_period_us=10000 @cpu/period; cpu.cfs_quota_us=5000 @cpu/quota; cpu.cfs_burst_us=0 @cpu/burst; " +
				"cpu.rt_period_us=1000 @cpu/realtimePeriod; cpu.rt_runtime_us=950 @cpu/realtimeRuntime; cpu.idle=1 @cpu/idle; cpuset.cpus=0-1 @cpu/cpus; cpuset.mems=0 @cpu/mems",
		},
		{"pids", `{"pids":{"limit":5}}`, "pids.max=5 @pids/limit"},
		{"pids, 0 is a limit", `{"pids":{"limit":0}}`, "pids.max=0 @pids/limit"},
		{"pids, unlimited", `{"pids":{"limit":-7}}`, "pids.max=max @pids/limit"},
		{"devices, denied", `{"devices":[{"allow":false,"access":"rwm"}]}`, "devices.deny=a *:* rwm @devices/0; " + defaultDevices},
		{"devices, all allowed", `{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"access":"rwm"}]}`, "devices.allow=a *:* rwm @devices/1"},
		{
			"devices, a rule that a wider one covers, and a doubled one",
			`{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"access":"rwm"},{"allow":true,"type":"b","major":8,"minor":1,"access":"r"},{"allow":true,"type":"b","major":8,"minor":1,"access":"w"}]}`,
			"devices.deny=a *:* rwm @devices/0; devices.allow=c 1:* rwm @devices/1; devices.allow=b 8:1 rw @devices/2; devices.allow=c *:* m; devices.allow=b *:* m; " +
				"devices.allow=c 5:0 rwm; devices.allow=c 5:2 rwm; devices.allow=c 136:* rwm; devices.allow=c 10:200 rwm",
		},
		{
			"devices, taken back as a whole",
			`{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"},{"allow":false,"type":"c","major":10,"access":"w"}]}`,
			"devices.deny=a *:* rwm @devices/0; devices.allow=c 10:229 r @devices/1; " + defaultDevices,
		},
		{
			"devices, exceptions from all",
			`{"devices":[{"allow":true,"access":"rwm"},{"allow":false,"type":"b","access":"rwm"},{"allow":false,"type":"c","major":10,"minor":229,"access":"rw"},{"allow":true,"type":"c","major":10,"minor":229,"access":"r"}]}`,
			"devices.allow=a *:* rwm @devices/0; devices.deny=b *:* rw @devices/1; devices.deny=c 10:229 w @devices/2",
		},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := compile(t, r.resources)
			if s.Err != nil || len(s.Warnings) != 0 {
				t.Fatal(s.Err, s.Warnings)
			}
			var lines []string
			for _, set := range s.List {
				line := set.File + "=" + set.Value
				if set.Where != "" {
					line += " @" + strings.TrimPrefix(set.Where, "/linux/resources/")
				}
				lines = append(lines, line)
			}
			if got := strings.Join(lines, "; "); got != r.want {
				t.Errorf("got  %s\nwant %s", got, r.want)
			}
		})
	}
}

func TestSettingsRefused(t *testing.T) {
	rows := []struct {
		name, resources string
		kind            errs.Kind
		want            string
	}{
		{"swap below limit", `{"memory":{"limit":200,"swap":100}}`, errs.Invalid, "memory+swap is below the memory limit (config.json: /linux/resources/memory/swap)"},
		{"swappiness", `{"memory":{"swappiness":101}}`, errs.Invalid, "swappiness is above 100 (config.json: /linux/resources/memory/swappiness)"},
		{"unified", `{"unified":{"memory.high":"1"}}`, errs.Unsupported, "this host has cgroup v1 (config.json: /linux/resources/unified)"},
		{
			"a hole in what is allowed", `{"devices":[{"allow":true,"type":"c","major":10,"access":"rw"},{"allow":false,"type":"c","major":10,"minor":229,"access":"rw"}]}`,
			errs.Unsupported, "cgroup v1 cannot make an exception from the wider rule before it (config.json: /linux/resources/devices/1)",
		},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := compile(t, r.resources)
			if s.Err == nil || s.Err.Error() != r.want || errs.KindOf(s.Err) != r.kind {
				t.Errorf("got  %v\nwant %s", s.Err, r.want)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	s := compile(t, `{"memory":{"kernel":5,"useHierarchy":false}}`)
	if len(s.Warnings) != 2 || len(s.List) != 0 || s.Err != nil {
		t.Errorf("%+v", s)
	}
}
