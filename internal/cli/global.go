package cli

import (
	"os"
	"path/filepath"
	"strconv"

	"rt/internal/errs"
	"rt/libcontainer"
)

// globals are the flags that stand before the command.
type globals struct {
	dir       string // --root; "": as the caller is
	logFile   string // "": none
	logFormat string // text or json
	verbose   bool
	rootless  string // auto, or a boolean
	systemd   bool
}

func (g *globals) options() []*option {
	g.logFormat, g.rootless = "text", "auto"
	return []*option{
		&option{(*pathValue)(&g.dir), "root", "", "keep the containers' state in `DIR` (default: " + rootDir + ", or rt below $XDG_RUNTIME_DIR without root)"},
		text(&g.logFile, "log", "", "append log records to `FILE`"),
		text(&g.logFormat, "log-format", "", "write log records in `FORMAT`, text (the default) or json"),
		toggle(&g.verbose, "debug", "", "log more"),
		text(&g.rootless, "rootless", "", "whether to go on without the right to set limits: `MODE` is auto (the default), true or false"),
		toggle(&g.systemd, "systemd-cgroup", "", "let systemd make the cgroups; cgroupsPath is slice:prefix:name"),
	}
}

func (g globals) check() error {
	if g.logFormat != "text" && g.logFormat != "json" {
		return errs.New(errs.Usage, "invalid log-format: "+g.logFormat)
	}
	if _, err := strconv.ParseBool(g.rootless); err != nil && g.rootless != "auto" {
		return errs.New(errs.Usage, "invalid rootless: "+g.rootless+" (auto, true or false)")
	}
	return nil
}

// stateRoot is the Root that the flags ask for.
func (g globals) stateRoot(who func() (caller, error)) (libcontainer.Root, error) {
	root := libcontainer.Root{Systemd: g.systemd, Notify: os.Getenv(notifyVariable)}
	dir, err := g.stateDir(who)
	if err != nil {
		return root, err
	}
	root.Dir = dir
	return root, g.checkRootless(who)
}

func (g globals) stateDir(who func() (caller, error)) (string, error) {
	if g.dir != "" {
		dir, err := filepath.Abs(g.dir)
		return dir, errs.Op("resolve", g.dir, err)
	}
	c, err := who()
	if err != nil {
		return "", err
	}
	return c.stateDir()
}

// checkRootless refuses a choice that libcontainer.Root cannot carry: rt finds out by
// itself, so only an answer that differs from what it finds asks for something.
func (g globals) checkRootless(who func() (caller, error)) error {
	want, err := strconv.ParseBool(g.rootless)
	if err != nil { // auto
		return nil
	}
	c, err := who()
	if err != nil {
		return err
	}
	if want != c.rootless() {
		return errs.New(errs.Unsupported, "--rootless="+g.rootless+" differs from what the caller is; only auto is supported")
	}
	return nil
}
