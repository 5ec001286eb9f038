//go:build managers

package managers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// onTerminal runs the manager's command line on a terminal of its own, 30 rows by 100 columns,
// with keys typed in advance. Standard output is all that the terminal showed, carriage
// returns taken out.
func (e *engine) onTerminal(t *testing.T, keys string, args ...string) did {
	t.Helper()
	master, slave := openPty(t)
	defer master.Close()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	argv := append(append([]string{}, e.cli...), args...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append([]string{"TERM=dumb"}, e.env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	if _, err := master.WriteString(keys); err != nil {
		t.Error(err)
	}
	var shown bytes.Buffer
	shown.ReadFrom(master) // EIO once nobody has the other end
	err := cmd.Wait()
	d := did{command: strings.Join(argv, " "), stdout: strings.ReplaceAll(shown.String(), "\r", "")}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		d.err = fmt.Errorf("not done after %v", deadline)
	case errors.As(err, &exit):
		d.code = exit.ExitCode()
	case err != nil:
		d.err = err
	}
	return d
}

func openPty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	number := 0
	if err == nil {
		number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100})
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}
