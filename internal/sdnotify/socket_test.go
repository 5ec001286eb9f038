package sdnotify

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rt/internal/kernel"
)

// pair is a container's socket and a manager's, which nobody reads but the test.
func pair(t *testing.T) (s *Socket, to string, manager int) {
	t.Helper()
	dir := t.TempDir()
	s, err := Listen(dir, "in.sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	out, err := Listen(dir, "out.sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	return s, dir + "/out.sock", out.FD
}

func say(t *testing.T, s *Socket, text string) {
	t.Helper()
	var st unix.Stat_t // whatever the umask is
	if err := unix.Fstatat(s.dir, s.name, &st, 0); err != nil || st.Mode&0o777 != 0o777 {
		t.Fatal(err, st.Mode)
	}
	dir, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(s.dir))
	if err == nil {
		err = Send(dir+"/"+s.name, text, -1)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, fd int) string {
	t.Helper()
	buf := make([]byte, 8192)
	n, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
	if err == unix.EAGAIN {
		return "nothing"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestPass(t *testing.T) {
	s, to, manager := pair(t)
	if _, err := s.Pass(to, 0); err != unix.EAGAIN {
		t.Errorf("%v, want EAGAIN", err)
	}
	for _, row := range []struct {
		in      string
		mainPid int
		out     string
		ready   bool
	}{
		{"READY=1", 0, "READY=1", true},
		{"READY=1", 42, "READY=1\nMAINPID=42", true},
		{"STATUS=x", 42, "STATUS=x", false},
		{"MAINPID=7", 42, "nothing", false},
		{"MAINPID=7\nREADY=1", 42, "READY=1\nMAINPID=42", true},
		{"BARRIER=1", 0, "nothing", false},
		{strings.Repeat("READY=1\n", 513), 0, "nothing", false},
	} {
		say(t, s, row.in)
		ready, err := s.Pass(to, row.mainPid)
		if got := read(t, manager); err != nil || ready != row.ready || got != row.out {
			t.Errorf("%.20q: %q, %v, %v", row.in, got, ready, err)
		}
	}
}

// TestRest: what was sent before HangUp is not lost, and ends at READY=1 for who waits for it.
func TestRest(t *testing.T) {
	s, to, manager := pair(t)
	for _, text := range []string{"STATUS=a", "", "READY=1", "STATUS=b"} {
		say(t, s, text)
	}
	s.HangUp()
	if ready, err := s.Rest(to, 42); !ready || err != nil {
		t.Error(ready, err)
	}
	if got := read(t, manager) + "|" + read(t, manager) + "|" + read(t, manager); got != "STATUS=a|READY=1\nMAINPID=42|nothing" {
		t.Errorf("%q", got)
	}
	if err := s.Relay(to); err != nil || read(t, manager) != "STATUS=b" {
		t.Error(err)
	}
}

// TestRelayGoesOn: a manager that is away for a while misses what is said meanwhile.
func TestRelayGoesOn(t *testing.T) {
	s, to, manager := pair(t)
	say(t, s, "STATUS=a")
	done := make(chan error, 1)
	go func() { done <- s.Relay(to + ".away") }()
	time.Sleep(3 * Pause)
	s.HangUp()
	if err := <-done; !errors.Is(err, unix.ENOENT) || read(t, manager) != "nothing" {
		t.Error(err)
	}
}

func TestBarrier(t *testing.T) {
	_, to, manager := pair(t)
	start := time.Now()
	if err := Barrier(to, 50*time.Millisecond); err != nil || time.Since(start) < 50*time.Millisecond {
		t.Errorf("%v after %v: nobody had read it", err, time.Since(start))
	}
	if got := read(t, manager); got != "BARRIER=1" {
		t.Errorf("%q", got)
	}
	done := make(chan error, 1)
	go func() { done <- Barrier(to, time.Minute) }()
	for read(t, manager) == "nothing" { // to read it without taking the fd closes it
		time.Sleep(time.Millisecond)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	for to, ok := range map[string]bool{"/a": true, "@a": true, "": false, "/": false, "@": false, "a": false, "vsock:2:1": false, "/a\x00b": false} {
		if err := Check(to); (err == nil) != ok {
			t.Errorf("%q: %v", to, err)
		}
	}
}

// TestFull: a manager that does not read holds a sender up for a bounded time only.
func TestFull(t *testing.T) {
	_, to, _ := pair(t)
	sock, err := kernel.ConnectUnix(to, unix.SOCK_DGRAM)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(sock)
	if tv, err := unix.GetsockoptTimeval(sock, unix.SOL_SOCKET, unix.SO_SNDTIMEO); err != nil || tv.Sec != 10 {
		t.Fatal(tv, err)
	}
	unix.SetsockoptTimeval(sock, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Usec: 20_000})
	for range 4096 {
		if err = kernel.SendFile(sock, "STATUS=x", -1); err != nil {
			break
		}
	}
	if err != unix.EAGAIN {
		t.Error(err)
	}
}
