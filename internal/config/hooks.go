package config

import (
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// hooks checks the commands of config.md, "POSIX-platform Hooks".
func (c *checker) hooks(at *place, h *specs.Hooks) {
	if h == nil {
		return
	}
	c.hookList(at.key("prestart"), h.Prestart)
	c.hookList(at.key("createRuntime"), h.CreateRuntime)
	c.hookList(at.key("createContainer"), h.CreateContainer)
	c.hookList(at.key("startContainer"), h.StartContainer)
	c.hookList(at.key("poststart"), h.Poststart)
	c.hookList(at.key("poststop"), h.Poststop)
}

func (c *checker) hookList(at *place, list []specs.Hook) {
	for i, h := range list {
		here := at.item(i)
		c.absolute(here.key("path"), h.Path)
		c.allNoNUL(here.key("args"), h.Args)
		c.variables(here.key("env"), h.Env)
		if h.Timeout != nil && *h.Timeout <= 0 {
			c.fault(here.key("timeout"), strconv.Itoa(*h.Timeout)+" seconds is not greater than zero")
		}
	}
}
