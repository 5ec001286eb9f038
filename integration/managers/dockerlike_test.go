//go:build managers

package managers

import "testing"

// dockerLike are the rows of managers with docker's command line.
func dockerLike() []row {
	return []row{
		{"run", func(t *testing.T, e *engine) {
			equal(t, "stdout", e.do("run", "--rm", "--name", e.fresh(), "--network", "none", e.image, "echo", "hello").must(t), "hello")
		}},
	}
}
