package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

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
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
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
	if doc.Spec.Linux.Resources.BlockIO.WeightDevice[0].Major != -7 || *doc.Spec.Linux.Seccomp.Syscalls[0].ErrnoRet != 7 {
		t.Error("the specification was not filled")
	}
}

// probes stand in for each value.
var probes = []string{
	"null", "true", "0", "-0", "-1", "255", "256", "65536", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616",
	"-9223372036854775808", "-9223372036854775809", "-2147483649", "1.5", "1.0", "1e2", "1E400", `""`, `"\u0041\ud83d\ude00"`, "[]", "{}", `["a"]`, `{"k":1}`,
}

// errNull stands for what encoding/json does not refuse: null as an element.
var errNull = errors.New("null is not an element")

// TestEveryValue: each value of the filled specification, replaced by each probe, is read as
// encoding/json reads it, or refused where that refuses it.
func TestEveryValue(t *testing.T) {
	var doc any
	d := json.NewDecoder(bytes.NewReader(filled(t)))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	values := 0
	everyValue(doc, "", func(pointer string, element bool, put func(any)) {
		values++
		for _, probe := range probes {
			put(json.RawMessage(probe))
			data, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, data, pointer, probe, element)
		}
	})
	if values < 250 {
		t.Errorf("only %d values", values)
	}
}

// everyValue calls try with each value below v, and puts the value back after it.
func everyValue(v any, at string, try func(pointer string, element bool, put func(any))) {
	switch v := v.(type) {
	case map[string]any:
		for key, old := range v {
			everyValue(old, at+"/"+key, try)
			try(at+"/"+key, key == "k", func(probe any) { v[key] = probe })
			v[key] = old
		}
	case []any:
		for i, old := range v {
			everyValue(old, at+"/"+strconv.Itoa(i), try)
			try(at+"/"+strconv.Itoa(i), true, func(probe any) { v[i] = probe })
			v[i] = old
		}
	}
}

func compare(t *testing.T, data []byte, pointer, probe string, element bool) {
	t.Helper()
	var want specs.Spec
	wantErr := json.Unmarshal(data, &want)
	if probe == "null" && element {
		wantErr = errNull
	}
	doc, err := Parse(data)
	if (err == nil) != (wantErr == nil) {
		t.Errorf("%s at %s: rt says %v, encoding/json says %v", probe, pointer, err, wantErr)
		return
	}
	if err == nil {
		if len(doc.Warnings) == 0 && !reflect.DeepEqual(&want, doc.Spec) {
			t.Errorf("%s at %s is read otherwise", probe, pointer)
		}
		return
	}
	if faults := faultsOf(t, err); len(faults) != 1 || !strings.HasPrefix(faults[0].Where, pointer) {
		t.Errorf("%s at %s: %v", probe, pointer, err)
	}
}
