package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// checker walks a decoded configuration and collects everything that is wrong with it.
type checker struct {
	spec     *specs.Spec // nil: a process object alone
	faults   report
	warnings report
}

func (c *checker) fault(at *place, msg string) { c.hinted(at, msg, "") }

func (c *checker) hinted(at *place, msg, hint string) {
	c.faults.add(Fault{Where: at.String(), Msg: msg, Hint: hint})
}

func (c *checker) warn(at *place, msg, hint string) {
	c.warnings.add(Fault{Where: at.String(), Msg: msg, Hint: hint})
}

// noNUL: the kernel takes strings up to the first NUL byte, so what follows would be lost.
func (c *checker) noNUL(at *place, s string) bool {
	if strings.IndexByte(s, 0) < 0 {
		return true
	}
	c.fault(at, "contains a NUL byte")
	return false
}

func (c *checker) allNoNUL(at *place, list []string) {
	for i, s := range list {
		c.noNUL(at.item(i), s)
	}
}

// absolute is for a path that has to be there and start at a root.
func (c *checker) absolute(at *place, path string) {
	switch {
	case path == "":
		c.fault(at, "is missing or empty")
	case path[0] != '/':
		c.hinted(at, quote(path)+" is not an absolute path", didYouMean("/"+path))
	default:
		c.noNUL(at, path)
	}
}

// oneOf: the name is one of the sorted names; what says what kind of name it is.
func (c *checker) oneOf(at *place, what, name string, names []string) bool {
	if slices.Contains(names, name) {
		return true
	}
	if name == "" {
		c.fault(at, what+" is missing or empty")
		return false
	}
	c.hinted(at, "unknown "+what+" "+quote(name), suggest(name, names))
	return false
}

// between: low ≤ n ≤ high.
func (c *checker) between(at *place, n, low, high int64) {
	if n < low || n > high {
		c.fault(at, strconv.FormatInt(n, 10)+" is not between "+strconv.FormatInt(low, 10)+" and "+strconv.FormatInt(high, 10))
	}
}

// limit: the value is absent, or at least low (−1 is "no limit" in cgroups).
func (c *checker) limit(at *place, n *int64, low int64) {
	if n != nil && *n < low {
		c.fault(at, strconv.FormatInt(*n, 10)+" is less than "+strconv.FormatInt(low, 10))
	}
}

// numbers checks a list of CPUs or memory nodes as in cpuset(7), "List format": 0-3,7.
func (c *checker) numbers(at *place, list string) {
	if list == "" {
		return
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(list, "\n"), ",") {
		low, high, isRange := strings.Cut(part, "-")
		from, err := strconv.ParseUint(low, 10, 31)
		to := from
		if err == nil && isRange {
			to, err = strconv.ParseUint(high, 10, 31)
		}
		if err != nil || to < from {
			c.fault(at, quote(list)+" is not a list of numbers and ranges such as 0-3,7: "+quote(part))
			return
		}
	}
}

// fileName: one component of a path that rt joins to a directory of a kernel file system.
func (c *checker) fileName(at *place, what, name string) bool {
	if name != "" && name != "." && !strings.Contains(name, "..") && strings.IndexFunc(name, separates) < 0 {
		return true
	}
	c.fault(at, what+" "+quote(name)+" is not a file name: it is empty, or contains a slash, a space or \"..\"")
	return false
}

func separates(r rune) bool { return r == '/' || r <= ' ' || r == 0x7f }

// variables checks an environment, environ(7).
func (c *checker) variables(at *place, env []string) {
	for i, entry := range env {
		name, _, found := strings.Cut(entry, "=")
		switch {
		case !found:
			c.hinted(at.item(i), "variable "+quote(entry)+" has no value", didYouMean(entry+"="))
		case name == "":
			c.fault(at.item(i), "variable "+quote(entry)+" has no name")
		default:
			c.noNUL(at.item(i), entry)
		}
	}
}
