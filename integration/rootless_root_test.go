package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ownUID is nobody's on the host, and no other run's: /tmp/rt-UID is outside of our namespaces.
func ownUID() int {
	pid := 0
	fmt.Sscanf(it.prefix, "rtit-%d", &pid)
	return 1000000 + pid
}

// TestRootlessStateDir: every command finds the directory by the uid and XDG_RUNTIME_DIR
// alone, as managers call some of them without HOME, USER or PATH.
func TestRootlessStateDir(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	rootlessWorld(t)
	uid := ownUID()
	login, tmp := fmt.Sprintf("/run/user/%d", uid), fmt.Sprintf("/tmp/rt-%d", uid)
	set := "XDG_RUNTIME_DIR="
	for _, row := range []struct {
		name  string
		login bool   // there is a /run/user/UID
		run   string // the environment of `run`, beside PATH, HOME and USER
		rest  string // that of the others, beside nothing
		dir   string
	}{
		{"set", true, set + login, set + login, login + "/rt"},
		{"unset", true, "A=b", "A=b", login + "/rt"},
		{"set, then unset", true, set + login, "A=b", login + "/rt"},
		{"unset, then set", true, "A=b", set + login, login + "/rt"},
		{"set to nothing", true, set, set, login + "/rt"},
		{"relative", true, set + "run", set + "run", login + "/rt"},
		{"without a login", false, "A=b", "A=b", tmp},
		{"without a login, set to what is not there", false, set + login, set + login, tmp},
	} {
		t.Run(row.name, func(t *testing.T) {
			watch(t)
			if row.login {
				runtimeDir(t, uid)
			}
			t.Cleanup(func() { os.RemoveAll(tmp) })
			first := newPlain(t, uint32(uid), row.run, "HOME=/home/ann", "USER=ann")
			rest := newPlain(t, uint32(uid))
			rest.env = []string{row.rest}
			playStateDir(t, first, rest, row.dir)
		})
	}
}

func playStateDir(t *testing.T, first, rest plain, dir string) {
	c := newOf(t, first, args("sleep", "300"))
	c.root = ""
	c.run("--detach").must(t)
	if _, err := os.Stat(filepath.Join(dir, c.id)); err != nil {
		t.Error(err)
	}
	checkPrivate(t, dir)
	c.caller = rest
	c.wantStatus("running")
	want(t, c.rt("list", "-q"), 0, is(c.id+"\n"), is(""))
	want(t, c.exec(nil, "id", "-u"), 0, is("0\n"), is(""))
	asRoot := *c
	asRoot.caller.own = true
	want(t, asRoot.withPath().rt("list", "-q"), 0, is(c.id+"\n"), is(""))
	c.kill("KILL").must(t)
	c.untilStatus("stopped")
	c.delete().must(t)
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 && !strings.HasPrefix(list[0].Name(), "@") {
		t.Errorf("%v, left: %v", err, list)
	}
}

// withPath is for unshare(1), which has to be found.
func (c *container) withPath() *container {
	c.caller.env = append([]string{"PATH=/usr/bin:/bin"}, c.caller.env...)
	return c
}

// checkPrivate: with the sticky bit, what cleans up old files leaves the directory alone
// (tmpfiles.d(5), and the XDG base directory specification).
func checkPrivate(t *testing.T, dir string) {
	t.Helper()
	info, err := os.Lstat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != os.ModeDir|os.ModeSticky|0o700 {
		t.Errorf("%s: mode %v, want 0700 with the sticky bit", dir, info.Mode())
	}
}

// TestRootlessStateDirTaken: what somebody else made in /tmp is not used.
func TestRootlessStateDirTaken(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	rootlessWorld(t)
	p := newPlain(t, uint32(ownUID()))
	tmp := fmt.Sprintf("/tmp/rt-%d", p.uid)
	for _, row := range []struct {
		name string
		take func() error
	}{
		{"another's directory", func() error { return os.Mkdir(tmp, 0o777) }},
		{"a link", func() error { return os.Symlink(it.base, tmp) }},
		{"a file", func() error { return os.WriteFile(tmp, nil, 0o666) }},
		{"own, but open to all", func() error { return ownedDir(tmp, int(p.uid), 0o777) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			watch(t)
			t.Cleanup(func() { os.RemoveAll(tmp) })
			if err := row.take(); err != nil {
				t.Fatal(err)
			}
			c := newOf(t, p)
			c.root = ""
			want(t, c.run(), 1, is(""), has(tmp))
			want(t, c.rt("list"), 1, is(""), has("XDG_RUNTIME_DIR"))
		})
	}
}

func ownedDir(dir string, uid int, mode os.FileMode) error {
	err := os.Mkdir(dir, mode)
	if err == nil {
		err = os.Chmod(dir, mode)
	}
	if err == nil {
		err = os.Chown(dir, uid, uid)
	}
	return err
}
