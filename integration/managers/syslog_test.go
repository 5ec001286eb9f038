//go:build managers

package managers

import (
	"net"
	"os"
	"testing"
)

// syslog listens where syslog(3) sends to, in the tests' own /dev, and keeps what it hears as a
// log of the engine. Monitors and clean-up commands have no other place to complain.
func (e *engine) syslog(t *testing.T) {
	t.Helper()
	const path = "/dev/log"
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	name := e.save(t, "syslog", "", 0o600)
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	e.logs = append(e.logs, name)
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done; file.Close() })
	go func() {
		defer close(done)
		b := make([]byte, 64<<10)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			file.WriteString(string(b[:n]) + "\n")
		}
	}()
}
