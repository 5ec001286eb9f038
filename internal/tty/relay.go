package tty

import (
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/signals"
)

// piece is how much is carried at once, in bytes. A pipe that poll(2) finds writable takes
// as much without blocking (PIPE_BUF), and a pty never holds more.
const piece = 4096

// afterEnd is how much output, in bytes, is still taken when the workload has ended: all
// that the kernel can hold (some 20 KiB), but not for ever what others go on to write.
const afterEnd = 256 << 10

// Relay carries bytes between two streams and the master of a terminal, in one loop and
// one thread, until the workload has ended and its output is written.
type Relay struct {
	In, Out int               // of this process
	Master  int               // becomes non-blocking; closed when In, a terminal, hangs up
	Ended   int               // poll(2) finds it readable when the workload has ended
	Signals int               // of signals.Heed
	Signal  func(unix.Signal) // takes what has come there

	peer            int // held open, so that the master outlives a workload that closes and reopens its end
	terminal        bool
	inOpen, outOpen bool
	ended           bool
	eof             eof
	left            int    // output still taken after the end, in bytes
	toMaster, toOut []byte // read, and not yet written
	inBuf, outBuf   [piece]byte
}

// The places in the list for poll(2).
const (
	pollIn = iota
	pollOut
	pollMaster
	pollEnded
	pollSignals
	pollCount
)

// Run relays. What goes wrong with one of the streams ends that stream only.
func (r *Relay) Run() (err error) {
	if r.peer, err = Peer(r.Master); err != nil {
		return err
	}
	defer r.hangUp()
	if err := unix.SetNonblock(r.Master, true); err != nil {
		return errs.Op("make non-blocking", "the terminal", err)
	}
	r.inOpen, r.outOpen, r.left = true, true, afterEnd
	if r.terminal = Is(r.In); r.terminal {
		r.In = again(r.In, unix.O_RDWR)
	}
	if Is(r.Out) {
		r.Out = again(r.Out, unix.O_WRONLY)
	}
	for !r.over() {
		if err := r.round(); err != nil {
			return err
		}
	}
	return nil
}

// over: poll(2) waits for output that is on its way inside the kernel, so that what it
// does not find now has not been written before the end.
func (r *Relay) over() bool {
	if !r.ended || len(r.toOut) > 0 {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(r.Master), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	for err == unix.EINTR { // by the SIGCHLD of the end, for instance; the next round would wait for ever
		n, err = unix.Poll(fds, 0)
	}
	return r.Master < 0 || r.left <= 0 || err == nil && n == 0
}

// round waits until something can be done, and does one piece of each.
func (r *Relay) round() error {
	fds := r.wanted()
	n, err := unix.Poll(fds[:], r.eof.pause())
	if err == unix.EINTR {
		return nil
	}
	if n == 0 && r.Master >= 0 && len(r.toMaster) == 0 {
		r.toMaster = r.eof.key(r.peer, r.inBuf[:0])
	}
	if err != nil {
		return errs.Op("wait", "", err)
	}
	r.ended = r.ended || fds[pollEnded].Revents != 0
	if fds[pollSignals].Revents != 0 {
		r.takeSignal()
	}
	r.fromIn(fds[pollIn].Revents)
	if fds[pollOut].Revents != 0 {
		r.write(r.Out, &r.toOut, &r.outOpen)
	}
	if fds[pollMaster].Revents&unix.POLLIN != 0 {
		r.fromMaster()
	}
	if fds[pollMaster].Revents&unix.POLLOUT != 0 {
		r.write(r.Master, &r.toMaster, new(bool))
	}
	return nil
}

// wanted: each direction reads only when what it has read before is written. poll(2) leaves
// negative fds out, and tells of the hang-up of a terminal even if asked for nothing.
func (r *Relay) wanted() [pollCount]unix.PollFd {
	var fds [pollCount]unix.PollFd
	for i := range fds {
		fds[i].Fd = -1
	}
	if r.inOpen && (r.terminal || len(r.toMaster) == 0) {
		fds[pollIn] = unix.PollFd{Fd: int32(r.In), Events: when(len(r.toMaster) == 0, unix.POLLIN)}
	}
	if len(r.toOut) > 0 {
		fds[pollOut] = unix.PollFd{Fd: int32(r.Out), Events: unix.POLLOUT}
	}
	if events := when(len(r.toOut) == 0, unix.POLLIN) | when(len(r.toMaster) > 0, unix.POLLOUT); events != 0 {
		fds[pollMaster] = unix.PollFd{Fd: int32(r.Master), Events: events}
	}
	if !r.ended {
		fds[pollEnded] = unix.PollFd{Fd: int32(r.Ended), Events: unix.POLLIN}
	}
	fds[pollSignals] = unix.PollFd{Fd: int32(r.Signals), Events: unix.POLLIN}
	return fds
}

func when(ok bool, event int16) int16 {
	if ok {
		return event
	}
	return 0
}

// takeSignal: after the end there is nobody to pass it on to, and one that ends a command
// ends the wait for a reader of the output.
func (r *Relay) takeSignal() {
	s := signals.Next(r.Signals)
	if r.ended && signals.Ends(s) {
		r.left, r.toOut = 0, nil
		return
	}
	if s != 0 {
		r.Signal(s)
	}
}

func (r *Relay) fromIn(revents int16) {
	if revents == 0 {
		return
	}
	if r.terminal && revents&unix.POLLHUP != 0 {
		r.inOpen = false
		r.hangUp()
		return
	}
	n, err := unix.Read(r.In, r.inBuf[:])
	switch {
	case n > 0:
		r.toMaster = r.inBuf[:n]
	case err == unix.EAGAIN || err == unix.EINTR:
	default: // EIO: a terminal whose foreground we cannot get
		r.inOpen = false
		r.eof.reached = err == nil
	}
}

func (r *Relay) fromMaster() {
	n, err := unix.Read(r.Master, r.outBuf[:])
	if err == unix.EAGAIN || err == unix.EINTR {
		return
	}
	if n <= 0 {
		r.hangUp()
		return
	}
	if r.ended {
		r.left -= n
	}
	if r.outOpen { // else the workload must not wait for a reader that is gone
		r.toOut = r.outBuf[:n]
	}
}

func (r *Relay) write(fd int, from *[]byte, open *bool) {
	n, err := unix.Write(fd, *from)
	if n > 0 {
		*from = (*from)[n:]
	}
	if err != nil && err != unix.EAGAIN && err != unix.EINTR {
		*open, *from = false, nil
	}
}

// hangUp closes the terminal: the container's session gets SIGHUP from the kernel.
func (r *Relay) hangUp() {
	if r.Master < 0 {
		return
	}
	unix.Close(r.Master)
	unix.Close(r.peer)
	r.Master, r.toMaster = -1, nil
}
