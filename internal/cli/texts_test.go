package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rt/internal/cli/completion/ask"
	"rt/internal/cli/man"
	"rt/internal/cli/topic"
)

// pages are the manual pages by their files' names.
func pages() map[string]string {
	topics := Topics()
	all := map[string]string{}
	for _, c := range topics {
		all[man.Name(c.Name)] = man.Page(c, Manual(c.Name), topics[1:], man.Edition{Date: "2026-01-31", Version: "1.0"})
	}
	return all
}

// flagNames are a command's flags as they are typed, sorted.
func flagNames(c topic.Command) []string {
	var names []string
	for _, f := range c.Flags {
		names = append(names, "--"+f.Long)
		if f.Short != "" {
			names = append(names, "-"+f.Short)
		}
	}
	slices.Sort(names)
	return names
}

// TestPages: every command and flag is in a page, and in --help; nothing is said of others.
func TestPages(t *testing.T) {
	all := pages()
	for _, c := range Topics() {
		page := strings.ReplaceAll(all[man.Name(c.Name)], `\-`, "-")
		help := (&recorder{}).rt(strings.Fields(c.Name + " --help")...).stdout
		for _, name := range flagNames(c) {
			if !strings.Contains(page, `\fB`+name+`\fR`) || !strings.Contains(help, name) {
				t.Errorf("rt %s %s: not in its page, or not in its help", c.Name, name)
			}
		}
		if c.Name != "" && !strings.Contains(all["rt.8"], ".TP\n"+`\fBrt\-`+c.Name+`\fR(8)`+"\n") {
			t.Errorf("%s is not listed in rt(8)", c.Name)
		}
		for _, title := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT STATUS", "SEE ALSO"} {
			if !strings.Contains(page, "\n.SH "+title+"\n") {
				t.Errorf("rt %s: no %s", c.Name, title)
			}
		}
	}
	for i, m := range manuals() {
		if _, ok := lookup(m.name); !ok && m.name != "" {
			t.Errorf("%q is in the manual, but no command", m.name)
		}
		if i > 0 && manuals()[i-1].name >= m.name {
			t.Errorf("%s is not sorted", m.name)
		}
		for _, ref := range m.See {
			page := strings.TrimSuffix(ref, "(8)") + ".8"
			if strings.HasPrefix(ref, "rt-") && all[page] == "" {
				t.Errorf("%s refers to %s, which is no page", m.name, ref)
			}
		}
	}
}

// TestHelpWidth: no line of the help is broken by a terminal of 80 columns.
func TestHelpWidth(t *testing.T) {
	for _, c := range Topics() {
		for line := range strings.Lines((&recorder{}).rt(strings.Fields(c.Name + " --help")...).stdout) {
			if line = strings.TrimSuffix(line, "\n"); len(line) > 80 {
				t.Errorf("rt %s: %d columns: %s", c.Name, len(line), line)
			}
		}
	}
}

// TestChoices: what a flag can be is what its help says.
func TestChoices(t *testing.T) {
	found := 0
	for _, c := range Topics() {
		for _, f := range c.Flags {
			for _, w := range f.Value.Words {
				if found++; f.Value.Name != "CAP" && !strings.Contains(f.Usage, w) {
					t.Errorf("rt %s --%s: %s is not in its help", c.Name, f.Long, w)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d words", found)
	}
}

// TestRoff: the formatters have no complaint.
func TestRoff(t *testing.T) {
	dir := t.TempDir()
	for name, text := range pages() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	checks := []struct {
		name string
		args []string
	}{
		{"man", []string{"--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"}},
		{"mandoc", []string{"-T", "lint"}},
	}
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) {
			if _, err := exec.LookPath(check.name); err != nil {
				t.Skip("needs " + check.name + " (make deps)")
			}
			for name := range pages() {
				var said strings.Builder
				cmd := exec.Command(check.name, append(check.args, filepath.Join(dir, name))...)
				cmd.Stderr = &said
				if check.name == "mandoc" {
					cmd.Stdout = &said
				}
				if err := cmd.Run(); err != nil || said.Len() > 0 {
					t.Errorf("%s: %v\n%s", name, err, said.String())
				}
			}
		})
	}
}

// TestEveryFlag: each shell offers every command, and exactly the flags of each.
func TestEveryFlag(t *testing.T) {
	eachShell(t, func(t *testing.T, s ask.Shell) {
		names := []string{"help"}
		for _, c := range Topics() {
			if c.Name != "" {
				names = append(names, c.Name)
			}
			equal(t, c.Name, offered(t, s, strings.TrimSpace("rt "+c.Name)+" -"), flagNames(c))
		}
		slices.Sort(names)
		equal(t, "commands", offered(t, s, "rt "), names)
	})
}
