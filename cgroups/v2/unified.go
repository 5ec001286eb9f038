package v2

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"rt/cgroups/cgroupfs"
)

// unified writes the files that config.json names (config-linux.md, "Unified"), after all
// others and sorted by name. Files such as io.max take one line in each write.
func unified(files map[string]string, s *cgroupfs.Settings) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		where := "/unified/" + pointer(name)
		controller, ok := controllerOf(name)
		if !ok {
			s.Invalid(where, strconv.Quote(name)+" is not the name of a cgroup file, CONTROLLER.FILE")
			return
		}
		for line := range strings.Lines(files[name]) {
			if line = strings.TrimSuffix(line, "\n"); line != "" {
				s.Set(controller, name, line, where)
			}
		}
	}
}

// controllerOf is the part of a file's name before the first dot.
func controllerOf(name string) (string, bool) {
	controller, file, _ := strings.Cut(name, ".")
	ok := controller != "" && file != "" && !strings.ContainsAny(name, "/\x00") && !strings.Contains(name, "..")
	return controller, ok
}

// pointer escapes a member's name for a JSON pointer, RFC 6901.
func pointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
