package integration

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// slowly makes a command take its time for each write(2) to one of the files. -D: it is our
// child itself, and gets our signals.
func slowly(t *testing.T, cmd command, files ...string) command {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		skip(t, "needs strace")
	}
	trace := []string{"strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=write", "-e", "inject=write:delay_enter=50000:delay_exit=50000"}
	for _, f := range files {
		trace = append(trace, "-P", f)
	}
	cmd.args = append(trace, cmd.args...)
	return cmd
}

// everythingBut allows all devices but the one of extraNode. In cgroup v1 all are allowed on
// the way there.
const everythingBut = `"devices": [{"allow": true, "access": "rwm"}, {"allow": false, "type": "c", "major": 10, "minor": 250, "access": "rw"}]`

// TestUpdateOpens: nobody uses a device that is allowed on the way only, neither of an update
// nor of its way back.
func TestUpdateOpens(t *testing.T) {
	end := func(c *container, r *running) {
		r.until(c.t, "all devices", func() bool { return c.limit("devices.list") == "a *:* rwm" })
		r.cmd.Process.Signal(unix.SIGTERM)
	}
	for _, r := range []struct {
		name, more string
		during     func(*container, *running)
		code       int
		err        match
	}{
		{"done", "", func(*container, *running) {}, 0, is("")},
		{"interrupted", "", end, 1, has("update was interrupted: terminated; all former values are back")},
		{"refused", `, "cpu": {"burst": 60000}`, func(*container, *running) {}, 1, has("all former values are back")},
	} {
		t.Run(r.name, func(t *testing.T) {
			needBinary(t, peers{runc: rtOnly, crun: rtOnly})
			needRoot(t)
			watch(t)
			needV1(&container{t: t})
			const tries = "while :; do true </dev/extra; done 2>&1 | grep -m1 'No such dev' >/dev/shm/hit"
			c := newRunning(t, limited, extraNode(0o666, 0, 0), script(tries))
			before := c.limit("devices.list")
			file, devices := c.write("update.json", "{"+everythingBut+r.more+"}"), c.groupDir("devices")
			up := slowly(t, c.command("update", "--resources", file, c.id), devices+"/devices.allow", devices+"/devices.deny", c.groupDir("freezer")+"/freezer.state").start(t)
			r.during(c, up)
			want(t, up.wait(t), r.code, is(""), r.err)
			want(t, c.sh("cat /dev/shm/hit; true </dev/extra"), 1, is(""), has("Operation not permitted"))
			if got := c.limit("devices.list"); r.code != 0 && sorted(got) != sorted(before) {
				t.Errorf("devices were\n%s\nand are\n%s", before, got)
			}
			c.wantStatus("running")
			c.delete("--force").must(t)
		})
	}
}
