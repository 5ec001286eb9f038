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
