package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const emptyCgo = "package main\n\nimport \"C\"\n\nfunc main() {}\n"

// versionSubjects: --version of each runtime, beside programs that do nothing.
func versionSubjects(w *world) ([]subject, error) {
	var subjects []subject
	for _, c := range w.contestants {
		if o, ok := c.(*oci); ok {
			subjects = append(subjects, programSubject(w, c.name(), o.path, "--version"))
		}
	}
	static := []string{"-ldflags", "-linkmode external -extldflags -static"}
	subjects = append(subjects, emptySubject(w, "cgo-dynamic", nil, nil))
	return append(subjects, emptySubject(w, "cgo-musl", []string{"CC=musl-gcc"}, static)), nil
}

func programSubject(w *world, name string, argv ...string) subject {
	return subject{name: name, sample: func(int) (time.Duration, error) { return w.runner.timed(argv) }}
}

func emptySubject(w *world, name string, env, flags []string) subject {
	path := filepath.Join(w.dir, name)
	if err := buildEmpty(path, env, flags); err != nil {
		return subject{name: name, note: err.Error()}
	}
	return programSubject(w, name, path)
}

func buildEmpty(path string, env, flags []string) error {
	source := path + ".go"
	if err := os.WriteFile(source, []byte(emptyCgo), 0o644); err != nil {
		return err
	}
	cmd := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), source)...)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=1"), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, text)
	}
	return nil
}
