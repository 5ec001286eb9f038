package libcontainer

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
	"rt/nsenter"
)

// TestGone: an init that is gone when it is told something has died of a signal, or has said
// what failed; a broken pipe, or a reset, is neither.
func TestGone(t *testing.T) {
	b := plan.Builder{Plan: plan.Plan{Args: []string{"true"}}}
	b.From("/mounts/0").Fsopen("nosuchfs")
	rows := []struct {
		name, want string
		end        func(t *testing.T, c *nsenter.Child)
	}{
		{"killed", "killed by SIGKILL", func(t *testing.T, c *nsenter.Child) {
			if err := unix.PidfdSendSignal(c.Pidfd, unix.SIGKILL, nil, 0); err != nil {
				t.Fatal(err)
			}
		}},
		{"killed before it read", "killed by SIGKILL", func(t *testing.T, c *nsenter.Child) {
			err := unix.PidfdSendSignal(c.Pidfd, unix.SIGSTOP, nil, 0)
			if _, waitErr := unix.Wait4(c.Pid, nil, unix.WUNTRACED, nil); err == nil {
				err = waitErr
			}
			if err = errors.Join(err, c.Do(&b.Plan, nil, 0), unix.PidfdSendSignal(c.Pidfd, unix.SIGKILL, nil, 0)); err != nil {
				t.Fatal(err)
			}
		}},
		{"failed", "config.json: /mounts/0", func(t *testing.T, c *nsenter.Child) {
			if err := c.Do(&b.Plan, nil, 0); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			child, err := nsenter.Spawn(nsenter.Start{})
			if err != nil {
				t.Fatal(err)
			}
			talk := conversation{plan: &b.Plan, child: child, died: func(s unix.WaitStatus) error { return errors.New(describe(s)) }}
			defer talk.close()
			row.end(t, child)
			if _, _, err := either(child.Pidfd, child.Pidfd); err != nil { // it has ended
				t.Fatal(err)
			}
			err = talk.told(child.Do(&b.Plan, nil, 0))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, want %q in it", err, row.want)
			}
		})
	}
}

// TestHookGone: a hook's init that is gone when it is answered is reaped once, by who asks why.
func TestHookGone(t *testing.T) {
	child, err := nsenter.Spawn(nsenter.Start{})
	if err != nil {
		t.Fatal(err)
	}
	b := plan.Builder{}
	talk := &conversation{plan: &b.Plan, child: child, died: diedEarly}
	talk.early = &heard{plan.Message{Verb: plan.CallVerb, A: plan.CallJoin}, -1}
	p := hookProcess{pid: child.Pid, pidfd: child.Pidfd, talk: talk, stdin: -1, write: -1, output: -1}
	defer p.close()
	if err := unix.PidfdSendSignal(child.Pidfd, unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := awaitEnd(child.Pidfd, teardown); err != nil {
		t.Fatal(err)
	}
	why := p.hear()
	if err := p.end(why); err == nil || err.Error() != "died before its execve: killed by SIGKILL" {
		t.Errorf("%v", err)
	}
}
