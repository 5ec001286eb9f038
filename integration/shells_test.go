package integration

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"rt/internal/cli/completion/ask"
)

// TestCompletion: shells offer the names of the containers that a command can be used on.
// What they offer besides is tested beside the table, in internal/cli.
func TestCompletion(t *testing.T) {
	for _, name := range []string{"bash", "zsh", "fish"} {
		t.Run(name, func(t *testing.T) {
			needBinary(t, peers{runc: rtOnly, crun: rtOnly})
			needRoot(t)
			if _, err := exec.LookPath(name); err != nil {
				skip(t, "needs "+name)
			}
			watch(t)
			completeNames(t, name)
		})
	}
}

func completeNames(t *testing.T, name string) {
	shell, err := ask.Load(name, it.bin, t.TempDir(), func(p ask.Program) (string, error) {
		r := command{args: p.Args, env: p.Env, dir: p.Dir}.run(t)
		want(t, r, 0, match{}, is(""))
		return r.stdout, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c := newContainer(t, args("sleep", "1000"))
	root := "rt --root " + c.root + " "
	ids := []string{"created", "running", "paused", "stopped"}
	for _, id := range ids {
		c.rt("create", "--bundle", c.bundle, id).must(t)
		t.Cleanup(func() { c.rt("delete", "--force", id).must(t) })
	}
	c.rt("start", "running").must(t)
	c.rt("start", "paused").must(t)
	c.rt("pause", "paused").must(t)
	c.rt("kill", "stopped", "KILL").must(t)
	until(t, "stopped", func() bool { return strings.Contains(c.rt("state", "stopped").stdout, `"status": "stopped"`) })
	for _, row := range []struct{ line, want string }{
		{root + "start ", "created"},
		{root + "pause ", "created running"},
		{root + "resume ", "paused"},
		{root + "exec --tty ", "created running"},
		{root + "kill -a ", "created paused running"},
		{root + "state ", "created paused running stopped"},
		{root + "delete -f p", "paused"},
		{root + "run ", ""},
		{root + "state paused ", ""},
		{"rt --root=" + c.root + " state s", "stopped"},
		{"rt -root=" + c.root + " state s", "stopped"},
		{"rt --root " + c.bundle + "/none state ", ""},
	} {
		words, err := shell.Words(row.line)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range words {
			words[i], _, _ = strings.Cut(w, "\t")
		}
		slices.Sort(words)
		if got := strings.Join(words, " "); got != row.want {
			t.Errorf("%s: %q, want %q", row.line, got, row.want)
		}
	}
}
