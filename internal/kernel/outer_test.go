package kernel

import (
	"os"
	"testing"
)

func TestOuterID(t *testing.T) {
	const rows = "         0     100000      10\n      1000     200000          1\n"
	for _, row := range []struct {
		rows      string
		id, outer uint32
		ok        bool
	}{
		{rows, 0, 100000, true}, {rows, 9, 100009, true}, {rows, 10, 0, false}, {rows, 999, 0, false},
		{rows, 1000, 200000, true}, {rows, 1001, 0, false}, {"", 0, 0, false},
		{"0 0 4294967295\n", 4294967294, 4294967294, true}, {"0 0 4294967295\n", 4294967295, 0, false},
	} {
		if outer, ok := outerID(row.rows, row.id); outer != row.outer || ok != row.ok {
			t.Errorf("%d of %q: %d, %v; want %d, %v", row.id, row.rows, outer, ok, row.outer, row.ok)
		}
	}
	uid := uint32(os.Getuid())
	if outer, ok, err := OuterUID(os.Getpid(), uid); outer != uid || !ok || err != nil {
		t.Errorf("own uid %d: %d, %v, %v", uid, outer, ok, err)
	}
}
