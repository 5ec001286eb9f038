//go:build managers

package managers

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// screen is a user's terminal with a command in its foreground.
type screen struct {
	master *os.File
	cmd    *exec.Cmd
	lock   sync.Mutex
	text   string
	ended  chan struct{}
}

// onScreen runs the manager's command line in a terminal of 31 rows and 97 columns.
func (e *engine) onScreen(t *testing.T, args ...string) *screen {
	t.Helper()
	master, slave := terminal(t)
	argv := append(append([]string{}, e.cli...), args...)
	s := &screen{master: master, cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	s.cmd.Env = append([]string{"TERM=xterm"}, e.env...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	go s.read()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		master.Close()
	})
	return s
}

func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	peer, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		t.Fatal(errno)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 31, Col: 97}); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "master"), os.NewFile(peer, "slave")
}

func (s *screen) read() {
	defer close(s.ended)
	b := make([]byte, 4096)
	for {
		n, err := s.master.Read(b)
		s.lock.Lock()
		s.text += string(b[:n])
		s.lock.Unlock()
		if err != nil {
			return
		}
	}
}

// shows waits until text has been on the screen.
func (s *screen) shows(t *testing.T, text string) {
	t.Helper()
	eventually(t, 20*time.Second, "the screen shows "+text, func() (string, bool) { return s.has(text) })
}

// has is the screen, and whether text has been on it.
func (s *screen) has(text string) (string, bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.text, strings.Contains(s.text, text)
}

// types is what the user enters.
func (s *screen) types(t *testing.T, text string) {
	t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// exits waits for the end of the command.
func (s *screen) exits(t *testing.T, code int) {
	t.Helper()
	select {
	case <-s.ended: // nobody has the terminal open any more
	case <-time.After(20 * time.Second):
		t.Fatal("still running; the screen: ", s.text)
	}
	s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit %d, want %d; the screen: %s", got, code, s.text)
	}
}
