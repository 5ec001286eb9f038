// Bpf compiles a linux.seccomp object into the raw struct sock_filter[] that the floor loads.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/seccomp"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bpf PROFILE OUT")
		os.Exit(2)
	}
	if err := compile(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "bpf:", err)
		os.Exit(1)
	}
}

func compile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var profile specs.LinuxSeccomp
	if err := json.Unmarshal(data, &profile); err != nil {
		return err
	}
	filter, warnings, err := seccomp.Compile(&profile)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "bpf: warning:", w)
	}
	return os.WriteFile(to, filter.Program, 0o600)
}
