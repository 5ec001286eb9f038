package cli

import (
	"strings"
	"testing"

	"rt/libcontainer"
)

func TestListenFDs(t *testing.T) {
	for _, row := range []struct {
		name, env string
		want      libcontainer.Listen
		fails     string
	}{
		{"none", "", libcontainer.Listen{}, ""},
		{"ours", "LISTEN_FDS=2 LISTEN_PID=7", libcontainer.Listen{FDs: 2}, ""},
		{"names", "LISTEN_FDS=2 LISTEN_PID=7 LISTEN_FDNAMES=a:b", libcontainer.Listen{FDs: 2, Names: "a:b"}, ""},
		{"another process's", "LISTEN_FDS=2 LISTEN_PID=8", libcontainer.Listen{}, ""},
		{"nobody's", "LISTEN_FDS=2", libcontainer.Listen{}, ""},
		{"names alone", "LISTEN_PID=7 LISTEN_FDNAMES=a:b", libcontainer.Listen{}, ""},
		{"another's bad number", "LISTEN_FDS=x LISTEN_PID=8", libcontainer.Listen{}, ""},
		{"a word", "LISTEN_FDS=x LISTEN_PID=7", libcontainer.Listen{}, `LISTEN_FDS="x": not a number: invalid syntax`},
		{"negative", "LISTEN_FDS=-1 LISTEN_PID=7", libcontainer.Listen{}, `LISTEN_FDS="-1": not a number`},
		{"too large", "LISTEN_FDS=4294967297 LISTEN_PID=7", libcontainer.Listen{}, `value out of range`},
		{"a bad pid", "LISTEN_FDS=1 LISTEN_PID=7x", libcontainer.Listen{}, `LISTEN_PID="7x": not a number`},
	} {
		t.Run(row.name, func(t *testing.T) {
			getenv := func(name string) string {
				for _, v := range strings.Fields(row.env) {
					if value, ok := strings.CutPrefix(v, name+"="); ok {
						return value
					}
				}
				return ""
			}
			got, err := listenFDs(getenv, func() int { return 7 })
			if got != row.want {
				t.Errorf("%+v, want %+v", got, row.want)
			}
			if (err == nil) != (row.fails == "") || err != nil && !strings.Contains(err.Error(), row.fails) {
				t.Errorf("error %v, want %q", err, row.fails)
			}
		})
	}
}
