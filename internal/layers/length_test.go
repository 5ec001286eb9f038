package layers

import (
	"go/ast"
	"strings"
	"testing"
)

const (
	maxFunction = 60
	maxFile     = 400
)

// TestFunctions: no function is longer than a screen. Tests aside, and functions that do
// nothing but return a table.
func TestFunctions(t *testing.T) {
	files, c, fset := tree(t)
	for _, s := range files {
		if s.test() || ast.IsGenerated(s.file) {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil || isTable(f.Body) {
				continue
			}
			if n := fset.Position(f.End()).Line - fset.Position(f.Pos()).Line + 1; n > maxFunction {
				t.Errorf("%s: %s has %d lines", s.path, f.Name.Name, n)
			}
		}
		c = append(c, s) // C may stand in the comment before import "C"
	}
	for _, s := range c {
		for _, f := range cFunctions(s.text) {
			if f.lines > maxFunction {
				t.Errorf("%s: %s has %d lines", s.path, f.head, f.lines)
			}
		}
	}
}

func isTable(body *ast.BlockStmt) bool {
	if len(body.List) != 1 {
		return false
	}
	ret, ok := body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) == 0 {
		return false
	}
	_, ok = ret.Results[0].(*ast.CompositeLit)
	return ok
}

type cFunction struct {
	head  string
	lines int // with the head
}

// cFunctions finds functions by their braces, which stand at the left margin.
func cFunctions(text string) []cFunction {
	var found []cFunction
	lines := strings.Split(text, "\n")
	start := -1
	for i, l := range lines {
		switch {
		case l == "{" && i > 0:
			start = i - 1
		case l == "}" && start >= 0:
			found = append(found, cFunction{lines[start], i - start + 1})
			start = -1
		}
	}
	return found
}

// TestCFunctions: the C files have functions, and they are found.
func TestCFunctions(t *testing.T) {
	got := cFunctions("int a(void) { return 1; }\n\nint b(int x)\n{\n\tif (x) {\n\t}\n}\n")
	if len(got) != 1 || got[0] != (cFunction{"int b(int x)", 5}) {
		t.Errorf("%+v", got)
	}
	_, files, _ := tree(t)
	n := 0
	for _, s := range files {
		n += len(cFunctions(s.text))
	}
	if n < 50 {
		t.Errorf("only %d functions in %d files", n, len(files))
	}
}

// TestFiles: no file is longer than can be read at a sitting.
func TestFiles(t *testing.T) {
	files, c, _ := tree(t)
	for _, s := range append(files, c...) {
		if s.file != nil && ast.IsGenerated(s.file) {
			continue
		}
		if n := strings.Count(s.text, "\n"); n > maxFile {
			t.Errorf("%s has %d lines", s.path, n)
		}
	}
}

// TestNoInit: nothing runs before main, which every command would pay for.
func TestNoInit(t *testing.T) {
	files, _, _ := tree(t)
	for _, s := range files {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && !s.test() && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function", s.path)
			}
		}
	}
}
