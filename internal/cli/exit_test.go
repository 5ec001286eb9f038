package cli

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"rt/internal/errs"
)

// TestExit has the exit codes and texts of rt's own failures. None of them prints to
// standard output, and none but the last four reaches libcontainer.
func TestExit(t *testing.T) {
	gone := errs.New(errs.NotFound, "container does not exist")
	rows := []struct {
		line string
		err  error
		code int
		text string // first line of standard error
	}{
		{"frob", nil, 3, "rt: No help topic for 'frob'"},
		{"help frob", nil, 3, "rt: No help topic for 'frob'"},
		{"--root /x frob state", nil, 3, "rt: No help topic for 'frob'"},
		{"--foo", nil, 1, "rt: flag provided but not defined: -foo"},
		{"--foo exec ID x", nil, 1, "rt: flag provided but not defined: -foo"},
		{"state --foo ID", nil, 1, "rt: flag provided but not defined: -foo"},
		{"create --bundle", nil, 1, "rt: flag needs an argument: -bundle"},
		{"create -b", nil, 1, "rt: flag needs an argument: -b"},
		{"--root", nil, 1, "rt: flag needs an argument: -root"},
		{"--root= list", nil, 1, `rt: invalid value "" for flag -root: empty path`},
		{"--log-format xml list", nil, 1, "rt: invalid log-format: xml"},
		{"--rootless maybe list", nil, 1, "rt: invalid rootless: maybe (auto, true or false)"},
		{"--rootless true list", nil, 1, "rt: --rootless=true differs from what the caller is; only auto is supported"},
		{"--log /nosuch/log exec ID x", nil, 1, "rt: open log /nosuch/log: no such file or directory"},
		{"create --preserve-fds -1 ID", nil, 1, `rt: invalid value "-1" for flag -preserve-fds: invalid syntax`},
		{"create --preserve-fds x ID", nil, 1, `rt: invalid value "x" for flag -preserve-fds: invalid syntax`},
		{"run --detach=x ID", nil, 1, `rt: invalid boolean value "x" for -detach: invalid syntax`},
		{"create --pidfd-socket S ID", nil, 1, "rt: --pidfd-socket is not supported by this build"},
		{"run --pidfd-socket S ID", nil, 1, "rt: --pidfd-socket is not supported by this build"},
		{"exec --pidfd-socket S ID x", nil, 255, "rt: exec failed: --pidfd-socket is not supported by this build"},
		{"state", nil, 1, `rt: "state" requires exactly 1 argument`},
		{"state a b", nil, 1, `rt: "state" requires exactly 1 argument`},
		{"list a", nil, 1, `rt: "list" requires exactly 0 arguments`},
		{"kill", nil, 1, `rt: "kill" requires a minimum of 1 argument`},
		{"kill a 9 b", nil, 1, `rt: "kill" requires a maximum of 2 arguments`},
		{"kill a FROB", nil, 1, `rt: unknown signal "FROB"`},
		{"list --format xml", nil, 1, "rt: invalid format option: xml (table or json)"},
		{"ps --format xml a", nil, 1, "rt: invalid format option: xml (table or json)"},
		{"exec", nil, 255, `rt: exec failed: "exec" requires a minimum of 1 argument`},
		{"exec a", nil, 255, "rt: exec failed: process args cannot be empty"},
		{"exec a --", nil, 255, "rt: exec failed: process args cannot be empty"},
		{"exec --foo a x", nil, 255, "rt: exec failed: flag provided but not defined: -foo"},
		{"exec -g 1,2 a x", nil, 255, `rt: exec failed: invalid value "1,2" for flag -g: invalid syntax`},
		{"exec -g 4294967296 a x", nil, 255, `rt: exec failed: invalid value "4294967296" for flag -g: value out of range`},
		{"exec a x", gone, 255, "rt: exec failed: container does not exist"},
		{"run a", gone, 1, "rt: container does not exist"},
		{"state a", gone, 1, "rt: container does not exist"},
		{"delete a", gone, 1, "rt: container does not exist"},
	}
	for i, row := range rows {
		t.Run(row.line, func(t *testing.T) {
			r := &recorder{err: row.err, code: 7}
			res := r.rt(strings.Fields(row.line)...)
			first, _, _ := strings.Cut(res.stderr, "\n")
			equal(t, "code, text, stdout", []any{res.code, first, res.stdout}, []any{row.code, row.text, ""})
			if called := len(r.calls) > 0; called != (i >= len(rows)-4) {
				t.Errorf("calls %v", r.calls)
			}
		})
	}
}

