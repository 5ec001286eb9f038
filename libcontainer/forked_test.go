package libcontainer

import (
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
	"rt/nsenter"
)

// TestKillForked: a command that ends before it has heard of the init's fork leaves nobody: the
// child is in the cgroup that it removes next, and waits.
func TestKillForked(t *testing.T) {
	b := plan.Builder{Plan: plan.Plan{Args: []string{"true"}}}
	b.Fork(0, 0, plan.SlotNone, plan.CallForked)
	child, err := nsenter.Spawn(nsenter.Start{})
	if err == nil {
		err = child.Do(&b.Plan, nil, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	talk := conversation{plan: &b.Plan, child: child}
	defer talk.close()
	fd := openForked(t, child.Socket())
	defer unix.Close(fd)
	if err := talk.kill(); err != nil {
		t.Error(err)
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10000)
	if n != 1 {
		t.Errorf("the forked child lives on: %d, %v", n, err)
		unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
	unix.Waitid(unix.P_PIDFD, fd, nil, unix.WEXITED, nil)
}

// openForked looks at the news of a fork, and leaves it in the socket.
func openForked(t *testing.T, sock int) int {
	t.Helper()
	var buf [plan.MessageSize]byte
	n, _, err := unix.Recvfrom(sock, buf[:], unix.MSG_PEEK)
	m, ok := plan.ParseMessage(buf[:max(n, 0)])
	if err != nil || !ok || m.Verb != plan.Spawned {
		t.Fatalf("%v, %v, %v", m, ok, err)
	}
	fd, err := unix.PidfdOpen(int(m.A), 0)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}
