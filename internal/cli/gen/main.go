// Command gen writes the manual pages of rt into a directory, "make man".
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"rt/internal/cli"
	"rt/internal/cli/man"
)

func main() {
	date := flag.String("date", "", "the pages' date, YYYY-MM-DD")
	version := flag.String("version", "", "the version of rt")
	flag.Parse()
	if err := write(flag.Arg(0), man.Edition{Date: *date, Version: *version}); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write replaces dir, so that no page of a command that is gone remains.
func write(dir string, e man.Edition) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	topics := cli.Topics()
	for _, c := range topics {
		text := man.Page(c, cli.Manual(c.Name), topics[1:], e)
		if err := os.WriteFile(filepath.Join(dir, man.Name(c.Name)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
