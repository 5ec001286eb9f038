package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// findRuntime resolves $RT. Why is empty when there is a binary that prints a version.
func findRuntime() (bin, kind, why string) {
	name := os.Getenv("RT")
	if name == "" {
		name = "../rt"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", "", fmt.Sprintf("%s: run make build (or set RT): %v", name, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", "", err.Error()
	}
	out, err := exec.Command(path, "--version").Output()
	word, _, found := bytes.Cut(out, []byte(" version "))
	if err != nil || !found {
		return "", "", fmt.Sprintf("%s --version: %v, printed %q", path, err, out)
	}
	return path, string(word), ""
}

// verdict says why a peer is not asked; empty means that the row runs there too.
type verdict string

func differs(reason string) verdict { return verdict(reason) }

// later marks what this version of rt refuses, saying so; the row is ready for the next.
func later(what string) peers { return peers{rt: verdict(what + ": not in this version, refused")} }

const rtOnly = verdict("not in this runtime: rt's own")

// peers are the verdicts of one row.
type peers struct {
	runc, crun verdict
	rt         verdict // what this build of rt leaves for later; it has to say so itself
	vm         bool    // belongs to the short run in the virtual machine
	who        caller
}

// inVM marks a row that has no other reason to carry peers.
func inVM() peers { return peers{vm: true} }

// needBinary fails without a runtime, and skips what the peer under test cannot do.
func needBinary(t *testing.T, p peers) {
	t.Helper()
	if it.why != "" {
		t.Fatal(it.why)
	}
	if p.leftOut() {
		skip(t, "not marked for RT_ROWS=vm")
	}
	switch {
	case os.Getenv("RT_ALL") != "":
	case it.kind == "runc" && p.runc != "":
		skip(t, "runc: "+string(p.runc))
	case it.kind == "rt" && p.rt != "":
		skip(t, "rt: "+string(p.rt))
	case it.kind == "crun" && p.crun != "":
		skip(t, "crun: "+string(p.crun))
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		skip(t, "needs root")
	}
}

func skip(t *testing.T, why string) {
	t.Helper()
	it.skipped = append(it.skipped, skipped{t.Name(), why})
	t.Skip(why)
}
