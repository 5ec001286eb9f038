package cli

import (
	"slices"
	"strconv"
	"strings"

	"rt/internal/errs"
)

// parse sets the options that args begins with and returns what follows them: a flag ends
// at the first argument that is none, or behind "--". Rules and texts are those of Go's
// package flag, as callers know them from runc: -x and --x are the same, and managers match
// the texts.
func parse(options []*option, args []string) ([]string, error) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		if args[0] == "--" {
			return args[1:], nil
		}
		rest, err := parseOne(options, args[0], args[1:])
		if err != nil {
			return nil, err
		}
		args = rest
	}
	return args, nil
}

// parseOne carries out the flag arg. Its value may be the first of next; the others remain.
func parseOne(options []*option, arg string, next []string) ([]string, error) {
	name, value, assigned := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
	if name == "" || name[0] == '-' {
		return nil, errs.New(errs.Usage, "bad flag syntax: "+arg)
	}
	i := slices.IndexFunc(options, func(o *option) bool { return o.has(name) })
	switch {
	case i < 0:
		return nil, errs.New(errs.Usage, "flag provided but not defined: -"+name)
	case assigned:
	case options[i].alone():
		value = "true"
	case len(next) == 0:
		return nil, errs.New(errs.Usage, "flag needs an argument: -"+name)
	default:
		value, next = next[0], next[1:]
	}
	return next, options[i].set(name, value)
}

func (o *option) set(name, value string) error {
	err := o.value.Set(value)
	if err == nil {
		return nil
	}
	what, flag := "value ", " for flag -"
	if o.alone() {
		what, flag = "boolean value ", " for -"
	}
	return errs.New(errs.Usage, "invalid "+what+strconv.Quote(value)+flag+name+": "+err.Error())
}
