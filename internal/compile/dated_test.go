package compile

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestPidsOfZero(t *testing.T) {
	rows := []struct {
		version string
		limit   int64
		kept    bool
	}{
		{"1.0.2-dev", 0, false}, {"1.2.1", 0, false}, {"1.0.0", 1, true}, {"1.0.0", -1, true},
		{"1.3.0", 0, true}, {"1.3.0-rc.1", 0, true}, {"1.10.0", 0, true},
	}
	for _, row := range rows {
		r := &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &row.limit}}
		if got := Dated(row.version, r); (got.Pids != nil) != row.kept || r.Pids == nil {
			t.Errorf("%s, %d: %v, of %v", row.version, row.limit, got.Pids, r.Pids)
		}
	}
	if Dated("1.0.0", nil) != nil {
		t.Error("resources out of nothing")
	}
}
