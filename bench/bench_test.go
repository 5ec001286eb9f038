package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestQuantile(t *testing.T) {
	for _, row := range []struct {
		values []float64
		q      float64
		want   float64
	}{
		{nil, 0.5, 0},
		{[]float64{7}, 0.75, 7},
		{[]float64{1, 2, 3, 4, 5}, 0.25, 2},
		{[]float64{1, 2, 3, 4, 5}, 0.5, 3},
		{[]float64{1, 2}, 0.5, 1.5},
		{[]float64{1, 2, 3, 4}, 0.75, 3.25},
	} {
		if got := quantile(row.values, row.q); got != row.want {
			t.Errorf("quantile(%v, %v) = %v, want %v", row.values, row.q, got, row.want)
		}
	}
}

func TestRatios(t *testing.T) {
	results := withRatios([]result{
		{Case: "run", Subject: "rt", P50: 3}, {Case: "run", Subject: "crun", P50: 6},
		{Case: "run", Subject: "rt", P50: 4, IdleMS: 100}, {Case: "exec", Subject: "rt", P50: 5},
	})
	for i, want := range []float64{0.5, 1, 0, 0} {
		if results[i].Ratio != want {
			t.Errorf("%+v: ratio %v, want %v", results[i], results[i].Ratio, want)
		}
	}
}

func TestTimedSeesFailure(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, err := newRunner(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ script, want string }{
		{"exit 0", ""},
		{"echo no such thing >&2; exit 3", "exit 3: no such thing"},
		{"kill -9 $$", "killed by SIGKILL"},
	} {
		_, err := r.timed([]string{"/bin/sh", "-c", row.script})
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.script, err, row.want)
		}
	}
}

func TestLeftGroupsFindsOne(t *testing.T) {
	prefix := fmt.Sprintf("rtbench-test-%d-", os.Getpid())
	group := "/sys/fs/cgroup/pids/" + prefix + "x"
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skip("needs root and a v1 pids hierarchy: ", err)
	}
	left, err := leftGroups(prefix)
	if removed := os.Remove(group); removed != nil {
		t.Fatal(removed)
	}
	if err != nil || len(left) != 1 || left[0] != group {
		t.Errorf("leftGroups = %v, %v, want %s", left, err, group)
	}
	if left, err = leftGroups(prefix); err != nil || len(left) != 0 {
		t.Errorf("leftGroups = %v, %v after removal", left, err)
	}
}

func TestCheckPeak(t *testing.T) {
	for _, row := range []struct {
		text string
		ok   bool
	}{{"4096", true}, {"0", false}, {"", false}} {
		if err := checkPeak(row.text); (err == nil) != row.ok {
			t.Errorf("checkPeak(%q) = %v", row.text, err)
		}
	}
}
