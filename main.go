// Command rt is an OCI container runtime without a daemon.
package main

import (
	"os"

	"rt/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args)) }
