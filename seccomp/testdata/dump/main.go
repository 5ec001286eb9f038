// Dump writes the filter of one seccomp profile (the JSON object at /linux/seccomp) to
// standard output. It exists to be linked in several ways: TestSameProgramByMusl.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/seccomp"
)

func main() {
	if err := dump(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "dump:", err)
		os.Exit(1)
	}
}

func dump(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var p specs.LinuxSeccomp
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	f, warnings, err := seccomp.Compile(&p)
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "dump:", w)
	}
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(f.Program)
	return err
}
