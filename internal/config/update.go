package config

import (
	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/errs"
	"rt/internal/kernel"
)

// LoadResources reads and validates a resources object (config-linux.md, "Control groups"), as
// update takes it, from the regular file path, or from standard input for "-". Faults are as
// ParseProcess gives them, with pointers relative to the resources.
func LoadResources(path string) (*specs.LinuxResources, Faults, error) {
	read := readFile
	if path == "-" {
		path, read = "standard input", readStdin
	}
	raw, err := read(path)
	if err != nil {
		return nil, nil, err
	}
	r := new(specs.LinuxResources)
	warnings, err := decode(path, raw, r, decodeLinuxResources)
	if err != nil {
		return nil, warnings, err
	}
	return r, warnings, checkResources(path, raw, r)
}

// CheckResources validates resources that no file holds.
func CheckResources(r *specs.LinuxResources) error { return checkResources("", nil, r) }

func checkResources(path string, raw []byte, r *specs.LinuxResources) error {
	c := checker{}
	c.resources(nil, r)
	return invalid(path, inOrder(raw, c.faults.all()))
}

func readStdin(name string) ([]byte, error) {
	raw, err := kernel.ReadAll(unix.Stdin, 2048, MaxSize+1)
	return raw, errs.Op("read", name, err)
}
