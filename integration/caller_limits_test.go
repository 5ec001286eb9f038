package integration

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestCallersLimits: what config.json does not set is as the caller has it, also where the
// runtime has raised it for itself.
func TestCallersLimits(t *testing.T) {
	runScenes(t, []scene{{name: "open files", peers: peers{runc: differs("1.1 keeps what Go has raised")}, play: func(t *testing.T) {
		c := newContainer(t, args("sleep", "300"), func(s *specs.Spec) { s.Process.Rlimits = nil })
		under := func(args ...string) result {
			cmd := c.command(args...)
			cmd.args = append([]string{"sh", "-c", `ulimit -Sn 345; exec "$@"`, "sh"}, cmd.args...)
			return cmd.run(t)
		}
		under("create", "--bundle", c.bundle, c.id).must(t)
		c.start().must(t)
		want(t, under("exec", c.id, "sh", "-c", "ulimit -Sn; grep 'open files' /proc/1/limits"), 0, like(`^345\nMax open files +345 `), is(""))
		c.delete("--force").must(t)
	}}})
}
