package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// What needs no container needs no root: these rows run for every caller.
func TestUsage(t *testing.T) {
	for _, row := range []struct {
		name   string
		args   string
		code   int
		stdout match
		stderr match
		peers
	}{
		{name: "version", args: "--version", stdout: like(`^(rt|runc|crun) version \S+\ncommit: \S+\nspec: [0-9]\S+\n`)},
		{name: "version, short", args: "-v", stdout: like(`^(rt|runc|crun) version `)},
		{name: "help", args: "--help", stdout: like(`(?s)create.*delete.*exec.*start`)},
		{name: "help of a command", args: "create --help", stdout: has("--bundle")},
		{name: "no command", args: "", stdout: has("create")},
		{name: "unknown flag", args: "--foo", code: 1, stderr: has("flag provided but not defined: -foo")},
		{name: "unknown flag of a command", args: "delete --foo x", code: 1, stderr: has("flag provided but not defined: -foo")},
		{name: "unknown command", args: "frob", code: 3, stderr: has("No help topic for 'frob'")},
		{name: "missing id", args: "state", code: 1, stderr: has("requires")},
		{name: "too many ids", args: "state a b", code: 1, stderr: has("requires")},
		{name: "bad log format", args: "--log-format frob list", code: 1, stderr: has("frob")},
		{name: "features", args: "features", stdout: has(`"ociVersionMin"`)},
		{name: "features: what containerd asks", args: "features", stdout: has(`"rro"`)},
	} {
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, row.peers)
			c := command{args: append([]string{it.bin}, strings.Fields(row.args)...), dir: it.base, env: []string{"PATH=/usr/bin:/bin"}}
			want(t, c.run(t), row.code, row.stdout, row.stderr)
		})
	}
}

// TestSpec: what `spec` prints is the default config that the other tests start from.
func TestSpec(t *testing.T) {
	needBinary(t, peers{})
	dir := t.TempDir()
	run := func(args ...string) result { return command{args: append([]string{it.bin}, args...), dir: dir}.run(t) }
	run("spec").must(t)
	b, err := os.ReadFile(dir + "/config.json")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	p := got["process"].(map[string]any)
	p["args"], got["ociVersion"], got["hostname"] = []string{"true"}, "", "runc" // the hostname is free
	delete(p, "terminal")
	def := rootSpec()
	def.Version = ""
	if a, b := canonical(t, got), canonical(t, def); a != b {
		t.Errorf("spec:  %s\ntests: %s", a, b)
	}
	if r := run("spec"); r.code != 1 {
		t.Errorf("overwrites: %v", r)
	}
	run("spec", "--rootless", "--bundle", t.TempDir()).must(t)
}

// canonical is v as JSON with sorted keys.
func canonical(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var any map[string]any
	if err := json.Unmarshal(b, &any); err != nil {
		t.Fatal(err)
	}
	b, _ = json.Marshal(any)
	return string(b)
}

// noTerminal: this version refuses the terminal that `spec` writes.
func noTerminal(t *testing.T, path string) {
	raw, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, bytes.Replace(raw, []byte(`"terminal": true`), []byte(`"terminal": false`), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestPlan(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	dir := t.TempDir()
	run := func(args ...string) result { return command{args: append([]string{it.bin}, args...), dir: dir}.run(t) }
	run("spec").must(t)
	noTerminal(t, dir+"/config.json")
	want(t, run("plan", dir), 0, like(`(?s)mount.*pivot.*exec`), is(""))
	if r := run("plan", "--json", dir).must(t); !json.Valid([]byte(r.stdout)) {
		t.Errorf("not JSON: %s", r.stdout)
	}
	want(t, run("plan", "--explain", "/mounts/3", dir), 0, has("/dev/shm"), is(""))
	want(t, run("plan", "/nosuch"), 1, is(""), has("no such file or directory"))
}

// TestLog: managers read exactly one JSON object when a command fails.
func TestLog(t *testing.T) {
	for _, row := range []struct {
		name    string
		command string
		text    string
	}{
		{"absent", "state ID", "does not exist"},
		{"bad bundle", "create --bundle /nosuch ID", "no such file or directory"},
		{"missing program", "run --bundle BUNDLE ID", "executable file not found in $PATH"},
		{"unknown flag", "state --foo ID", "flag provided but not defined"},
		{"exec", "exec ID true", "does not exist"},
	} {
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, peers{})
			watch(t)
			c := newContainer(t, args("nosuch"))
			file := c.bundle + "/log.json"
			r := c.rt(append([]string{"--log", file, "--log-format", "json"}, c.fill(row.command)...)...)
			if r.code == 0 || !strings.Contains(r.stderr, row.text) {
				t.Errorf("stderr has the error too: %v", r)
			}
			checkLog(t, file, row.text)
		})
	}
}

func checkLog(t *testing.T, file, text string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	var entry struct{ Level, Msg, Time string }
	if err := json.Unmarshal([]byte(lines[0]), &entry); err != nil || len(lines) != 1 {
		t.Fatalf("want one JSON object: %v\n%s", err, b)
	}
	if _, err := time.Parse(time.RFC3339Nano, entry.Time); err != nil || entry.Level != "error" || !strings.Contains(entry.Msg, text) {
		t.Errorf("%v %+v", err, entry)
	}
}