// TestForeignCode is not rt's: an error of os/exec has an exit code too.
func TestForeignCode(t *testing.T) {
	hook := exec.Command("sh", "-c", "exit 5").Run()
	if hook == nil {
		t.Fatal("sh has not failed")
	}
	for _, err := range []error{hook, errs.Op("run", "/hook", hook)} {
		res := (&recorder{err: err}).rt("--log-format", "json", "start", "a")
		if res.code != 1 || !strings.Contains(res.stderr, `"kind":"internal"`) {
			t.Errorf("exit %d, %s", res.code, res.stderr)
		}
	}
}

// TestWorkloadCode is passed on without a word.
func TestWorkloadCode(t *testing.T) {
	for _, line := range []string{"run a", "exec a x"} {
		r := &recorder{code: 137}
		equal(t, line, r.rt(strings.Fields(line)...), result{code: 137})
	}
}

// TestUsageLine follows an error of usage, and no other.
func TestUsageLine(t *testing.T) {
	r := &recorder{err: errBoom}
	equal(t, "usage", r.rt("state").stderr, "rt: \"state\" requires exactly 1 argument\nusage: rt state [options] CONTAINER\n")
	equal(t, "unknown", r.rt("frob").stderr, "rt: No help topic for 'frob'\nusage: rt [global options] command [options] [arguments]\n")
	equal(t, "other", r.rt("state", "a").stderr, "rt: boom\n")
}

// TestHelp exits 0 and prints to standard output.
func TestHelp(t *testing.T) {
	rows := []struct {
		line string
		has  []string
	}{
		{"", []string{"GLOBAL OPTIONS", "--log-format FORMAT", "spec: "}},
		{"--help", []string{"GLOBAL OPTIONS"}},
		{"help", []string{"GLOBAL OPTIONS"}},
		{"h", []string{"GLOBAL OPTIONS"}},
		{"exec --help", []string{"rt exec [command options] CONTAINER", "--env, -e NAME=VALUE", "--help, -h"}},
		{"help exec", []string{"--env, -e NAME=VALUE", "--help, -h"}},
		{"exec -h", []string{"--env, -e NAME=VALUE"}},
	}
	for _, row := range rows {
		t.Run(row.line, func(t *testing.T) {
			res := process(t, strings.Fields(row.line)...)
			equal(t, "code, stderr", []any{res.code, res.stderr}, []any{0, ""})
			for _, text := range row.has {
				if !strings.Contains(res.stdout, text) {
					t.Errorf("no %q in\n%s", text, res.stdout)
				}
			}
		})
	}
}

// TestEveryCommand has help with an example, and is listed in rt's own.
func TestEveryCommand(t *testing.T) {
	all := process(t, "help").stdout
	for i, e := range commands {
		if i > 0 && commands[i-1].name >= e.name {
			t.Errorf("%s is not sorted", e.name)
		}
		if !strings.Contains(all, "   "+e.name+" ") {
			t.Errorf("%s is not listed", e.name)
		}
		res := process(t, e.name, "--help")
		if res.code != 0 || !strings.Contains(res.stdout, "\n   rt "+e.name+" - "+e.usage+"\n") {
			t.Errorf("%s --help: exit %d\n%s", e.name, res.code, res.stdout)
		}
		if !strings.Contains(e.make().text, "\n   rt ") {
			t.Errorf("%s has no example", e.name)
		}
	}
}

// TestVersion is read by docker and podman: version, commit and spec are lines of their own.
func TestVersion(t *testing.T) {
	want := "rt version unknown\ncommit: unknown\nspec: 1.3.0\ngo: go1."
	for _, line := range []string{"--version", "-v", "-version", "--root /x --version", "--debug -v", "-v state"} {
		res := process(t, strings.Fields(line)...)
		last := "\nlibseccomp: " + libseccompVersion() + "\n"
		if res.code != 0 || !strings.HasPrefix(res.stdout, want) || !strings.HasSuffix(res.stdout, last) || res.stderr != "" {
			t.Errorf("%s: exit %d\n%s%s", line, res.code, res.stdout, res.stderr)
		}
	}
}

// TestFullDisk is an error: what was asked for is not there.
func TestFullDisk(t *testing.T) {
	for _, line := range []string{"state a", "list", "features", "ps --format json a"} {
		var stderr strings.Builder
		r := &recorder{}
		code := run(append([]string{"rt", "--root", "/x"}, strings.Fields(line)...), world{
			stdout: failing{}, stderr: &stderr, open: r.open,
		})
		equal(t, line, []any{code, stderr.String()}, []any{1, "rt: write standard output: no space left\n"})
	}
}

// failing is a full disk.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left") }
