package integration

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInstall: make install puts there what it should and nothing else, man(1) finds the pages,
// and make uninstall takes all of it away.
func TestInstall(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	for _, tool := range []string{"make", "man", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			skip(t, "needs "+tool)
		}
	}
	dir := t.TempDir()
	top := dir + "/opt/rt"
	makeInstalled(t, "install", dir)

	help := command{args: []string{top + "/sbin/rt", "help"}}.run(t).must(t).stdout
	want := []string{"sbin/rt -rwxr-xr-x", "share/bash-completion/completions/rt -rw-r--r--", "share/fish/vendor_completions.d/rt.fish -rw-r--r--"}
	for _, name := range commandNames(help) {
		want = append(want, "share/man/man8/rt-"+name+".8 -rw-r--r--")
	}
	want = append(want, "share/man/man8/rt.8 -rw-r--r--", "share/zsh/site-functions/_rt -rw-r--r--")
	if got := installed(t, top); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("installed:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(want) < 16 {
		t.Errorf("only %d files: are there commands in the help?\n%s", len(want), help)
	}
	page := command{args: []string{"man", "8", "rt-run"}, env: []string{"MANPATH=" + top + "/share/man", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}}.run(t).must(t)
	for _, text := range []string{"rt-run - create and start a container, and wait for it", "--console-socket PATH", "EXIT STATUS"} {
		if !strings.Contains(page.stdout, text) {
			t.Errorf("man rt-run has no %q:\n%s", text, page.stdout)
		}
	}
	makeInstalled(t, "uninstall", dir)
	if left := installed(t, top); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// makeInstalled runs a target of the Makefile. The program is taken as it is, -o: other tests
// use it.
func makeInstalled(t *testing.T, target, dir string) {
	t.Helper()
	make := []string{"make", "-s", "-C", "..", "-o", "build", "-o", "init", target, "DESTDIR=" + dir, "PREFIX=/opt/rt"}
	command{args: make, limit: 5 * time.Minute}.run(t).must(t)
}

// commandNames are those that rt's help lists.
func commandNames(help string) []string {
	_, list, _ := strings.Cut(help, "\nCOMMANDS:\n")
	var names []string
	for line := range strings.Lines(list) {
		name, _, ok := strings.Cut(strings.TrimPrefix(line, "   "), " ")
		if !ok || strings.HasPrefix(name, "help,") {
			break
		}
		if name != "" { // else the line goes on
			names = append(names, name)
		}
	}
	return names
}

// installed lists the files below top with their modes, and checks those of the directories.
func installed(t *testing.T, top string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			name, _ := filepath.Rel(top, path)
			files = append(files, fmt.Sprint(name, " ", info.Mode()))
		case info.Mode().Perm() != 0o755:
			t.Errorf("%s: %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
