package integration

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func terminal(s *specs.Spec) {
	s.Process.Terminal = true
	s.Process.ConsoleSize = &specs.Box{Height: 33, Width: 99}
}

// console listens as conmon does; the returned function gives the master that arrives.
func (c *container) console() (path string, master func() *os.File) {
	c.t.Helper()
	path = c.bundle + "/tty.sock"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { l.Close() })
	return path, func() *os.File { return c.accept(l) }
}

func (c *container) accept(l *net.UnixListener) *os.File {
	c.t.Helper()
	l.SetDeadline(time.Now().Add(deadline))
	conn, err := l.AcceptUnix()
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	data, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(data, oob)
	if err != nil {
		c.t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		c.t.Fatalf("%v, %d messages", err, len(messages))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		c.t.Fatalf("%v, fds %v", err, fds)
	}
	f := os.NewFile(uintptr(fds[0]), "master")
	c.t.Cleanup(func() { f.Close() })
	return f
}

func TestConsole(t *testing.T) {
	needBinary(t, peers{})
	runScenes(t, []scene{
		{name: "create", play: func(t *testing.T) {
			c := newContainer(t, terminal, script("test -t 0 && test -t 1 && test -t 2 && echo tty; stat -c %t:%T /dev/console; echo done; sleep 1"))
			socket, master := c.console()
			c.create("--console-socket", socket).must(t)
			f := master()
			size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
			if err != nil || size.Row != 33 || size.Col != 99 {
				t.Errorf("size %+v, %v", size, err)
			}
			c.start().must(t)
			if got := readTTY(f); !strings.HasPrefix(got, "tty\r\n88:") || !strings.HasSuffix(got, "done\r\n") {
				t.Errorf("%q", got)
			}
			c.delete("--force").must(t)
		}},
		{name: "exec", play: func(t *testing.T) {
			c := newRunning(t)
			socket, master := c.console()
			c.exec([]string{"--tty", "--detach", "--console-socket", socket}, "sh", "-c", "test -t 0 && tty=yes; echo $tty; id -u; echo done; sleep 1").must(t)
			if got := readTTY(master()); got != "yes\r\n0\r\ndone\r\n" {
				t.Errorf("%q", got)
			}
			c.delete("--force").must(t)
		}},
		{name: "terminal without a socket", play: func(t *testing.T) {
			c := newContainer(t, terminal)
			want(t, c.create(), 1, is(""), has("console"))
		}},
		{name: "a socket without a terminal", play: func(t *testing.T) {
			c := newContainer(t)
			socket, _ := c.console()
			want(t, c.create("--console-socket", socket), 1, is(""), has("console"))
		}},
	})
}

// readTTY reads until "done": a pty gives EIO, not end of file, when its other end closes.
func readTTY(f *os.File) string {
	var got strings.Builder
	b := make([]byte, 256)
	f.SetReadDeadline(time.Now().Add(deadline))
	for !strings.HasSuffix(got.String(), "done\r\n") {
		n, err := f.Read(b)
		got.Write(b[:n])
		if err == io.EOF || err != nil {
			break
		}
	}
	return got.String()
}
