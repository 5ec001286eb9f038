package signals

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestHeed sends itself signals and reads them back, from the one fd that there is.
func TestHeed(t *testing.T) {
	fd, err := Heed()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Heed(); again != fd || err != nil {
		t.Errorf("a second Heed gives %d, %v, the first %d", again, err, fd)
	}
	if s := Next(fd); s != 0 {
		t.Errorf("%v before any was sent", s)
	}
	for _, want := range []unix.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGWINCH} {
		if err := unix.Kill(unix.Getpid(), want); err != nil {
			t.Fatal(err)
		}
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for end := time.Now().Add(5 * time.Second); poll[0].Revents == 0 && time.Now().Before(end); {
			unix.Poll(poll, 1000)
		}
		if got := Next(fd); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestEnds(t *testing.T) {
	for s, want := range map[unix.Signal]bool{unix.SIGTERM: true, unix.SIGINT: true, unix.SIGHUP: true, unix.SIGQUIT: true, unix.SIGWINCH: false, unix.SIGUSR1: false} {
		if Ends(s) != want {
			t.Errorf("Ends(%v) = %v", s, !want)
		}
	}
}
