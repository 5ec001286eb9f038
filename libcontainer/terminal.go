package libcontainer

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/plan"
	"rt/internal/signals"
	"rt/internal/tty"
)

// console is where the master of the workload's terminal goes: to a console socket, or to
// this process, which then relays between it and its own standard streams.
type console struct {
	socket *tty.Socket   // nil: we relay
	own    *tty.Terminal // ours; nil if stdin is none
	sized  bool          // config.json says how large it is
	master int           // -1 until it comes, and when it is handed on
	relay  tty.Relay
}

// newConsole says what is wrong before anything is made. It is nil for a process without a
// terminal.
func newConsole(p *specs.Process, socket string, stays bool) (*console, error) {
	switch {
	case !p.Terminal && socket == "":
		return nil, nil
	case !p.Terminal:
		return nil, consoleMisuse("the process has no terminal, so none can be sent to the console socket " + socket)
	case socket == "" && !stays:
		return nil, consoleMisuse("the process has a terminal, and rt does not stay to relay it: --console-socket has to say where it goes")
	case socket == "":
		return &console{master: -1}, nil
	}
	s, err := tty.OpenSocket(socket)
	if err != nil {
		return nil, err
	}
	return &console{socket: s, master: -1}, nil
}

func consoleMisuse(text string) error { return errs.New(errs.Usage, text) }

// take gets the master from the init. What config.json says of the size comes before what
// our own terminal has.
func (c *console) take(master int, s plan.HostStep) (err error) {
	size, sized := &unix.Winsize{Row: uint16(s.A), Col: uint16(s.B)}, s.A|s.B != 0
	c.sized = sized
	if !sized && c.socket == nil {
		size, sized = tty.Size(0, 1, 2)
	}
	if sized {
		err = tty.SetSize(master, size)
	}
	if err != nil {
		return err
	}
	if c.socket != nil {
		return c.socket.Send(master)
	}
	c.master, err = unix.FcntlInt(uintptr(master), unix.F_DUPFD_CLOEXEC, 3)
	return errs.Op("keep", "the terminal", err)
}

// stays tells whether the terminal is ours to relay.
func (c *console) stays() bool { return c != nil && c.master >= 0 }

func (c *console) close() {
	if c == nil {
		return
	}
	if c.socket != nil {
		c.socket.Close()
	}
	if c.master >= 0 {
		unix.Close(c.master)
		c.master = -1
	}
}

// attend is supervise for a workload with a terminal that we relay. Ours is raw meanwhile,
// and back at any end; after a SIGKILL its guard sees to that.
func (t *conversation) attend() (int, error) {
	c := t.console
	signals.Forget(unix.SIGTTIN, unix.SIGTTOU) // in the background we stop, as anyone does who wants the terminal
	c.own = tty.Own(0)
	defer c.own.Restore()
	if err := c.own.Raw(); err != nil {
		return 1, err
	}
	c.relay = tty.Relay{In: 0, Out: 1, Master: c.master, Ended: t.child.Pidfd, Signals: t.signals, Signal: t.relaySignal}
	c.master = -1 // the relay closes it
	if !c.sized { // ours may have changed since
		c.resize()
	}
	if err := c.relay.Run(); err != nil {
		return 1, err
	}
	status, err := t.wait()
	return exitCode(status), err
}

// relaySignal: those about our terminal are for us, the others for the workload.
func (t *conversation) relaySignal(s unix.Signal) {
	c := t.console
	switch s {
	case unix.SIGWINCH:
		c.resize()
	case unix.SIGTSTP:
		c.own.Restore()
		signals.Stop()
		c.resume()
	case unix.SIGCONT: // after a SIGSTOP, too
		c.resume()
	case unix.SIGTTIN, unix.SIGTTOU: // came before attend
	default:
		unix.PidfdSendSignal(t.child.Pidfd, s, nil, 0)
	}
}

// resume takes the terminal again; meanwhile the shell may have had it, or a larger window.
func (c *console) resume() {
	c.own.Raw() // without its guard the terminal stays as it is
	c.resize()
}

func (c *console) resize() {
	if size, ok := tty.Size(0, 1, 2); ok && c.relay.Master >= 0 {
		tty.SetSize(c.relay.Master, size)
	}
}
