package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"rt/internal/config"
	"rt/internal/errs"
)

var attach = errs.At("/mounts/3", "attach", "/x", syscall.EPERM)

// TestLog has where a failure, and a success, is told: standard error and the log file,
// T standing for the time.
func TestLog(t *testing.T) {
	const (
		message = "attach /x: operation not permitted (config.json: /mounts/3)"
		fields  = `"error":{"kind":"permission","op":"attach","path":"/x","where":"/mounts/3"},"level":"error"`
		object  = `{` + fields + `,"msg":"` + message + `","time":"T"}` + "\n"
		warned  = `{` + fields + `,"msg":"` + message + `","time":"T","warnings":["one","two"]}` + "\n"
		line    = `time=T level=error msg="` + message + `" kind=permission op="attach" path="/x" where="/mounts/3"`
		pair    = "rt: warning: one\nrt: warning: two\n"
	)
	both := []string{"one", "two"}
	rows := []struct {
		flags  string
		err    error
		warn   []string
		stderr string
		file   string
	}{
		{"", attach, nil, "rt: " + message + "\n", ""},
		{"", attach, both, pair + "rt: " + message + "\n", ""},
		{"", nil, both, pair, ""},
		{"--log-format json", attach, nil, object, ""},
		{"--log-format json", attach, both, warned, ""},
		{"--log-format json", nil, both, `{"level":"warning","msg":"one","time":"T"}` + "\n" + `{"level":"warning","msg":"two","time":"T"}` + "\n", ""},
		{"--log FILE", attach, nil, "rt: " + message + "\n", line + "\n"},
		{"--log FILE", attach, both, pair + "rt: " + message + "\n", line + ` warning="one" warning="two"` + "\n"},
		{"--log FILE", nil, both, pair, "time=T level=warning msg=\"one\"\ntime=T level=warning msg=\"two\"\n"},
		{"--log FILE --log-format json", attach, nil, "rt: " + message + "\n", object},
		{"--log FILE --log-format json", attach, both, "rt: " + message + "\n", warned},
		{"--log FILE --log-format json", nil, both[:1], "", `{"level":"warning","msg":"one","time":"T"}` + "\n"},
		{"--log FILE --log-format json", nil, nil, "", ""},
	}
	for _, row := range rows {
		t.Run(row.flags, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "log")
			r := &recorder{err: row.err, warn: row.warn}
			res := r.rt(strings.Fields(strings.Replace(row.flags, "FILE", file, 1) + " start ID")...)
			log, _ := os.ReadFile(file)
			equal(t, "stderr", untimed(res.stderr), row.stderr)
			equal(t, "file", untimed(string(log)), row.file)
		})
	}
}

var stamp = regexp.MustCompile(`(time"?[=:]"?)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)

func untimed(text string) string { return stamp.ReplaceAllString(text, "${1}T") }

// TestLogAppends, and every line of it is one JSON object with a time of now.
func TestLogAppends(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte("{\"level\":\"info\",\"msg\":\"before\",\"time\":\"2020-01-01T00:00:00Z\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	awkward := errs.New(errs.Internal, "a \"quote\"\nand a line, \xff <&>")
	for range 2 {
		(&recorder{err: awkward}).rt("--log", file, "--log-format", "json", "state", "ID")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	equal(t, "lines", len(lines), 3)
	for _, line := range lines[1:] {
		var got struct{ Level, Msg, Time string }
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		equal(t, "msg", got.Msg, "a \"quote\"\nand a line, \ufffd <&>")
		when, err := time.Parse(time.RFC3339, got.Time)
		if err != nil || time.Since(when).Abs() > time.Minute {
			t.Errorf("time %s: %v", got.Time, err)
		}
	}
}

// TestErrorFields come from the chain: the outermost that has one.
func TestErrorFields(t *testing.T) {
	inner := errs.Op("open", "/inner", syscall.ENOENT)
	rows := []struct {
		name string
		err  error
		want cause
	}{
		{"plain", errBoom, cause{Kind: "internal"}},
		{"one", attach, cause{Kind: "permission", Op: "attach", Path: "/x", Where: "/mounts/3"}},
		{"outer adds where", errs.At("/hooks/0", "", "", inner), cause{Kind: "kernel", Op: "open", Path: "/inner", Where: "/hooks/0"}},
		{"outer wins", errs.Op("load", "/outer", inner), cause{Kind: "kernel", Op: "load", Path: "/outer"}},
		{"exec's prefix", execFailed(attach), cause{Kind: "permission", Op: "attach", Path: "/x", Where: "/mounts/3"}},
	}
	for _, row := range rows {
		equal(t, row.name, *failed(row.err, nil).Error, row.want)
	}
}

// TestFaults are fields of the one record, and lines of the message.
func TestFaults(t *testing.T) {
	faults := config.Faults{{Where: "/mounts/0/options/1", Line: 12, Msg: `unknown option "rox"`, Hint: `did you mean "ro"?`}, {Msg: "second"}}
	err := &errs.Error{Op: "load", Path: "config.json", Kind: errs.Invalid, Err: faults}
	file := filepath.Join(t.TempDir(), "log")
	res := (&recorder{err: err}).rt("--log", file, "--log-format", "json", "create", "ID")
	equal(t, "stderr", res.stderr, "rt: "+err.Error()+"\n")
	text, _ := os.ReadFile(file)
	var got record
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	equal(t, "error", *got.Error, cause{Kind: "invalid", Op: "load", Path: "config.json", Faults: []fault{
		{Where: "/mounts/0/options/1", Line: 12, Msg: `unknown option "rox"`, Hint: `did you mean "ro"?`}, {Msg: "second"},
	}})
	(&recorder{err: err}).rt("--log", file, "create", "ID")
	text, _ = os.ReadFile(file)
	if want := ` fault="/mounts/0/options/1: unknown option \"rox\"" fault="second"` + "\n"; !strings.HasSuffix(string(text), want) {
		t.Errorf("no %s in\n%s", want, text)
	}
}

// TestExecLog keeps the fields below the prefix that managers match.
func TestExecLog(t *testing.T) {
	r := &recorder{err: errs.New(errs.NotFound, "container does not exist")}
	res := r.rt("--log-format", "json", "exec", "ID", "x")
	equal(t, "code", res.code, 255)
	equal(t, "stderr", untimed(res.stderr), `{"error":{"kind":"not-found"},"level":"error","msg":"exec failed: container does not exist","time":"T"}`+"\n")
}

// TestDebug goes to the log alone, and leaves out the values of variables.
func TestDebug(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	args := []string{"--debug", "--root", "/x", "exec", "-e", "A=secret", "--env=B=secret", "ID", "x=y"}
	res := (&recorder{}).rt(append([]string{"--log", file}, args...)...)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "stderr", res.stderr, "")
	for _, want := range []string{`level=debug msg="command line`, `\"A=…\"`, `\"--env=B=…\"`, `\"x=y\"`, `msg="root /x"`, `msg="took `} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "secret") {
		t.Errorf("a secret in\n%s", text)
	}
	res = (&recorder{}).rt(args...)
	if strings.Count(res.stderr, "rt: debug: ") != 3 || strings.Contains(res.stderr, "secret") {
		t.Errorf("stderr\n%s", res.stderr)
	}
}
