package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// FuzzParse: what is accepted without a warning is read as encoding/json reads it, what is
// refused is refused by encoding/json too unless it breaks a rule that only rt has, and
// nothing panics, in validating and finding lines either. The seeds are small: the fuzzer
// spends its time on shrinking large ones.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{base, "", "null", "[]", `{"a":[1,]}`, `{"process":{"args":["\ud83d\ude00\n"],"oomScoreAdj":-1}}`,
		`{"linux":{"resources":{"blockIO":{"weightDevice":[{"major":1,"minor":2,"weight":3}]},"rdma":{"a":{"hcaHandles":1}}}}}`,
		`{"annotations":{"":"x"},"hooks":{"prestart":[{"path":"/x","timeout":0}]}}`, "\x00\xff", `{"hostname":"\u0000"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		doc, err := Parse(data)
		if !bytes.Equal(before, data) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			refused(t, data, err)
			return
		}
		accepted(t, data, doc)
	})
}

func accepted(t *testing.T, data []byte, doc *Document) {
	if !json.Valid(data) {
		t.Fatal("accepted, but not JSON")
	}
	if len(doc.Warnings) == 0 {
		var want specs.Spec
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("encoding/json refuses it: %v", err)
		}
		if !reflect.DeepEqual(&want, doc.Spec) {
			t.Fatalf("encoding/json reads\n%+v\nnot\n%+v", want, *doc.Spec)
		}
	}
	for _, fault := range faultsOf(t, doc.Validate()) {
		if fault.Line == 0 && fault.Where != "" {
			t.Errorf("no line: %v", fault)
		}
	}
}

// refused: a document that encoding/json takes, without what only rt refuses, has no fault.
func refused(t *testing.T, data []byte, err error) {
	for _, fault := range faultsOf(t, err) {
		if fault.Line < 1 && len(data) <= MaxSize {
			t.Errorf("no line: %v", fault)
		}
	}
	lower := bytes.ToLower(data)
	stricter := !utf8.Valid(data) || bytes.Contains(lower, []byte(`\ud`)) || bytes.Contains(data, []byte("null")) ||
		bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) >= maxDepth
	var want specs.Spec
	if wantErr := json.Unmarshal(data, &want); wantErr == nil && !stricter && !caseless(data) {
		t.Errorf("encoding/json takes it, rt says %v", err)
	}
}

// caseless: with a key in another case encoding/json and rt look at different values.
func caseless(data []byte) bool {
	var strict specs.Spec
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(&strict) != nil
}
