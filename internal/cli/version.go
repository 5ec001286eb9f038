package cli

import (
	"runtime"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Set by the build: -ldflags "-X rt/internal/cli.version=… -X rt/internal/cli.commit=…".
var (
	version = "unknown"
	commit  = "unknown"
)

// versionText is what follows "rt version ": managers look for the lines commit and spec.
func versionText() string {
	return version + "\ncommit: " + commit + "\nspec: " + specs.Version + "\ngo: " + runtime.Version() +
		"\nlibseccomp: " + libseccompVersion()
}

// onlyVersion is true for the bare --version, which needs no parser.
func onlyVersion(args []string) bool {
	if len(args) != 2 {
		return false
	}
	switch args[1] {
	case "--version", "-version", "--v", "-v":
		return true
	}
	return false
}
