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

// reference is a way in which a document names a thing, and whether there is such a thing.
type reference struct {
	what, pattern string
	known         func(doc string, match []string) bool
}

func (r repository) references() []reference {
	tests := strings.Join(r.sources("_test.go"), "\n")
	all := strings.Join(r.sources(""), "\n")
	return []reference{
		{"test", `\bTest[A-Z]\w+…?`, func(_ string, m []string) bool {
			prefix, isPrefix := strings.CutSuffix(m[0], "…")
			return strings.Contains(tests, "\nfunc "+prefix+"(") || isPrefix && strings.Contains(tests, "\nfunc "+prefix)
		}},
		{"row", `\bTest[A-Z]\w+/(\w+)`, func(_ string, m []string) bool {
			return strings.Contains(tests, `"`+strings.ReplaceAll(m[1], "_", " ")+`"`)
		}},
		{"make target", "`make ([a-z][a-z-]*)", func(_ string, m []string) bool {
			return strings.Contains(r.text["Makefile"], "\n"+m[1]+":")
		}},
		{"variable", `\bRT_[A-Z_]+`, func(_ string, m []string) bool { return strings.Contains(all, m[0]) }},
		{"link", `\]\(([^)#:]+)(?:#[^)]*)?\)`, func(doc string, m []string) bool {
			return r.has(filepath.Join(filepath.Dir(doc), m[1]))
		}},
		{"file", `[\w./*-]+\.(?:go|c|h|sh)\b|\b(?:bench|cgroups|docs|integration|internal|libcontainer|nsenter|rootfs|scripts|seccomp)/[\w./*-]*\w`,
			func(_ string, m []string) bool { return strings.Contains(m[0], "NAME") || r.has(m[0]) }},
		{"word in a file", "`(\\w+)`(?: \\(| in `)([\\w/]+\\.(?:go|c|h))\\b", func(_ string, m []string) bool { return r.defines(m[2], m[1]) }},
	}
}

// TestDocuments: the tests, files, functions, variables and make targets that the documents
// name exist.
func TestDocuments(t *testing.T) {
	r := readRepository(t)
	for _, ref := range r.references() {
		pattern, found := regexp.MustCompile(ref.pattern), 0
		for _, doc := range r.documents() {
			for _, m := range pattern.FindAllStringSubmatch(withoutScripts(read(t, "../../"+doc)), -1) {
				if found++; !ref.known(doc, m) {
					t.Errorf("%s: no such %s: %s", doc, ref.what, m[0])
				}
			}
		}
		if found == 0 {
			t.Errorf("no document names a %s", ref.what)
		}
	}
}

// withoutScripts: a block of commands may make its own files.
func withoutScripts(text string) string {
	return regexp.MustCompile("(?s)```sh\n.*?\n```").ReplaceAllString(text, "")
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
		if slices.Contains([]string{".go", ".c", ".h", ".sh"}, filepath.Ext(path)) || path == "Makefile" || path == "scripts/vm/run-in-vm" {
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

func (r repository) documents() []string {
	return slices.DeleteFunc(slices.Clone(r.paths), func(path string) bool { return filepath.Ext(path) != ".md" })
}

func (r repository) sources(suffix string) []string {
	var list []string
	for path, text := range r.text {
		if strings.HasSuffix(path, suffix) {
			list = append(list, text)
		}
	}
	return list
}

// has tells whether a path exists. Documents leave out the beginning where it is plain, and may
// have a * for a part of the name.
func (r repository) has(path string) bool {
	path = strings.TrimPrefix(path, "./")
	return slices.ContainsFunc(r.paths, func(p string) bool {
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
func (r repository) defines(file, word string) bool {
	for path, text := range r.text {
		if strings.HasSuffix("/"+path, "/"+file) && strings.Contains(text, word) {
			return true
		}
	}
	return false
}
