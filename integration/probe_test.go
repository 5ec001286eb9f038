package integration

import (
	"os"
	"testing"
)

func TestProbe(t *testing.T) {
	watch(t)
	c := newContainer(t, script(os.Getenv("PROBE")))
	t.Log(c.run())
	r := c.run()
	os.WriteFile("/tmp/rtit-probe.out", []byte(r.stdout+r.stderr), 0o644)
}
