package ids

import (
	"strings"
	"testing"

	"rt/internal/errs"
)

func TestCheck(t *testing.T) {
	for _, r := range []struct {
		id, want string // the beginning of the error
	}{
		{"web", ""},
		{"a", ""},
		{"Web_1+2.3-4", ""},
		{"-web", ""},
		{".web", ""},
		{"...", ""},
		{strings.Repeat("x", MaxLength), ""},
		{"", "container id cannot be empty"},
		{".", `invalid container ID format: "."`},
		{"..", `invalid container ID format: ".."`},
		{"a/b", `invalid container ID format: "a/b"`},
		{"../a", "invalid container ID format"},
		{"@cache", "invalid container ID format"},
		{"a b", "invalid container ID format"},
		{"a\x00b", "invalid container ID format"},
		{"a\nb", `invalid container ID format: "a\nb"`},
		{"ä", "invalid container ID format"},
		{"a:b", "invalid container ID format"},
		{strings.Repeat("x", MaxLength+1), `invalid container ID format: "` + strings.Repeat("x", 64) + `"…`},
	} {
		err := Check(r.id)
		if (err == nil) != (r.want == "") || err != nil && !strings.HasPrefix(err.Error(), r.want) {
			t.Errorf("%.70q: %v, expected %q", r.id, err, r.want)
		}
		if err != nil && errs.KindOf(err) != errs.Usage {
			t.Errorf("%.70q: %s", r.id, errs.KindOf(err))
		}
	}
}

// TestUser: whatever is no number must not become root (CVE-2026-30892, CVE-2026-46680).
func TestUser(t *testing.T) {
	type user struct {
		uid, gid uint32
		hasGid   bool
	}
	for _, r := range []struct {
		text string
		want *user // nil: refused
	}{
		{"1", &user{1, 0, false}},
		{"1:2", &user{1, 2, true}},
		{"0", &user{0, 0, false}},
		{"0:0", &user{0, 0, true}},
		{"007", &user{7, 0, false}},
		{"4294967294:4294967294", &user{4294967294, 4294967294, true}},
		{"", nil},
		{":", nil},
		{"1:", nil},
		{":1", nil},
		{"-1", nil},
		{"+1", nil},
		{"1:-1", nil},
		{"4294967295", nil},
		{"1:4294967295", nil},
		{"4294967296", nil},
		{"18446744073709551616", nil},
		{" 1", nil},
		{"1 ", nil},
		{"1x", nil},
		{"0x1", nil},
		{"1_0", nil},
		{"1.0", nil},
		{"1:2:3", nil},
		{"root", nil},
		{"1:root", nil},
		{"\u0661", nil}, // a digit, but not an ASCII one
	} {
		uid, gid, hasGid, err := User(r.text)
		if r.want == nil {
			if err == nil || errs.KindOf(err) != errs.Usage || uid != 0 || gid != 0 || hasGid {
				t.Errorf("%q: %d:%d %v, %v; expected a usage error", r.text, uid, gid, hasGid, err)
			}
			continue
		}
		if err != nil || (user{uid, gid, hasGid}) != *r.want {
			t.Errorf("%q: %d:%d %v, %v; expected %+v", r.text, uid, gid, hasGid, err, *r.want)
		}
	}
}

const passwd = `root:x:0:0:root:/root:/bin/sh
1000:x:7:7:a name that is a number:/seven:/bin/sh

# a comment
short:x:8:8
web:x:1000:1000:,,,:/home/web:/bin/sh
again:x:1000:1000::/home/again:/bin/sh
nohome:x:1001:1001:::/bin/sh
octal:x:010:10::/octal:
big:x:4294967294:1::/big:
noshell:x:1002:1002::/noshell
+::::::
last:x:1003:1003::/last:/bin/sh`

func TestPasswd(t *testing.T) {
	for _, r := range []struct {
		uid        uint32
		home, name string
	}{
		{0, "/root", "root"},
		{7, "/seven", "1000"},
		{8, "/", "8"},               // the line is too short
		{1000, "/home/web", "web"},  // the first one counts, and never the name
		{1001, "/", "nohome"},       // an empty home
		{10, "/", "10"},             // "010" is not 10
		{4294967294, "/big", "big"}, // the largest
		{1002, "/noshell", "noshell"},
		{1003, "/last", "last"}, // no newline at the end
		{9999, "/", "9999"},
	} {
		if home, name := Home([]byte(passwd), r.uid), Name([]byte(passwd), r.uid); home != r.home || name != r.name {
			t.Errorf("%d: %s %s, expected %s %s", r.uid, home, name, r.home, r.name)
		}
	}
	if Home(nil, 0) != "/" || Name(nil, 0) != "0" {
		t.Error("an empty file has an entry")
	}
}
