package nsenter

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestFuzzInit runs the init on a fake kernel under sanitizers for two seconds; `make fuzz`
// does so for longer.
func TestFuzzInit(t *testing.T) {
	script, err := filepath.Abs("../scripts/fuzz-init.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(script, "-t", "2")
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 77 {
		t.Skip("gcc has no address sanitizer")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
