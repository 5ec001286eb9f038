package cgroupfs

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// Former is what the file at path holds in place of value, in the form that the same file
// takes. known is false for a file that cannot be read, such as devices.allow.
func Former(path, value string) (old string, known bool, err error) {
	text, err := Read(path)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EACCES) {
		return "", false, nil
	}
	return former(text, value), err == nil, err
}

// former is one line of text: the one with the key of value in a file that is keyed by
// device, the default in one that has such a line, the first in all others.
func former(text, value string) string {
	key, settings, found := strings.Cut(value, " ")
	if found && keyed(key) {
		return line(text, key, settings)
	}
	first, _, _ := strings.Cut(text, "\n")
	first = strings.TrimPrefix(first, "oom_kill_disable ")
	return strings.TrimPrefix(first, "default ")
}

// keyed tells the name of a device, "8:0" or "mlx4_0", from a number, "max" and "default".
func keyed(key string) bool {
	return key != "max" && key != "default" && strings.Trim(key, "0123456789") != ""
}

// line is the line of text with the key. One that has none has no limits: each of settings
// becomes "max", and a weight alone the default.
func line(text, key, settings string) string {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, key+" ") {
			return strings.TrimSuffix(l, "\n")
		}
	}
	fields := strings.Fields(settings)
	for i, f := range fields {
		name, _, found := strings.Cut(f, "=")
		if !found {
			return key + " default"
		}
		fields[i] = name + "=max"
	}
	return key + " " + strings.Join(fields, " ")
}
