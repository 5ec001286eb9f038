package v1

import (
	"strings"
	"testing"

	"rt/cgroups/cgroupfs"
)

func TestRelist(t *testing.T) {
	const all = "a *:* rwm"
	none := strings.ReplaceAll(strings.ReplaceAll(defaultDevices, "devices.allow=", ""), "; ", "\n")
	rows := []struct{ name, current, resources, want, back string }{
		{"not asked for", none, `{}`, "", ""},
		{"the same", none, `{"devices":[{"allow":false}]}`, "", ""},
		{"one more", none, `{"devices":[{"allow":false},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}]}`, "allow c 10:229 rw", "deny c 10:229 rw"},
		{"one less", "c 10:229 rwm\n" + none, `{"devices":[{"allow":false}]}`, "deny c 10:229 rwm", "allow c 10:229 rwm"},
		{
			"another letter: first what is new", "c 10:229 r\n" + none, `{"devices":[{"allow":false},{"allow":true,"type":"c","major":10,"minor":229,"access":"w"}]}`,
			"allow c 10:229 w, deny c 10:229 r", "deny c 10:229 w, allow c 10:229 r",
		},
		{"everything", "c 1:3 rw\nb 8:1 r", `{"devices":[{"allow":true,"access":"rwm"}]}`, "allow " + all, "deny " + all + " + allow c 1:3 rw + allow b 8:1 r"},
		{"from nothing", "", `{"devices":[{"allow":true,"access":"rwm"}]}`, "allow " + all, "deny " + all},
		{"from everything", all, `{"devices":[{"allow":true,"access":"rwm"},{"allow":false,"type":"b","major":8,"minor":1,"access":"w"}]}`, "allow " + all + ", deny b 8:1 w", ", "},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := compile(t, r.resources)
			others, steps := Relist(s.List, r.current)
			if len(others) > 0 {
				t.Errorf("others: %v", others)
			}
			var do, back []string
			for _, step := range steps {
				do = append(do, words(step.Set))
				back = append(back, words(step.Back...))
			}
			if got := strings.Join(do, ", "); got != r.want {
				t.Errorf("got  %s\nwant %s", got, r.want)
			}
			if got := strings.Join(back, ", "); got != r.back {
				t.Errorf("back: got  %s\nwant %s", got, r.back)
			}
		})
	}
}

func words(list ...cgroupfs.Setting) string {
	var parts []string
	for _, s := range list {
		parts = append(parts, strings.TrimPrefix(s.File, "devices.")+" "+s.Value)
	}
	return strings.Join(parts, " + ")
}

func TestRelistKeepsOthers(t *testing.T) {
	s := compile(t, `{"pids":{"limit":3},"devices":[{"allow":false}],"cpu":{"shares":9}}`)
	others, _ := Relist(s.List, "a *:* rwm")
	if len(others) != 2 || others[0].File != "cpu.shares" || others[1].File != "pids.max" {
		t.Errorf("%v", others)
	}
}
