package kernel

import (
	"os"
	"strings"
)

// Mount is what proc_pid_mountinfo(5) says of one mount.
type Mount struct {
	Point string // seen from the caller's root
	Type  string
}

// Mounts lists the caller's mounts; one that covers another comes after it.
func Mounts() ([]Mount, error) {
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMounts(string(raw)), nil
}

func parseMounts(text string) []Mount {
	var list []Mount
	for line := range strings.Lines(text) {
		left, right, _ := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if len(l) > 4 && len(r) > 0 {
			list = append(list, Mount{Point: unescape(l[4]), Type: r[0]})
		}
	}
	return list
}
