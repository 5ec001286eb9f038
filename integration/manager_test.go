package integration

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// said is one datagram that a service manager has read.
type said struct {
	lines []string
	from  int // pid of the sender
	fds   []int
}

// manager is a service manager's end of sd_notify(3).
type manager struct {
	name string // NOTIFY_SOCKET
	conn *net.UnixConn
	hold bool // keep the fds of barriers until release
	lock sync.Mutex
	log  []said
}

func newManager(t *testing.T, name string) *manager {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
	}
	if err == nil {
		err = bindAnywhere(fd, name)
	}
	if err != nil {
		t.Fatal(name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	conn, err := net.FilePacketConn(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	m := &manager{name: name, conn: conn.(*net.UnixConn)}
	t.Cleanup(func() { m.conn.Close(); m.release() })
	go m.read()
	return m
}

// bindAnywhere binds paths that sun_path is too short for.
func bindAnywhere(fd int, name string) error {
	if name[0] == '@' {
		return unix.Bind(fd, &unix.SockaddrUnix{Name: name})
	}
	here, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer here.Close()
	return unix.Bind(fd, &unix.SockaddrUnix{Name: filepath.Join("/proc/self/fd", strconv.Itoa(int(here.Fd())), filepath.Base(name))})
}

func (m *manager) read() {
	buf, oob := make([]byte, 64<<10), make([]byte, 256)
	for {
		n, oobn, _, _, err := m.conn.ReadMsgUnix(buf, oob)
		if err != nil {
			return
		}
		s := said{lines: slices.DeleteFunc(strings.Split(string(buf[:n]), "\n"), func(l string) bool { return l == "" })}
		messages, _ := unix.ParseSocketControlMessage(oob[:oobn])
		for i := range messages {
			if cred, err := unix.ParseUnixCredentials(&messages[i]); err == nil {
				s.from = int(cred.Pid)
			} else if fds, err := unix.ParseUnixRights(&messages[i]); err == nil {
				s.fds = fds
			}
		}
		m.note(s)
	}
}

func (m *manager) note(s said) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.log = append(m.log, s)
	if !m.hold {
		m.closeFDs()
	}
}

func (m *manager) closeFDs() {
	for i := range m.log {
		for _, fd := range m.log[i].fds {
			unix.Close(fd)
		}
		m.log[i].fds = m.log[i].fds[:0] // not nil: there were some
	}
}

// release closes the fds of all barriers, as a manager does that has read them.
func (m *manager) release() {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.closeFDs()
	m.hold = false
}

func (m *manager) all() []said {
	m.lock.Lock()
	defer m.lock.Unlock()
	return slices.Clone(m.log)
}

// lines is everything that was said, "|" between two datagrams, without barriers.
func (m *manager) lines() string {
	var all []string
	for _, s := range m.all() {
		if !slices.Contains(s.lines, "BARRIER=1") {
			all = append(all, strings.Join(s.lines, " "))
		}
	}
	return strings.Join(all, "|")
}

// find gives the datagram with a line that begins like that.
func (m *manager) find(prefix string) (said, string, bool) {
	for _, s := range m.all() {
		for _, l := range s.lines {
			if strings.HasPrefix(l, prefix) {
				return s, l, true
			}
		}
	}
	return said{}, "", false
}

// saying is a container whose image has the program of testdata/say.c.
func saying(t *testing.T, sh string, edits ...func(*specs.Spec)) *container {
	t.Helper()
	program := ofTestdata(t, "say")
	c := newContainer(t, append([]func(*specs.Spec){script(sh)}, edits...)...)
	if err := os.Link(program, c.rootfs()+"/bin/say"); err != nil {
		t.Fatal(err)
	}
	c.before = listTree(c.rootfs())
	c.made = []string{"/run", "/run/notify"}
	return c
}

// notified is a command with NOTIFY_SOCKET, "" for none.
func (c *container) notified(socket string, args ...string) command {
	cmd := c.command(args...)
	if socket != "" {
		cmd.env = append(os.Environ(), "NOTIFY_SOCKET="+socket)
	}
	return cmd
}
