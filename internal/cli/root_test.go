package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStateDir has who keeps containers where. T is an empty directory but for the
// directories of the row.
func TestStateDir(t *testing.T) {
	rows := []struct {
		name          string
		euid, hostUID int
		env           string
		dirs          string
		want          string
	}{
		{"root", 0, 0, "T/xdg", "xdg", "/run/rt"},
		{"user", 1000, 1000, "T/xdg", "xdg user/1000", "T/xdg/rt"},
		{"user without XDG_RUNTIME_DIR", 1000, 1000, "", "user/1000", "T/user/1000/rt"},
		{"user, XDG_RUNTIME_DIR is missing", 1000, 1000, "T/xdg", "user/1000", "T/user/1000/rt"},
		{"user, XDG_RUNTIME_DIR is relative", 1000, 1000, "xdg", "xdg user/1000", "T/user/1000/rt"},
		{"root of a user's namespace", 0, 1000, "T/xdg", "xdg", "T/xdg/rt"},
		{"the same without XDG_RUNTIME_DIR", 0, 1000, "", "user/1000 user/0", "T/user/1000/rt"},
		{"neither", os.Geteuid(), 77, "", "", "T/tmp/rt-77"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			in := func(path string) string { return strings.Replace(path, "T", dir, 1) }
			for _, d := range append(strings.Fields(row.dirs), "tmp") {
				mkdir(t, filepath.Join(dir, d), 0o755)
			}
			c := caller{row.euid, row.hostUID, in(row.env), in("T/user"), in("T/tmp")}
			got, err := c.stateDir()
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "dir", got, in(row.want))
		})
	}
}

func mkdir(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(dir, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
}

// TestClaim takes a directory in /tmp only if nobody else can write to it.
func TestClaim(t *testing.T) {
	me := os.Geteuid()
	rows := []struct {
		name  string
		euid  int
		setup func(t *testing.T, path string)
		ok    bool
	}{
		{"missing", me, func(*testing.T, string) {}, true},
		{"ours", me, func(t *testing.T, p string) { mkdir(t, p, 0o700) }, true},
		{"another user's", me + 1, func(t *testing.T, p string) { mkdir(t, p, 0o700) }, false},
		{"open to the group", me, func(t *testing.T, p string) { mkdir(t, p, 0o770) }, false},
		{"a link", me, func(t *testing.T, p string) {
			mkdir(t, p+".target", 0o700)
			if err := os.Symlink(p+".target", p); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a file", me, func(t *testing.T, p string) {
			if err := os.WriteFile(p, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rt-1")
			row.setup(t, path)
			_, err := claim(path, row.euid)
			if (err == nil) != row.ok {
				t.Fatalf("error %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "not a private directory") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestOutside reads uid maps.
func TestOutside(t *testing.T) {
	const podman = "         0       1000          1\n         1     100000      65536\n"
	rows := []struct {
		rows     string
		id, want int
	}{
		{"         0          0 4294967295\n", 0, 0},
		{"         0          0 4294967295\n", 1000, 1000},
		{podman, 0, 1000},
		{podman, 7, 100006},
		{podman, 65537, 65537},
		{"", 65534, 65534},
	}
	for _, row := range rows {
		equal(t, row.rows, outside(row.rows, row.id), row.want)
	}
}

// TestSelf agrees with what the kernel says of this process.
func TestSelf(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "/xdg")
	c, err := self()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "euid, runtime dir", []any{c.euid, c.runtimeDir}, []any{os.Geteuid(), "/xdg"})
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "host uid", c.hostUID, outside(string(text), os.Geteuid()))
}
