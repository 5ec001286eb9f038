package config

import (
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// HookKind is a kind of hooks of config.md, "POSIX-platform Hooks".
type HookKind uint8

// The kinds, in the order in which they run.
const (
	Prestart HookKind = iota
	CreateRuntime
	CreateContainer
	StartContainer
	Poststart
	Poststop
	HookKinds // how many there are
)

var hookNames = [HookKinds]string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}

// String is the kind's name in config.json.
func (k HookKind) String() string { return hookNames[k] }

// Of are the hooks of this kind.
func (k HookKind) Of(h *specs.Hooks) []specs.Hook {
	if h == nil {
		return nil
	}
	//nolint:staticcheck // prestart is deprecated, and managers still write it
	return [HookKinds][]specs.Hook{h.Prestart, h.CreateRuntime, h.CreateContainer, h.StartContainer, h.Poststart, h.Poststop}[k]
}

// Where is the JSON pointer of hook i.
func (k HookKind) Where(i int) string { return "/hooks/" + k.String() + "/" + strconv.Itoa(i) }

// HasHooks tells whether there is a hook of any kind.
func HasHooks(h *specs.Hooks) bool {
	for k := range HookKinds {
		if len(k.Of(h)) > 0 {
			return true
		}
	}
	return false
}

// hooks checks the commands.
func (c *checker) hooks(at *place, h *specs.Hooks) {
	for k := range HookKinds {
		for i, hook := range k.Of(h) {
			c.hook(at.key(k.String()).item(i), hook)
		}
	}
}

func (c *checker) hook(at *place, h specs.Hook) {
	c.absolute(at.key("path"), h.Path)
	c.allNoNUL(at.key("args"), h.Args)
	c.variables(at.key("env"), h.Env)
	if h.Timeout != nil && *h.Timeout <= 0 {
		c.fault(at.key("timeout"), strconv.Itoa(*h.Timeout)+" seconds is not greater than zero")
	}
}
