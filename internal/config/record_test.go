package config

import (
	"reflect"
	"testing"
	"time"
)

func TestRecord(t *testing.T) {
	full := Record{
		Version: RecordVersion, ID: "web", Bundle: "/srv/\"a\"\\b\tc\x01 ü/web", Rootfs: "/srv/web/rootfs",
		Created: time.Date(2026, 11, 20, 18, 47, 1, 234567, time.UTC), BootID: "b", Creator: 12, Pid: 13, PidStart: 1 << 60,
		SharedPid: true, CgroupV2: true, Cgroup: []CgroupDir{{"memory", "/sys/fs/cgroup/memory/web", "/sys/fs/cgroup/memory"}, {"", "/x", "/"}}, Hooks: true,
	}
	empty := Record{Cgroup: []CgroupDir{}}
	for _, want := range []Record{full, empty} {
		got, err := ParseRecord(want.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("got  %+v\nwant %+v", *got, want)
		}
	}
}

// A creator that was killed may have left a part of it.
func TestHalfRecord(t *testing.T) {
	whole := (&Record{ID: "web", Cgroup: []CgroupDir{{"", "/x", "/"}}}).Append(nil)
	for n := range len(whole) - 1 {
		if _, err := ParseRecord(whole[:n]); err == nil {
			t.Errorf("%q is taken for a record", whole[:n])
		}
	}
}
