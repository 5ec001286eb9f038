package kernel

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestConnectUnix(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 200))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(at)
	bind := func(name string, kind int, listen bool) int {
		fd, err := BindUnix(at, name, kind)
		if err != nil {
			t.Fatal(err)
		}
		if listen {
			err = unix.Listen(fd, 8)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	bind("stream", unix.SOCK_STREAM, true)
	bind("deaf", unix.SOCK_STREAM, false)
	bind("dgram", unix.SOCK_DGRAM, false)
	os.WriteFile(dir+"/file", nil, 0o600)
	os.Symlink("stream", dir+"/link")
	abstract, err := net.ListenUnix("unix", &net.UnixAddr{Name: "@rt-connect-test", Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer abstract.Close()
	for _, row := range []struct {
		path string
		kind int
		text string
	}{
		{dir + "/stream", unix.SOCK_STREAM, ""},
		{dir + "/link", unix.SOCK_STREAM, ""},
		{dir + "/dgram", unix.SOCK_DGRAM, ""},
		{"@rt-connect-test", unix.SOCK_STREAM, ""},
		{"@rt-connect-nobody", unix.SOCK_STREAM, "nobody listens"},
		{dir + "/deaf", unix.SOCK_STREAM, "nobody listens"},
		{dir + "/dgram", unix.SOCK_STREAM, "another type"},
		{dir + "/file", unix.SOCK_STREAM, "/file: it is not a socket"},
		{dir, unix.SOCK_STREAM, "it is not a socket"},
		{dir + "/nosuch", unix.SOCK_STREAM, "no such file"},
		{"", unix.SOCK_STREAM, "no such file"},
	} {
		fd, err := ConnectUnix(row.path, row.kind)
		if (err == nil) != (row.text == "") || err != nil && !strings.Contains(err.Error(), row.text) {
			t.Errorf("%s: %v, want %q", row.path, err, row.text)
		}
		if err != nil {
			continue
		}
		if flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("%s: not close-on-exec", row.path)
		}
		unix.Close(fd)
	}
}

// TestInnerPid: outside of a pid namespace the numbers are the same.
func TestInnerPid(t *testing.T) {
	if pid, err := InnerPid(os.Getpid()); pid != os.Getpid() || err != nil {
		t.Error(pid, err)
	}
	if _, err := InnerPid(1 << 30); err == nil {
		t.Error("no such process, and no error")
	}
}
