package devices

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/errs"
)

func n(v int64) *int64 { return &v }

func rule(allow bool, kind string, major, minor *int64, access string) specs.LinuxDeviceCgroup {
	return specs.LinuxDeviceCgroup{Allow: allow, Type: kind, Major: major, Minor: minor, Access: access}
}

func show(l List) string {
	parts := []string{fmt.Sprintf("set=%v all=%v %s", l.Set, l.AllowAll, l.Where)}
	for _, r := range l.Rules {
		if r.Where != "" {
			parts = append(parts, fmt.Sprintf("%v %v %s", r.Allow, r, r.Where))
		}
	}
	return strings.ReplaceAll(strings.Join(parts, "; "), "/linux/resources/devices", "")
}

func TestCompile(t *testing.T) {
	deny := rule(false, "", nil, nil, "rwm")
	rows := []struct {
		name string
		list []specs.LinuxDeviceCgroup
		want string
	}{
		{"no rules: nothing", nil, "set=false all=false "},
		{"deny all", []specs.LinuxDeviceCgroup{deny}, "set=true all=false /0"},
		{"deny without letters is all of them", []specs.LinuxDeviceCgroup{{}}, "set=true all=false /0"},
		{"the last rule for all counts", []specs.LinuxDeviceCgroup{rule(true, "c", n(1), n(2), "r"), deny, rule(true, "a", n(-1), nil, "rwm")}, "set=true all=true /2"},
		{"no rule for all starts from nothing", []specs.LinuxDeviceCgroup{rule(true, "c", n(1), n(-1), "mr")}, "set=true all=false ; true c 1:* rm /0"},
		{"a part of all is both types", []specs.LinuxDeviceCgroup{rule(true, "a", nil, nil, "m")}, "set=true all=false ; true b *:* m /0; true c *:* m /0"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			l, err := Compile(r.list)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(l); got != r.want {
				t.Errorf("got  %s\nwant %s", got, r.want)
			}
			has := slices.ContainsFunc(l.Rules, func(r Rule) bool { return r.String() == "c 1:3 rwm" && r.Allow })
			if has != l.Set {
				t.Errorf("/dev/null is in the list: %v, want %v", has, l.Set)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	rows := []struct {
		name string
		rule specs.LinuxDeviceCgroup
		want string
	}{
		{"type", rule(true, "p", nil, nil, "r"), `device type "p" is none of a, b, c (config.json: /linux/resources/devices/0/type)`},
		{"major", rule(true, "c", n(-2), nil, "r"), "no device number: -2 (config.json: /linux/resources/devices/0/major)"},
		{"minor", rule(true, "c", nil, n(1<<32), "r"), "no device number: 4294967296 (config.json: /linux/resources/devices/0/minor)"},
		{"letters", rule(true, "c", nil, nil, "rx"), `access "rx" is not made of r, w, m (config.json: /linux/resources/devices/0/access)`},
		{"allow nothing", rule(true, "c", nil, nil, ""), "access is missing (config.json: /linux/resources/devices/0/access)"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			_, err := Compile([]specs.LinuxDeviceCgroup{r.rule})
			if err == nil || err.Error() != r.want || errs.KindOf(err) != errs.Invalid {
				t.Errorf("got  %v\nwant %s", err, r.want)
			}
		})
	}
}
