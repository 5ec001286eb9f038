package v2

import (
	"strings"

	"rt/cgroups/stat"
)

// ioStat reads lines MAJOR:MINOR KEY=NUMBER…; other keys are those of I/O controllers.
func ioStat(r *stat.Reader) stat.IO {
	const file = "io.stat"
	s := stat.IO{Pressure: r.Pressure("io.pressure")}
	for line := range strings.Lines(r.Text(file)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		major, minor := r.Device(file, f[0])
		for _, field := range f[1:] {
			key, value, _ := strings.Cut(field, "=")
			op, list := ioKey(key, &s)
			if list != nil {
				*list = append(*list, stat.IOEntry{Major: major, Minor: minor, Op: op, Value: r.Number(file, value)})
			}
		}
	}
	return s
}

func ioKey(key string, s *stat.IO) (op string, list *[]stat.IOEntry) {
	switch key {
	case "rbytes":
		return "Read", &s.Bytes
	case "wbytes":
		return "Write", &s.Bytes
	case "dbytes":
		return "Discard", &s.Bytes
	case "rios":
		return "Read", &s.Count
	case "wios":
		return "Write", &s.Count
	case "dios":
		return "Discard", &s.Count
	}
	return "", nil
}
