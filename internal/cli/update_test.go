package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rt/libcontainer"
)

// TestUpdateFlags: what the flags ask for, as resources.
func TestUpdateFlags(t *testing.T) {
	for _, row := range []struct{ flags, want string }{
		{"", `{}`},
		{"--memory= --cpu-quota= --cpu-share= --cpuset-cpus=", `{}`},
		{"--memory 64M --memory-swap -1 --memory-reservation 1.5g", `{"memory":{"limit":67108864,"reservation":1610612736,"swap":-1}}`},
		{"--cpu-period 1000 --cpu-quota -1 --cpu-burst 0 --cpu-share 7", `{"cpu":{"shares":7,"quota":-1,"burst":0,"period":1000}}`},
		{"--cpu-rt-period 9 --cpu-rt-runtime 8 --cpu-idle 0", `{"cpu":{"realtimeRuntime":8,"realtimePeriod":9,"idle":0}}`},
		{"--cpuset-cpus 0-1 --cpuset-mems=0", `{"cpu":{"cpus":"0-1","mems":"0"}}`},
		{"--pids-limit 0 --blkio-weight 10", `{"pids":{"limit":0},"blockIO":{"weight":10}}`},
	} {
		r := &recorder{}
		res := r.rt(append(append([]string{"update"}, strings.Fields(row.flags)...), "a")...)
		equal(t, row.flags, res, result{})
		o := r.only(t).args[1].(libcontainer.UpdateOptions)
		got, err := json.Marshal(o.Resources)
		equal(t, row.flags, []any{string(got), err, o.DryRun}, []any{row.want, nil, false})
	}
}

func TestUpdateWrong(t *testing.T) {
	for _, row := range []struct{ flags, text string }{
		{"--memory x", `rt: invalid value "x" for flag -memory: not a size such as 64m, 1.5g or -1`},
		{"--memory -2", `rt: invalid value "-2" for flag -memory: not a size`},
		{"--memory 9999999999g", `rt: invalid value "9999999999g" for flag -memory: not a size`},
		{"--memory m", `rt: invalid value "m" for flag -memory: not a size`},
		{"--cpu-period -1", `rt: invalid value "-1" for flag -cpu-period: invalid syntax`},
		{"--blkio-weight 70000", `rt: invalid value "70000" for flag -blkio-weight: value out of range`},
		{"--blkio-weight 9", "rt: /blockIO/weight: 9 is not between 10 and 1000"},
		{"--cpuset-cpus x", `rt: /cpu/cpus: "x" is not a list`},
		{"--l3-cache-schema L3:0=f", "rt: --l3-cache-schema: not supported by this version of rt"},
		{"--mem-bw-schema MB:0=20", "rt: --mem-bw-schema: not supported by this version of rt"},
		{"--resources /nosuch", "rt: open /nosuch: no such file or directory"},
	} {
		r := &recorder{}
		res := r.rt(append(append([]string{"update"}, strings.Fields(row.flags)...), "a")...)
		if res.code != 1 || !strings.HasPrefix(res.stderr, row.text) || len(r.calls) > 0 {
			t.Errorf("%s: exit %d, %d calls, %s", row.flags, res.code, len(r.calls), res.stderr)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "-1": -1, "7": 7, "7b": 7, "1k": 1024, "1K": 1024, "1kb": 1024, "1KiB": 1024, "2 MB": 2 << 20, "3g": 3 << 30, "1t": 1 << 40, "1P": 1 << 50,
		"0.5k": 512, "9223372036854775807": 1<<63 - 1} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"k", "b", ".", "1.2.3", "-5", "1e3", "0x10", "1kk", "+1", " 1", "9223372036854775808", "8589934592g", "NaN", "inf"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestUpdateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"pids": {"limit": 5}}`)
	r := &recorder{}
	equal(t, "ignored", r.rt("update", "-r", file, "--memory", "1m", "--kernel-memory=1m", "a"), result{stderr: "rt: warning: --kernel-memory is ignored: Linux has no limit of kernel memory since 5.16\n" +
		"rt: warning: with --resources the flags for single limits are ignored\n"})
	o := r.only(t).args[1].(libcontainer.UpdateOptions)
	equal(t, "of the file", []any{*o.Resources.Pids.Limit, o.Resources.Memory == nil}, []any{int64(5), true})

	write("{\"pids\": {\n\"limit\": 5, \"limt\": 6}, \"cpu\": {\"quota\": -7}}")
	equal(t, "faults", (&recorder{}).rt("update", "-r", file, "a"), result{code: 1, stderr: "rt: warning: " + file + `: line 2, /pids/limt: unknown key "limt" is ignored (did you mean "limit"?)` + "\n" +
		"rt: " + file + ": line 2, /cpu/quota: -7 is neither -1 nor at least 1000\n"})
}

func TestUpdateDryRun(t *testing.T) {
	r := &recorder{changes: []libcontainer.Change{{Path: "/a/pids.max", Old: "5", New: "max"}, {Path: "/b/devices.allow", New: "c 1:3 r"}}}
	equal(t, "dry run", r.rt("update", "--dry-run", "a"), result{stdout: "/a/pids.max: 5 → max\n/b/devices.allow: c 1:3 r\n"})
	equal(t, "without", r.rt("update", "a"), result{})
}
