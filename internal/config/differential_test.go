package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// fill sets every field that Linux has to something else than zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			platforms := v.Type().Field(i).Tag.Get("platform")
			if platforms == "" || slices.Contains(strings.Split(platforms, ","), "linux") {
				fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Map:
		element := reflect.New(v.Type().Elem()).Elem()
		fill(element)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k").Convert(v.Type().Key()), element)
	case reflect.String:
		v.SetString("s\"\\\u00e4\U0001f511")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(-7)
	default:
		v.SetUint(7)
	}
}

func filled(t *testing.T) []byte {
	t.Helper()
	var spec specs.Spec
	fill(reflect.ValueOf(&spec).Elem())
	data, err := json.Marshal(&spec)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEveryField(t *testing.T) {
	data := filled(t)
	doc, err := Parse(data)
	if err != nil || len(doc.Warnings) > 0 {
		t.Fatal(err, doc)
	}
	accepted(t, data, doc)
	if doc.Spec.Linux.Resources.BlockIO.WeightDevice[1].Major != -7 || *doc.Spec.Linux.Seccomp.Syscalls[1].ErrnoRet != 7 {
		t.Error("the specification was not filled")
	}
}

// probes stand in for each value.
var probes = []string{
	"null", "true", "0", "-0", "-1", "255", "256", "65536", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616",
	"-9223372036854775808", "-9223372036854775809", "-2147483649", "1.5", "1.0", "1e2", "1E400", `""`, `"\u0041\ud83d\ude00"`, "[]", "{}", `["a"]`, `{"k":1}`,
}

// TestEveryValue: each value of the filled specification, replaced by each probe, is read as
// encoding/json reads it, or refused where that refuses it.
func TestEveryValue(t *testing.T) {
	data := filled(t)
	spans := valueSpans(data)
	if len(spans) < 300 {
		t.Fatalf("only %d values", len(spans))
	}
	for _, span := range spans {
		for _, probe := range probes {
			edited := slices.Concat(data[:span.start], []byte(probe), data[span.end:])
			doc, err := Parse(edited)
			var want specs.Spec
			wantErr := json.Unmarshal(edited, &want)
			if probe == "null" && span.strict {
				wantErr = errNull
			}
			switch {
			case (err == nil) != (wantErr == nil):
				t.Errorf("%s at %s: rt says %v, encoding/json says %v", probe, span.pointer, err, wantErr)
			case err != nil && (len(faultsOf(t, err)) != 1 || faultsOf(t, err)[0].Where != span.pointer):
				t.Errorf("%s at %s: %v", probe, span.pointer, err)
			case err == nil && len(doc.Warnings) == 0 && !reflect.DeepEqual(&want, doc.Spec):
				t.Errorf("%s at %s is read otherwise", probe, span.pointer)
			}
		}
	}
}

// errNull stands for what encoding/json does not refuse: null as an element or as the whole.
var errNull = errors.New("null is no value here")

// span is where a value stands; strict: it cannot be absent.
type span struct {
	start, end int
	pointer    string
	strict     bool
}

func valueSpans(data []byte) []span {
	in := jsontext.NewDecoder(bytes.NewBuffer(data))
	var spans []span
	for {
		token, err := in.ReadToken()
		if err != nil {
			return spans
		}
		kind, length := in.StackIndex(in.StackDepth())
		if kind == '{' && length%2 == 1 || token.Kind() == '}' || token.Kind() == ']' {
			continue // a name, or the end of what began before
		}
		start := int(in.InputOffset()) - len(token.String())
		if token.Kind() == '"' {
			start = bytes.LastIndexByte(data[:start], ':') // replaced below
		}
		spans = append(spans, span{start: start, pointer: string(in.StackPointer())})
	}
}
