package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// subIDs is the first of ann's subordinate ids, 65536 of them; bob has none.
const subIDs = 300000

// rootlessWorld lays the users' names and ids over /etc, and an empty /run, for the length
// of t. It comes before watch.
func rootlessWorld(t *testing.T) {
	t.Helper()
	needRoot(t)
	dir := filepath.Join(it.base, "etc")
	sub := fmt.Sprintf("ann:%d:65536\n", subIDs)
	for name, text := range map[string]string{
		"passwd": fmt.Sprintf("root:x:0:0::/root:/bin/sh\nann:x:%d:%d::/home/ann:/bin/sh\nbob:x:%d:%d::/home/bob:/bin/sh\n", annUID, annUID, bobUID, bobUID),
		"group":  fmt.Sprintf("root:x:0:\nann:x:%d:\nbob:x:%d:\n", annUID, bobUID),
		"subuid": sub, "subgid": sub,
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mountFor(t, "overlay", "/etc", "overlay", "lowerdir="+dir+":/etc")
	mountFor(t, "tmpfs", "/run", "tmpfs", "mode=755")
	t.Cleanup(func() { os.RemoveAll(dir) })
}

func mountFor(t *testing.T, src, dst, fs, data string) {
	t.Helper()
	if err := unix.Mount(src, dst, fs, 0, data); err != nil {
		t.Fatalf("mount %s on %s: %v", fs, dst, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dst, 0); err != nil {
			t.Errorf("umount %s: %v", dst, err)
		}
	})
}

// runtimeDir makes what XDG_RUNTIME_DIR is on a host with logins.
func runtimeDir(t *testing.T, uid int) string {
	t.Helper()
	dir := fmt.Sprintf("/run/user/%d", uid)
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.Chmod(dir, 0o700)
	}
	if err == nil {
		err = os.Chown(dir, uid, uid)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// needIDTools: package uidmap, which scripts/deps.sh installs.
func needIDTools(t *testing.T) {
	t.Helper()
	for _, name := range []string{"newuidmap", "newgidmap"} {
		if _, err := os.Stat("/usr/bin/" + name); err != nil {
			t.Fatalf("%v: run scripts/deps.sh (Debian's package is uidmap)", err)
		}
	}
}
