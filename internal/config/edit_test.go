package config

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// base is a valid configuration that the rows of the tests edit.
const base = `{
	"ociVersion": "1.0.2-dev",
	"process": {"user": {"uid": 0, "gid": 0}, "args": ["sh"], "env": ["PATH=/bin"], "cwd": "/"},
	"root": {"path": "rootfs"},
	"mounts": [
		{"destination": "/proc", "type": "proc", "source": "proc"},
		{"destination": "/data", "source": "/srv", "options": ["rbind", "ro"]},
		{"destination": "/tmp", "type": "tmpfs", "options": ["nosuid", "size=1m"]}
	],
	"linux": {
		"namespaces": [{"type": "mount"}, {"type": "uts"}, {"type": "ipc"}, {"type": "network"}, {"type": "pid"}],
		"resources": {},
		"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ERRNO"}]}
	}
}`

// row is an edit of base, and the one fault that it has to give.
type row struct {
	name  string
	edits string // POINTER = JSON, one per line; "-" as an index appends, no JSON deletes
	where string
	msg   string // a part of it; "" for no fault
	hint  string // a part of it
}

func edited(t *testing.T, edits string) []byte {
	t.Helper()
	var doc any
	if err := json.Unmarshal([]byte(base), &doc); err != nil {
		t.Fatal(err)
	}
	for edit := range strings.Lines(edits) {
		pointer, value, _ := strings.Cut(strings.TrimSpace(edit), " = ")
		var v any
		if value != "" {
			decoder := json.NewDecoder(strings.NewReader(value))
			decoder.UseNumber()
			if err := decoder.Decode(&v); err != nil {
				t.Fatalf("%s: %v", edit, err)
			}
		}
		doc = set(doc, strings.Split(pointer, "/")[1:], v, value == "")
	}
	out, err := json.MarshalIndent(doc, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func set(doc any, steps []string, v any, remove bool) any {
	if len(steps) == 0 {
		return v
	}
	if list, ok := doc.([]any); ok {
		if steps[0] == "-" {
			return append(list, v)
		}
		i, _ := strconv.Atoi(steps[0])
		list[i] = set(list[i], steps[1:], v, remove)
		return list
	}
	object, ok := doc.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	key := strings.ReplaceAll(strings.ReplaceAll(steps[0], "~1", "/"), "~0", "~")
	if remove && len(steps) == 1 {
		delete(object, key)
		return object
	}
	object[key] = set(object[key], steps[1:], v, remove)
	return object
}

// check runs rows: exactly the one fault, at a line that is known.
func check(t *testing.T, rows []row) {
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			doc, err := Parse(edited(t, r.edits))
			if err != nil {
				t.Fatal(err)
			}
			one(t, r, faultsOf(t, doc.Validate()))
		})
	}
}

func one(t *testing.T, r row, have Faults) {
	t.Helper()
	if r.msg == "" {
		if len(have) > 0 {
			t.Fatalf("want no fault, have:\n%v", have)
		}
		return
	}
	if len(have) != 1 {
		t.Fatalf("want one fault, have %d:\n%v", len(have), have)
	}
	f := have[0]
	if f.Where != r.where || !strings.Contains(f.Msg, r.msg) || !strings.Contains(f.Hint, r.hint) || f.Line == 0 {
		t.Errorf("have %v\nwant %s: … %s … (%s)", f, r.where, r.msg, r.hint)
	}
}
