// Package layers holds the rules for the tree as a whole: which package may import which,
// and how long a function may be.
package layers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "rt"

// ranks lists the packages from the top down. A package imports from the groups below its
// own, or within it; what lies below a directory belongs to it.
var ranks = [][]string{
	{"."},
	{"internal/cli"},
	{"libcontainer"},
	{"internal/compile", "nsenter", "cgroups", "seccomp"},
	{"rootfs", "internal/config", "internal/plan", "internal/kernel", "internal/idmap", "internal/ids", "internal/tty", "internal/signals", "internal/sdnotify"},
	{"internal/errs"},
}

// apart are programs and tests, which nothing imports.
var apart = []string{"bench", "integration", "internal/layers", "internal/cli/gen", "internal/config/gen", "internal/plan/gen"}

// rank is the index into ranks, -1 for a package that is apart, -2 for an unknown one.
func rank(dir string) int {
	if slices.ContainsFunc(apart, func(a string) bool { return within(dir, a) }) {
		return -1
	}
	for i, group := range ranks {
		for _, p := range group {
			if dir == p || p != "." && within(dir, p) {
				return i
			}
		}
	}
	return -2
}

func within(dir, parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }

// source is a Go file of this module.
type source struct {
	path, dir string // from the top of the tree
	file      *ast.File
	text      string
}

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// tree reads all Go and C files.
func tree(t *testing.T) (goFiles []source, c []source, fset *token.FileSet) {
	t.Helper()
	fset = token.NewFileSet()
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if base := path.Base(name); base == "testdata" || len(base) > 1 && base[0] == '.' {
				return fs.SkipDir
			}
			return nil
		}
		s := source{path: name, dir: path.Dir(name)}
		raw := []byte(nil)
		if ext := path.Ext(name); ext == ".go" || ext == ".c" {
			if raw, err = fs.ReadFile(root, name); err != nil {
				return err
			}
			s.text = string(raw)
		}
		switch path.Ext(name) {
		case ".go":
			s.file, err = parser.ParseFile(fset, name, raw, parser.ParseComments)
			goFiles = append(goFiles, s)
		case ".c":
			c = append(c, s)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(goFiles) < 50 || len(c) < 5 {
		t.Fatalf("%d Go and %d C files: this is not the whole tree", len(goFiles), len(c))
	}
	return goFiles, c, fset
}

// TestImports: imports point down only.
func TestImports(t *testing.T) {
	files, _, _ := tree(t)
	for _, s := range files {
		own := rank(s.dir)
		if own == -2 {
			t.Errorf("%s: package %s has no rank: add it to layers_test.go", s.path, s.dir)
		}
		for _, spec := range s.file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			dir, ok := strings.CutPrefix(name, module+"/")
			if fault := up(own, dir); ok && fault != "" {
				t.Errorf("%s imports %s, %s", s.path, name, fault)
			}
		}
	}
}

// up says what is wrong with an import of dir by a package of that rank.
func up(own int, dir string) string {
	switch theirs := rank(dir); {
	case theirs == -1:
		return "which is a program or a test"
	case theirs == -2:
		return "which has no rank"
	case own >= 0 && theirs < own:
		return "which lies above it"
	}
	return ""
}

// TestImportRules: the rules themselves find what they are for.
func TestImportRules(t *testing.T) {
	for _, r := range []struct {
		from, to string
		ok       bool
	}{
		{".", "internal/cli", true},
		{"libcontainer", "nsenter", true},
		{"internal/compile", "cgroups", true}, // the same group
		{"cgroups/v1", "cgroups/cgroupfs", true},
		{"internal/config", "rootfs", true},
		{"bench/bpf", "seccomp", true},
		{"internal/plan", "internal/compile", false},
		{"internal/errs", "internal/plan", false},
		{"nsenter", "libcontainer", false},
		{"rootfs", "cgroups/v1", false},
		{"internal/cli", "bench", false},
		{"internal/cli", "nowhere", false},
	} {
		if fault := up(rank(r.from), r.to); (fault == "") != r.ok {
			t.Errorf("%s imports %s: %q", r.from, r.to, fault)
		}
	}
}

// TestNames: a package is named for a thing of the kernel or of the spec.
func TestNames(t *testing.T) {
	banned := []string{"utils", "util", "common", "types", "configs", "helpers", "misc"}
	files, _, _ := tree(t)
	for _, s := range files {
		if slices.Contains(banned, s.file.Name.Name) || slices.Contains(banned, path.Base(s.dir)) {
			t.Errorf("%s: the name says nothing", s.path)
		}
	}
}
