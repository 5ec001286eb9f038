package config

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestDecodeFaults: what Parse refuses, with place and line.
func TestDecodeFaults(t *testing.T) {
	deep := strings.Repeat(`{"x":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1)
	rows := []struct{ name, text, want string }{
		{"empty", "", "line 1: the document ends too early"},
		{"white space", " \n\t", "line 2: the document ends too early"},
		{"null", "null", "line 1: expected an object, found null"},
		{"array", "[]", "line 1: expected an object, found an array"},
		{"two documents", "{}\n{}", "line 2: data after the end of the document"},
		{"rubbish behind", "{} x", "line 1: syntax error in column 4: invalid character 'x' at start of value"},
		{"trailing comma", "{\"mounts\": [\n],}", "line 2: syntax error in column 2: invalid character ',' at start of value (no comma before a closing bracket)"},
		{"trailing comma in array", `{"a":[1,]}`, "line 1, /a: syntax error in column 8: invalid character ',' at start of value (no comma before a closing bracket)"},
		{"no colon", `{"root" 1}`, "line 1, /root: syntax error in column 9: invalid character '1' after object name (expecting ':')"},
		{"no comma", `{"hostname":"a" "x":1}`, "line 1: syntax error in column 17: invalid character '\"' after object value (expecting ',' or '}')"},
		{"no quotes", `{a:1}`, "line 1: syntax error in column 2: invalid character 'a' at start of value"},
		{"lone surrogate", `{"hostname":"\ud800"}`, "line 1, /hostname: syntax error in column 14: invalid surrogate pair `\\ud800\"}` in string"},
		{"not UTF-8", "{\"hostname\":\"\xff\"}", "line 1, /hostname: syntax error in column 14: invalid UTF-8"},
		{"control character", "{\"hostname\":\"a\nb\"}", "line 1, /hostname: syntax error in column 15: invalid character '\\n' in string (expecting non-control character)"},
		{"byte order mark", "\ufeff{}", "line 1: syntax error in column 1: invalid character '\\ufeff' at start of value"},
		{"binary", "\x7fELF\x02\x01", "line 1: syntax error in column 1: invalid character '\\x7f' at start of value"},
		{"string", `{"hostname": 5}`, "line 1, /hostname: expected a string, found a number"},
		{"boolean", `{"root": {"readonly": "yes"}}`, "line 1, /root/readonly: expected a boolean, found a string"},
		{"object", `{"root": [{}]}`, "line 1, /root: expected an object, found an array"},
		{"list", `{"mounts": {"a": [1, {}]}}`, "line 1, /mounts: expected an array, found an object"},
		{"table", `{"annotations": []}`, "line 1, /annotations: expected an object, found an array"},
		{"in a table", `{"annotations": {"a/b": true}}`, "line 1, /annotations/a~1b: expected a string, found a boolean"},
		{"null in a table", `{"annotations": {"a": null}}`, "line 1, /annotations/a: expected a value, found null"},
		{"null in a list", `{"process": {"args": ["a", null]}}`, "line 1, /process/args/1: expected an element, found null"},
		{"number", `{"process": {"oomScoreAdj": "1"}}`, "line 1, /process/oomScoreAdj: expected a whole number, found a string"},
		{"negative", `{"process": {"user": {"uid": -1}}}`, "line 1, /process/user/uid: -1 is out of range, 0 to 4294967295"},
		{"minus zero", `{"process": {"user": {"uid": -0}}}`, "line 1, /process/user/uid: -0 is out of range, 0 to 4294967295"},
		{"uint32", `{"process": {"user": {"uid": 4294967296}}}`, "line 1, /process/user/uid: 4294967296 is out of range, 0 to 4294967295"},
		{"uint64", `{"process": {"rlimits": [{"hard": 18446744073709551616}]}}`, "line 1, /process/rlimits/0/hard: 18446744073709551616 is out of range, 0 to 18446744073709551615"},
		{"int32", `{"process": {"scheduler": {"nice": -2147483649}}}`, "line 1, /process/scheduler/nice: -2147483649 is out of range, -2147483648 to 2147483647"},
		{"int64", `{"linux": {"resources": {"pids": {"limit": 9223372036854775808}}}}`, "line 1, /linux/resources/pids/limit: 9223372036854775808 is out of range, -9223372036854775808 to 9223372036854775807"},
		{"uint16", `{"linux": {"resources": {"blockIO": {"weight": 65536}}}}`, "line 1, /linux/resources/blockIO/weight: 65536 is out of range, 0 to 65535"},
		{"fraction", `{"process": {"user": {"uid": 1.0}}}`, "line 1, /process/user/uid: 1.0 is not a whole number without fraction and exponent"},
		{"exponent", `{"process": {"user": {"uid": 1e3}}}`, "line 1, /process/user/uid: 1e3 is not a whole number without fraction and exponent"},
		{"negative fraction", `{"process": {"user": {"uid": -1.5}}}`, "line 1, /process/user/uid: -1.5 is not a whole number without fraction and exponent"},
		{"too deep", deep, "line 1" + ", " + strings.Repeat("/x", maxDepth) + ": nested deeper than 64 levels"},
		{"several", "{\"hostname\": 1,\n\"root\": 2,\n\"mounts\": [3,\n{\"destination\": 4}]}", "line 1, /hostname: expected a string, found a number\n" +
			"line 2, /root: expected an object, found a number\nline 3, /mounts/0: expected an object, found a number\nline 4, /mounts/1/destination: expected a string, found a number"},
		{"types, then syntax", "{\"hostname\": 1,\n]", "line 1, /hostname: expected a string, found a number\nline 1: syntax error in column 15: invalid character ',' at start of value (no comma before a closing bracket)"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			doc, err := Parse([]byte(r.text))
			if err == nil {
				t.Fatalf("accepted: %+v", doc.Spec)
			}
			faultsOf(t, err)
			if err.Error() != r.want {
				t.Errorf("have %s\nwant %s", err, r.want)
			}
		})
	}
}

