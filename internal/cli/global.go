package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rt/internal/errs"
	"rt/libcontainer"
)

var (
	logFormats    = []string{"text", "json"}
	rootlessModes = []string{"auto", "true", "false"} // besides what strconv.ParseBool reads
)

// globals are the flags that stand before the command.
type globals struct {
	dir       string // --root; "": as the caller is
	logFile   string // "": none
	logFormat string // text or json
	verbose   bool
	rootless  string // auto, or a boolean
	systemd   bool
	criu      string // --criu: obsolete, and has no effect
}

func (g *globals) options() []*option {
	g.logFormat, g.rootless = "text", "auto"
	return []*option{
		&option{(*pathValue)(&g.dir), "root", "", "keep the containers' state in `DIR` (default: " + rootDir + ", or rt below $XDG_RUNTIME_DIR without root)"},
		text(&g.logFile, "log", "", "append log records to `FILE`"),
		oneOf(&g.logFormat, logFormats, "log-format", "", "write log records in `FORMAT`, text (the default) or json"),
		toggle(&g.verbose, "debug", "", "log more"),
		oneOf(&g.rootless, rootlessModes, "rootless", "", "go on without a cgroup where none can be made: `MODE` is true, false or auto (the default: all but the host's root do)"),
		toggle(&g.systemd, "systemd-cgroup", "", "let systemd make the cgroups (not supported yet)"),
		text(&g.criu, "criu", "", "accepted and ignored: runc took criu's `PATH` up to 1.1"),
	}
}

// whoTolerates reads a text that check has passed.
func (g globals) whoTolerates() libcontainer.Rootless {
	switch yes, err := strconv.ParseBool(g.rootless); {
	case err != nil:
		return libcontainer.RootlessAuto
	case yes:
		return libcontainer.RootlessYes
	}
	return libcontainer.RootlessNo
}

func (g globals) check() error {
	if !slices.Contains(logFormats, g.logFormat) {
		return errs.New(errs.Usage, "invalid log-format: "+g.logFormat)
	}
	if _, err := strconv.ParseBool(g.rootless); err != nil && g.rootless != "auto" {
		return errs.New(errs.Usage, "invalid rootless: "+g.rootless+" (auto, true or false)")
	}
	return nil
}

// stateRoot is the Root that the flags ask for.
func (g globals) stateRoot(who func() (caller, error)) (libcontainer.Root, error) {
	root := libcontainer.Root{Systemd: g.systemd, Rootless: g.whoTolerates(), Notify: os.Getenv(notifyVariable)}
	var err error
	root.Dir, root.Sticky, err = g.stateDir(who)
	return root, err
}

// stateDir is the state directory, and whether it lies in one that is cleaned up: tmpfiles.d(5),
// and the XDG base directory specification.
func (g globals) stateDir(who func() (caller, error)) (dir string, cleaned bool, err error) {
	if g.dir != "" {
		dir, err := filepath.Abs(g.dir)
		return dir, below(os.Getenv("XDG_RUNTIME_DIR"), dir), errs.Op("resolve", g.dir, err)
	}
	c, err := who()
	if err != nil {
		return "", false, err
	}
	dir, err = c.stateDir()
	return dir, c.rootless(), err
}

func below(top, path string) bool {
	return filepath.IsAbs(top) && strings.HasPrefix(path, filepath.Clean(top)+"/")
}
