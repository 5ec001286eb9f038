package integration

import "testing"

// TestRelayInterrupted: a signal, SIGCHLD above all, may interrupt any poll(2), also the one
// after the workload's end that waits for nothing.
func TestRelayInterrupted(t *testing.T) {
	needStrace(t, peers{runc: rtOnly, crun: rtOnly})
	for _, when := range []string{"1+2", "2+2", "2+3"} {
		t.Run(when, func(t *testing.T) {
			watch(t)
			c := newContainer(t, withTTY, script("echo hi; exit 3"))
			cmd := c.command("run", "--bundle", c.bundle, c.id)
			cmd.args = append([]string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=ppoll:error=EINTR:when=" + when}, cmd.args...)
			s := newScreen(t).run(cmd)
			s.ends(3)
			s.expect("hi\r\n")
		})
	}
}
