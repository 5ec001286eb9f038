package rootfs

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestSplit: a mount waits for the cgroup if one that waits lies above or below it.
func TestSplit(t *testing.T) {
	for _, r := range []struct {
		mounts string // destinations; a "*" makes it a cgroup mount
		want   []bool
	}{
		{"/a /b", []bool{false, false}},
		{"/a /cg* /b", []bool{false, true, false}},
		{"/cg /cg* /cg", []bool{false, true, true}},
		{"/sys /sys/fs/cgroup* /sys", []bool{false, true, true}},
		{"/sys/fs/cgroup* /sys/fs/cgroup/x /sys/fs/cgroupx", []bool{true, true, false}},
		{"/a/cg* /a /a/b /c", []bool{true, true, true, false}}, // b lies on a, which waits
		{"/cg* / /x", []bool{true, true, true}},
		{"cg/../cg2* //cg2/./x", []bool{true, true}},
	} {
		var list []specs.Mount
		for _, dst := range strings.Fields(r.mounts) {
			m := specs.Mount{Destination: strings.TrimSuffix(dst, "*"), Type: "tmpfs"}
			if strings.HasSuffix(dst, "*") {
				m.Type = "cgroup"
			}
			list = append(list, m)
		}
		if got := Split(list); !slices.Equal(got, r.want) {
			t.Errorf("%s: %v, expected %v", r.mounts, got, r.want)
		}
	}
}