// TestDecodeWarnings: keys that Parse does not use.
func TestDecodeWarnings(t *testing.T) {
	rows := []struct{ name, text, want string }{
		{"null is absent", `{"root": null, "process": {"oomScoreAdj": null, "cwd": null}, "linux": {"sysctl": null}}`, ""},
		{"unknown", `{"xyzzy": {"deep": [1, {"root": null}]}, "hostname": "a"}`, `line 1, /xyzzy: unknown key "xyzzy" is ignored`},
		{"slip", "{\n\"process\": {\"arsg\": [1]}}", `line 2, /process/arsg: unknown key "arsg" is ignored (did you mean "args"?)`},
		{"case", `{"Hostname": "a"}`, `line 1, /Hostname: unknown key "Hostname" is ignored (did you mean "hostname"?)`},
		{"twice", "{\"hostname\": \"a\",\n\"hostname\": \"b\"}", `line 2, /hostname: key "hostname" appears again; the last one counts`},
		{"twice in a table", `{"annotations": {"a": "1", "a": "2"}}`, `line 1, /annotations/a: key "a" appears again; the last one counts`},
		{"other platform", `{"windows": {"layerFolders": []}}`, "line 1, /windows: ignored on Linux"},
		{"other platform, deeper", `{"process": {"commandLine": 5, "user": {"username": "x"}}}`, "line 1, /process/commandLine: ignored on Linux\nline 1, /process/user/username: ignored on Linux"},
		{"control character in a key", `{"a\u001bb": 1}`, `line 1, /a\x1bb: unknown key "a\x1bb" is ignored`},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			doc, err := Parse([]byte(r.text))
			if err != nil {
				t.Fatal(err)
			}
			if have := doc.Warnings.Error(); have != r.want {
				t.Errorf("have %s\nwant %s", have, r.want)
			}
		})
	}
}

// TestLastCounts: a second value replaces the first as a whole; it is not merged into it.
func TestLastCounts(t *testing.T) {
	doc, err := Parse([]byte(`{"root": {"path": "a", "readonly": true}, "root": {"path": "b"},
		"process": {"user": {"uid": 1}, "user": {"gid": 2}, "args": ["a", "b"], "args": ["c"]},
		"annotations": {"a": "1"}, "annotations": {"b": "2"}}`))
	if err != nil {
		t.Fatal(err)
	}
	s := doc.Spec
	if s.Root.Path != "b" || s.Root.Readonly || s.Process.User.UID != 0 || s.Process.User.GID != 2 || len(s.Process.Args) != 1 || len(s.Annotations) != 1 {
		t.Errorf("%+v %+v %v", s.Root, s.Process, s.Annotations)
	}
}

// TestManyFaults: a hostile document does not make rt hold a fault for each of its bytes.
func TestManyFaults(t *testing.T) {
	_, err := Parse([]byte(`{"process": {"args": [1` + strings.Repeat(",1", 4999) + `]}}`))
	faults := faultsOf(t, err)
	if len(faults) != maxFaults+1 || faults[maxFaults].Msg != "and 4000 more" {
		t.Errorf("%d faults, the last: %v", len(faults), faults[len(faults)-1])
	}
}

// TestDepth: the deepest document that is taken, and one level more inside a skipped value.
func TestDepth(t *testing.T) {
	for depth, want := range map[int]bool{maxDepth - 1: true, maxDepth: false} {
		_, err := Parse([]byte(`{"x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}"))
		if (err == nil) != want {
			t.Errorf("%d levels: %v", depth+1, err)
		}
	}
}

func TestSize(t *testing.T) {
	fits := append([]byte("{}"), bytes.Repeat([]byte(" "), MaxSize-2)...)
	if _, err := Parse(fits); err != nil {
		t.Error(err)
	}
	if _, err := Parse(append(fits, ' ')); err == nil {
		t.Error("one byte above MaxSize is accepted")
	}
}

// TestTruncated: no beginning of a document is taken for the whole.
func TestTruncated(t *testing.T) {
	whole, err := os.ReadFile("testdata/docker.min.json")
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		_, err := Parse(whole[:n:n])
		if faults := faultsOf(t, err); len(faults) == 0 || faults[len(faults)-1].Line != 1 {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
}
