package tty

import "golang.org/x/sys/unix"

// eof is the end of the input of a Relay, which a terminal does not know: there is only a
// key for it. A workload that reads lines finds the key whenever it has read all before, as
// a file would go on to end. One that takes single keys gets it once each time that it
// begins to: to a line editor it is the end, to others a key like any other.
type eof struct {
	reached bool
	wait    int  // for the next look, in milliseconds: nothing tells that input was read
	pressed bool // since the workload takes single keys
}

const eofWaitMax = 1000 // milliseconds

// pause is the timeout for poll(2).
func (e *eof) pause() int {
	if !e.reached {
		return -1
	}
	e.wait = min(max(2*e.wait, 5), eofWaitMax)
	return e.wait
}

// key appends the key to b if it is time for it. peer is the workload's end.
func (e *eof) key(peer int, b []byte) []byte {
	t, err := unix.IoctlGetTermios(peer, unix.TCGETS)
	fds := []unix.PollFd{{Fd: int32(peer), Events: unix.POLLIN}}
	if n, failed := unix.Poll(fds, 0); err != nil || failed != nil || n > 0 {
		return b
	}
	lines := t.Lflag&unix.ICANON != 0
	if !lines && e.pressed {
		return b
	}
	e.pressed, e.wait = !lines, 0
	return append(b, t.Cc[unix.VEOF])
}
