package cli

import (
	"errors"
	"os/exec"
	"slices"
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
		{"-foo=bar list", nil, 1, "rt: flag provided but not defined: -foo"},
		{"---debug list", nil, 1, "rt: bad flag syntax: ---debug"},
		{"--=x list", nil, 1, "rt: bad flag syntax: --=x"},
		{"--help --foo", nil, 1, "rt: flag provided but not defined: -foo"},
		{"--help frob", nil, 3, "rt: No help topic for 'frob'"},
		{"help --foo", nil, 1, "rt: flag provided but not defined: -foo"},
		{"--log-format xml help", nil, 1, "rt: invalid log-format: xml"},
		{"exec -td ID x", nil, 255, "rt: exec failed: flag provided but not defined: -td"},
		{"state --foo ID", nil, 1, "rt: flag provided but not defined: -foo"},
		{"create --bundle", nil, 1, "rt: flag needs an argument: -bundle"},
		{"create -b", nil, 1, "rt: flag needs an argument: -b"},
		{"--root", nil, 1, "rt: flag needs an argument: -root"},
		{"--root= list", nil, 1, `rt: invalid value "" for flag -root: empty path`},
		{"--log-format xml list", nil, 1, "rt: invalid log-format: xml"},
		{"--rootless maybe list", nil, 1, "rt: invalid rootless: maybe (auto, true or false)"},
		{"--log /nosuch/log exec ID x", nil, 1, "rt: open log /nosuch/log: no such file or directory"},
		{"create --preserve-fds -1 ID", nil, 1, `rt: invalid value "-1" for flag -preserve-fds: invalid syntax`},
		{"create --preserve-fds x ID", nil, 1, `rt: invalid value "x" for flag -preserve-fds: invalid syntax`},
		{"run --detach=x ID", nil, 1, `rt: invalid boolean value "x" for -detach: invalid syntax`},
		{"state", nil, 1, `rt: "state" requires exactly 1 argument`},
		{"state a b", nil, 1, `rt: "state" requires exactly 1 argument`},
		{"list a", nil, 1, `rt: "list" requires exactly 0 arguments`},
		{"kill", nil, 1, `rt: "kill" requires a minimum of 1 argument`},
		{"kill a 9 b", nil, 1, `rt: "kill" requires a maximum of 2 arguments`},
		{"kill a FROB", nil, 1, `rt: unknown signal "FROB"`},
		{"completion", nil, 1, `rt: "completion" requires exactly 1 argument`},
		{"completion ksh", nil, 1, `rt: no completion for the shell "ksh"`},
		{"list --format xml", nil, 1, "rt: invalid format option: xml (table or json)"},
		{"events --interval 5 a", nil, 1, `rt: invalid value "5" for flag -interval: parse error`},
		{"events --interval 0 a", nil, 1, "rt: duration interval must be greater than 0"},
		{"events --stats --interval -1s a", nil, 1, "rt: duration interval must be greater than 0"},
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
	equal(t, "global flag", r.rt("--foo", "state", "a").stderr, "rt: flag provided but not defined: -foo\nusage: rt [global options] command [options] [arguments]\n")
	equal(t, "global value", r.rt("--log-format", "xml", "state", "a").stderr, "rt: invalid log-format: xml\nusage: rt state [options] CONTAINER\n")
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
		{"--help exec", []string{"rt exec [command options] CONTAINER"}},
		{"exec --help ID x", []string{"rt exec [command options] CONTAINER"}},
		{"help --help", []string{"GLOBAL OPTIONS"}},
		{"help help", []string{"GLOBAL OPTIONS"}},
		{"help -- exec", []string{"rt exec [command options] CONTAINER"}},
		{"--log-format xml --help", []string{"GLOBAL OPTIONS"}},
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

// TestHelpText is the layout: indents, columns and empty lines.
func TestHelpText(t *testing.T) {
	const command = `NAME:
   rt list - list the containers below --root

USAGE:
   rt list [command options]

DESCRIPTION:
   Prints a row for every container below --root: its name, the pid of its init
   process (0 once that has ended), its status, its bundle, when it was created
   and by whom.

      rt list
      rt --root /run/user/1000/rt list --format json

OPTIONS:
   --format, -f FORMAT  print in FORMAT, table (the default) or json
   --quiet, -q          print the names alone
   --help, -h           print this text
`
	equal(t, "command", (&recorder{}).rt("list", "--help"), result{stdout: command})
	const head = "NAME:\n   rt - run containers from OCI bundles\n\nUSAGE:\n   rt [global options] command [command options]\n\nVERSION:\n   unknown\n   commit: "
	const commands = "\n\nCOMMANDS:\n   completion  print a program that completes rt's command lines\n   create      create a container from a bundle, ready to start\n   delete      remove"
	const tail = `
   help, h     Shows a list of commands or help for one command

GLOBAL OPTIONS:
   --root DIR           keep the containers' state in DIR (default: /run/rt, or
                        rt below $XDG_RUNTIME_DIR without root)
   --log FILE           append log records to FILE
   --log-format FORMAT  write log records in FORMAT, text (the default) or json
   --debug              log more
   --rootless MODE      go on without a cgroup where none can be made: MODE is
                        true, false or auto (the default: all but the host's
                        root do)
   --systemd-cgroup     let systemd make the cgroups (not supported yet)
   --criu PATH          accepted and ignored: runc took criu's PATH up to 1.1
   --help, -h           print this text
   --version, -v        print the versions of rt and of what it is built from
`
	text := (&recorder{}).rt("--help").stdout
	equal(t, "head, commands, tail", []bool{strings.HasPrefix(text, head), strings.Contains(text, commands), strings.HasSuffix(text, tail)}, []bool{true, true, true})
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
	for _, line := range []string{"--version", "-v", "-version", "--root /x --version", "--debug -v", "-v state", "-v frob"} {
		res := process(t, strings.Fields(line)...)
		last := "\nlibseccomp: " + libseccompVersion() + "\n"
		if res.code != 0 || !strings.HasPrefix(res.stdout, want) || !strings.HasSuffix(res.stdout, last) || res.stderr != "" {
			t.Errorf("%s: exit %d\n%s%s", line, res.code, res.stdout, res.stderr)
		}
	}
}

// TestFullDisk is an error: what was asked for is not there.
func TestFullDisk(t *testing.T) {
	for _, line := range []string{"state a", "list", "features", "ps --format json a", "--version", "help", "state --help"} {
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

// TestImports keeps out of rt what each command would pay for with its start-up: tables that
// are made before main, and pages to read.
func TestImports(t *testing.T) {
	list, err := exec.Command("go", "list", "-deps", "-tags", "netgo osusergo", "rt").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(list))
	if !slices.Contains(deps, "rt/internal/cli") {
		t.Fatalf("no rt/internal/cli in %v", deps)
	}
	for _, name := range []string{"flag", "html/template", "net", "net/http", "net/netip", "net/url", "regexp", "text/template"} {
		if slices.Contains(deps, name) {
			t.Errorf("rt imports %s", name)
		}
	}
}
