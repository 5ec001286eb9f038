package integration

import (
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// plain is a caller without privileges; uid 0 is the test itself.
type plain struct {
	uid uint32
	env []string // nothing else is set
	bin string   // the runtime, where this caller can reach it
	own bool     // as root of a user namespace of the caller's
}

// Two users of whom /etc/subuid knows the first one only (etcFor).
const (
	annUID = 47110
	bobUID = 47220
)

// newPlain gives a caller that can reach the runtime: a checkout may lie in a home of mode 0700.
func newPlain(t *testing.T, uid uint32, env ...string) plain {
	t.Helper()
	bin := filepath.Join(it.base, "bin", it.kind)
	if _, err := os.Stat(bin); err != nil {
		if err := copyExecutable(it.bin, bin); err != nil {
			t.Fatal(err)
		}
	}
	return plain{uid: uid, bin: bin, env: append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, env...)}
}

func copyExecutable(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err = io.Copy(dst, src); err != nil {
		return err
	}
	return dst.Close()
}

// command has c run by the caller. The gid is the uid's number; there are no other groups.
func (p plain) command(c command) command {
	if p.uid == 0 {
		return c
	}
	if c.args[0] == it.bin {
		c.args[0] = p.bin
	}
	if p.own {
		c.args = append([]string{"unshare", "--user", "--map-root-user"}, c.args...)
	}
	c.env = p.env
	before := c.adapt
	c.adapt = func(cmd *exec.Cmd) {
		if before != nil {
			before(cmd)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: p.uid, Gid: p.uid}}
	}
	return c
}

// belongsTo gives the bundle to p, who then calls the runtime.
func (c *container) belongsTo(p plain) {
	c.t.Helper()
	c.caller = p
	if err := os.Chown(c.bundle, int(p.uid), int(p.uid)); err != nil {
		c.t.Fatal(err)
	}
	c.chownRootfs(int(p.uid), int(p.uid))
}

// chownRootfs leaves the files, which are hard links to those of all other copies.
func (c *container) chownRootfs(uid, gid int) {
	c.t.Helper()
	err := filepath.WalkDir(c.rootfs(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || strings.HasSuffix(path, "/home/joe") {
			return err
		}
		info, err := d.Info()
		if err == nil {
			err = os.Lchown(path, uid, gid)
		}
		if err == nil {
			err = os.Chmod(path, info.Mode())
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.before = listTree(c.rootfs())
}
