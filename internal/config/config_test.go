package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// faultsOf takes the faults out of an error, which has to be of the kind Invalid.
func faultsOf(t *testing.T, err error) Faults {
	t.Helper()
	if err == nil {
		return nil
	}
	faults, ok := errors.AsType[Faults](err)
	if !ok || errs.KindOf(err) != errs.Invalid {
		t.Fatalf("not an errs.Invalid around Faults: %v", err)
	}
	return faults
}

func TestBase(t *testing.T) {
	doc, err := Parse([]byte(base))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(); err != nil || len(doc.Warnings) > 0 {
		t.Errorf("%v %v", err, doc.Warnings)
	}
}

// TestGood: large configurations are read as encoding/json reads them, and have no faults.
func TestGood(t *testing.T) {
	for _, name := range []string{"docker.json", "docker.min.json"} {
		doc, err := Load(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		var want specs.Spec
		if err := json.Unmarshal(doc.Raw, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(&want, doc.Spec) {
			t.Errorf("%s: encoding/json reads it otherwise", name)
		}
		if err := doc.Validate(); err != nil || len(doc.Warnings) > 0 {
			t.Errorf("%s: %v %v", name, err, doc.Warnings)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := write(t, dir, "broken.json", []byte("{"))
	large := write(t, dir, "large.json", bytes.Repeat([]byte(" "), MaxSize+1))
	rows := []struct {
		name, path string
		kind       errs.Kind
		text       string
	}{
		{"missing", filepath.Join(dir, "config.json"), errs.NotFound, "JSON specification file config.json not found"},
		{"directory", dir, errs.Invalid, "read " + dir + ": not a regular file"},
		{"fifo", fifo, errs.Invalid, "read " + fifo + ": not a regular file"},
		{"device", "/dev/zero", errs.Invalid, "read /dev/zero: not a regular file"},
		{"not a directory", broken + "/config.json", errs.Kernel, "open " + broken + "/config.json: not a directory"},
		{"broken", broken, errs.Invalid, broken + ": line 1: the document ends too early"},
		{"too large", large, errs.Invalid, large + ": larger than 16777216 bytes"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			_, err := Load(r.path)
			if err == nil || err.Error() != r.text || errs.KindOf(err) != r.kind {
				t.Errorf("have %v (%v), want %s (%v)", err, errs.KindOf(err), r.text, r.kind)
			}
		})
	}
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAllAtOnce: every fault, in the document's order, each with its line.
func TestAllAtOnce(t *testing.T) {
	const text = `{
  "ociVersion": "2.0.0",
  "process": {
    "args": ["sh", "a\u0000b"],
    "cwd": "tmp",
    "env": [
      "A=1",
      "B"
    ]
  },
  "root": {"path": "r"},
  "mounts": [
    {"destination": "/d", "source": "/s", "options": [
      "bind",
      "rox"
    ]}
  ],
  "linux": {
    "sysctl": {"net/../kernel/core_pattern": "x"},
    "namespaces": [{"type": "netwrk"}]
  }
}`
	want := []string{
		`line 2, /ociVersion: version "2.0.0" is not supported, only 1.x is`,
		`line 4, /process/args/1: contains a NUL byte`,
		`line 5, /process/cwd: "tmp" is not an absolute path (did you mean "/tmp"?)`,
		`line 8, /process/env/1: variable "B" has no value (did you mean "B="?)`,
		`line 15, /mounts/0/options/1: unknown option "rox" of a bind mount (did you mean "ro"?)`,
		`line 19, /linux/sysctl/net~1..~1kernel~1core_pattern: "net/../kernel/core_pattern" is not the name of a kernel parameter`,
		`line 20, /linux/namespaces/0/type: unknown namespace type "netwrk" (did you mean "network"?)`,
	}
	doc, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if have := doc.Validate(); have == nil || have.Error() != strings.Join(want, "\n") {
		t.Errorf("have\n%v\nwant\n%s", have, strings.Join(want, "\n"))
	}
}

// TestWarnings: validating twice does not double them, and those of decoding stay.
func TestWarnings(t *testing.T) {
	raw := edited(t, `/hostnme = "x"
		/process/capabilities = {"bounding": ["CAP_SYS_ADMN", "CAP_FROM_THE_FUTURE"]}
		/mounts/2/options = ["ro", "rw", "noatime", "relatime", "rshared", "private", "sync", "async", "suid", "nosuid", "nosuid", "ro"]
		/mounts/2/destination = "tmp"`)
	doc, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := doc.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		"/hostnme":                         `unknown key "hostnme" is ignored (did you mean "hostname"?)`,
		"/process/capabilities/bounding/0": `unknown capability "CAP_SYS_ADMN" (did you mean "CAP_SYS_ADMIN"?)`,
		"/process/capabilities/bounding/1": `unknown capability "CAP_FROM_THE_FUTURE"`,
		"/mounts/2/destination":            `"tmp" is not an absolute path; taken as from / (did you mean "/tmp"?)`,
		"/mounts/2/options/1":              `"rw" contradicts an earlier option; the last one counts`,
		"/mounts/2/options/3":              `"relatime" contradicts an earlier option; the last one counts`,
		"/mounts/2/options/5":              `"private" contradicts "rshared"; the last one counts`,
		"/mounts/2/options/9":              `"nosuid" contradicts an earlier option; the last one counts`,
		"/mounts/2/options/11":             `"ro" contradicts an earlier option; the last one counts`,
		"/mounts/2/options/7":              `"async" contradicts "sync"; the last one counts`,
	}
	for _, w := range doc.Warnings {
		if text := w.String(); !strings.HasSuffix(text, w.Where+": "+want[w.Where]) || w.Line == 0 {
			t.Errorf("have %s\nwant %s", text, want[w.Where])
		}
	}
	if len(doc.Warnings) != len(want) {
		t.Errorf("%d warnings, want %d", len(doc.Warnings), len(want))
	}
}

func TestLine(t *testing.T) {
	doc := &Document{Raw: []byte("{\n\"a\": [1,\n 2,\n {\"b/c\": 3,\n\"b/c\": 4}]\n}")}
	rows := []struct {
		pointer string
		line    int
	}{{"", 1}, {"/a", 2}, {"/a/0", 2}, {"/a/1", 3}, {"/a/2/b~1c", 5}, {"/a/2/x/y", 4}, {"/a/9", 2}, {"/x", 1}}
	for _, r := range rows {
		if have := doc.Line(r.pointer); have != r.line {
			t.Errorf("%q: line %d, want %d", r.pointer, have, r.line)
		}
	}
	if have := (&Document{}).Line("/a"); have != 0 {
		t.Errorf("without Raw: line %d", have)
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"bind", "network", "ro", "rw", "user"}
	rows := []struct{ name, want string }{
		{"rox", "ro"}, {"netwrok", "network"}, {"NETWORK", "network"}, {"usr", "user"}, {"bnid", "bind"},
		{"xx", ""}, {"networking", ""}, {"", ""}, {"something", ""},
	}
	for _, r := range rows {
		want := ""
		if r.want != "" {
			want = didYouMean(r.want)
		}
		if have := suggest(r.name, names); have != want {
			t.Errorf("%q: %s, want %s", r.name, have, want)
		}
	}
}

func TestProcess(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir, "good.json", []byte(`{"args": ["ls"], "cwd": "/", "user": {"uid": 1}, "evn": []}`))
	p, warnings, err := LoadProcess(good)
	if err != nil || len(p.Args) != 1 || p.User.UID != 1 || len(warnings) != 1 || warnings[0].Where != "/evn" {
		t.Errorf("%v %v %v", p, warnings, err)
	}
	_, _, err = LoadProcess(filepath.Join(dir, "-"))
	if errs.KindOf(err) != errs.NotFound {
		t.Errorf("missing file: %v", err)
	}
	_, _, err = ParseProcess([]byte("{\"args\": [],\n\"cwd\": \"x\"}"))
	const want = "line 1, /args: is missing or empty: there is nothing to run\n" + `line 2, /cwd: "x" is not an absolute path (did you mean "/x"?)`
	if err == nil || err.Error() != want || errs.KindOf(err) != errs.Invalid {
		t.Errorf("have %v", err)
	}
	_, _, err = ParseProcess([]byte(`{"args": "ls"}`))
	if faults := faultsOf(t, err); len(faults) != 1 || faults[0].Where != "/args" {
		t.Errorf("have %v", err)
	}
}
