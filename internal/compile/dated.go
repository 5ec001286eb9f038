package compile

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Dated reads resources as the version of the specification meant them that the document
// names. Before 1.3 an object pids had to have a limit, and managers write 0 for none; since
// then 0 is a limit.
func Dated(version string, r *specs.LinuxResources) *specs.LinuxResources {
	if r == nil || r.Pids == nil || r.Pids.Limit == nil || *r.Pids.Limit != 0 || minor(version) >= 3 {
		return r
	}
	all := *r
	all.Pids = nil
	return &all
}

// minor is the second number of a version that was validated.
func minor(version string) int {
	_, rest, _ := strings.Cut(version, ".")
	text, _, _ := strings.Cut(rest, ".")
	n, _ := strconv.Atoi(text)
	return n
}
