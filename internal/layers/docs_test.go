package layers

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// repository is what the documents may speak of.
type repository struct {
	paths []string          // relative to its root, directories too
	text  map[string]string // of source files, by path
}

// TestDocuments: the tests, files, functions and make targets that the documents name exist.
func TestDocuments(t *testing.T) {
	world := readRepository(t)
	makefile := world.text["Makefile"]
	tests := strings.Join(world.sources("_test.go"), "\n")
	for _, doc := range world.documents() {
		text := read(t, "../../"+doc)
		for _, name := range unknown(text, `\bTest[A-Z]\w+…?`, func(m []string) bool {
			prefix, isPrefix := strings.CutSuffix(m[0], "…")
			return strings.Contains(tests, "\nfunc "+prefix+"(") || isPrefix && strings.Contains(tests, "\nfunc "+prefix)
		}) {
			t.Errorf("%s: no test %s", doc, name)
		}
		for _, name := range unknown(text, "`make ([a-z][a-z-]*)", func(m []string) bool {
			return strings.Contains(makefile, "\n"+m[1]+":")
		}) {
			t.Errorf("%s: no target: %s", doc, strings.Trim(name, "`"))
		}
		for _, name := range unknown(text, `\]\(([^)#:]+)(?:#[^)]*)?\)`, func(m []string) bool {
			return world.has(filepath.Join(filepath.Dir(doc), m[1]))
		}) {
			t.Errorf("%s: a link to nothing: %s", doc, name)
		}
		for _, name := range unknown(withoutScripts(text), `[\w./*-]+\.(?:go|c|h|sh)\b|\b(?:bench|cgroups|docs|integration|internal|libcontainer|nsenter|rootfs|scripts|seccomp)/[\w./*-]*\w`,
			func(m []string) bool { return strings.Contains(m[0], "NAME") || world.has(m[0]) }) {
			t.Errorf("%s: no file %s", doc, name)
		}
		for _, name := range unknown(text, "`(\\w+)`(?: \\(| in `)([\\w/]+\\.(?:go|c|h))\\b", func(m []string) bool {
			return world.defines(m[2], m[1])
		}) {
			t.Errorf("%s: not there: %s", doc, name)
		}
	}
}

// withoutScripts: a block of commands may make its own files.
func withoutScripts(text string) string {
	return regexp.MustCompile("(?s)```sh\n.*?\n```").ReplaceAllString(text, "")
}

// unknown are the places where a pattern matches what is not known.
func unknown(text, pattern string, known func(match []string) bool) []string {
	var list []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		if !known(m) {
			list = append(list, m[0])
		}
	}
	return list
}

func readRepository(t *testing.T) repository {
	t.Helper()
	world := repository{text: map[string]string{}}
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != "." {
			return fs.SkipDir
		}
		world.paths = append(world.paths, path)
		if slices.Contains([]string{".go", ".c", ".h"}, filepath.Ext(path)) || path == "Makefile" {
			world.text[path] = read(t, "../../"+path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return world
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (w repository) documents() []string {
	return slices.DeleteFunc(slices.Clone(w.paths), func(path string) bool { return filepath.Ext(path) != ".md" })
}

func (w repository) sources(suffix string) []string {
	var list []string
	for path, text := range w.text {
		if strings.HasSuffix(path, suffix) {
			list = append(list, text)
		}
	}
	return list
}

// has tells whether a path exists. Documents leave out the beginning where it is plain, and may
// have a * for a part of the name.
func (w repository) has(path string) bool {
	path = strings.TrimPrefix(path, "./")
	return slices.ContainsFunc(w.paths, func(p string) bool {
		for {
			if ok, _ := filepath.Match(path, p); ok {
				return true
			}
			_, rest, more := strings.Cut(p, "/")
			if !more {
				return false
			}
			p = rest
		}
	})
}

// defines tells whether a word occurs in a file.
func (w repository) defines(file, word string) bool {
	for path, text := range w.text {
		if strings.HasSuffix("/"+path, "/"+file) && strings.Contains(text, word) {
			return true
		}
	}
	return false
}
