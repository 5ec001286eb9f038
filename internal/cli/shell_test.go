package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rt/internal/cli/completion/ask"
)

// eachShell runs a test with every shell of completion's row of the table.
func eachShell(t *testing.T, test func(*testing.T, ask.Shell), env ...string) {
	e, _ := lookup("completion")
	for _, name := range strings.Split(e.args, "|") {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skip("needs " + name + " (make deps)")
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			s, err := ask.Load(name, self, t.TempDir(), output, append(env, "CLI_TEST_MAIN=1")...)
			if err != nil {
				t.Fatal(err)
			}
			test(t, s)
		})
	}
}

func output(p ask.Program) (string, error) {
	var stderr strings.Builder
	cmd := exec.Command(p.Args[0], p.Args[1:]...)
	cmd.Env, cmd.Dir, cmd.Stderr = p.Env, p.Dir, &stderr
	out, err := cmd.Output()
	if stderr.Len() > 0 {
		err = errors.New(stderr.String())
	}
	return string(out), err
}

// offered are the words alone, sorted, without what stands before a "=" and a directory's "/".
func offered(t *testing.T, s ask.Shell, line string) []string {
	t.Helper()
	words, err := s.Words(line)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range words {
		word, _, _ := strings.Cut(w, "\t")
		words[i] = word[strings.Index(word, "=")+1:]
		words[i] = strings.TrimSuffix(filepath.Base(words[i]), "/")
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// TestShells: the same words are offered by each shell.
func TestShells(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/dir", 0o755); err != nil {
		t.Fatal(err)
	}
	rows := []struct{ line, want string }{
		{"rt sta", "start state"},
		{"rt -- sta", "start state"},
		{"rt help sta", "start state"},
		{"rt --debug --log FILE sta", "start state"},
		{"rt --log=FILE -root DIR sta", "start state"},
		{"rt --roo", "--root --rootless"},
		{"rt --log-format ", "json text"},
		{"rt --log-format=", "json text"},
		{"rt --log-format j", "json"},
		{"rt --log-format=j", "json"},
		{"rt --rootless ", "auto false true"},
		{"rt completion ", "bash fish zsh"},
		{"rt list -", "--format --help --quiet -f -h -q"},
		{"rt features ", "--help -h"},
		{"rt list --format ", "json table"},
		{"rt ps -f t", "table"},
		{"rt kill --a", "--all"},
		{"rt kill web STK", "STKFLT"},
		{"rt kill -a web HU", "HUP"},
		{"rt exec --cap CAP_SYS_A", "CAP_SYS_ADMIN"},
		{"rt exec -c CAP_AUDIT_R", "CAP_AUDIT_READ"},
		{"rt exec --env A=B --no", "--no-new-privs"},
		{"rt exec --env --no", ""},
		{"rt exec web --", ""},
		{"rt exec -- --", ""},
		{"rt exec --user ", ""},
		{"rt create --bundle DIR/", "dir"},
		{"rt create -b=DIR/", "dir"},
		{"rt plan DIR/", "dir"},
		{"rt create --pid-file DIR/", "dir file"},
		{"rt --log=DIR/f", "file"},
		{"rt nosuch --", ""},
		{"rt --root /nosuch state ", ""},
	}
	eachShell(t, func(t *testing.T, s ask.Shell) {
		for _, row := range rows {
			got := offered(t, s, strings.ReplaceAll(row.line, "DIR", dir))
			if strings.Join(got, " ") != row.want {
				t.Errorf("%s: %q, want %q", row.line, got, row.want)
			}
		}
	})
}

// TestDescriptions: each shell shows them, bash in the list that a second tab prints.
func TestDescriptions(t *testing.T) {
	eachShell(t, func(t *testing.T, s ask.Shell) {
		words, err := s.Words("rt create --p")
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range words {
			words[i] = strings.Join(strings.Fields(w), " ")
		}
		slices.Sort(words)
		equal(t, "words", words, []string{
			"--pid-file write the process id to FILE",
			"--pidfd-socket send a pidfd of the process to the unix socket PATH",
			"--preserve-fds pass N more file descriptors, from 3 on, or from 3 + LISTEN_FDS",
		})
	}, "COMP_TYPE=63", "COLUMNS=100")
}
