package integration

import (
	"os"
	"syscall"
	"testing"
)

// leaks are n open files for fd 3 and up, as a careless caller passes them.
func leaks(t *testing.T, n int) []*os.File {
	t.Helper()
	var files []*os.File
	for i := range n {
		f := scratch(t)
		f.WriteString("fd " + string(rune('3'+i)) + "\n")
		f.Seek(0, 0)
		files = append(files, f)
	}
	return files
}

func TestStdio(t *testing.T) {
	runScenes(t, []scene{
		{name: "pipes belong to the user", play: func(t *testing.T) {
			c := newContainer(t, user(1000, 1000), script("echo out >/dev/stdout; echo err >/dev/stderr"))
			want(t, c.run(), 0, is("out\n"), is("err\n"))
		}},
		{name: "a file keeps its owner", peers: peers{runc: differs("chowns all stdio but null to the user")}, play: fileKeepsOwner},
		{name: "the caller's null becomes the container's", play: func(t *testing.T) {
			c := newRunning(t)
			want(t, c.sh(`stat -L -c %d:%i:%t:%T /proc/1/fd/0 /dev/null | sort -u | wc -l`), 0, is("1\n"), is(""))
			c.delete("--force").must(t)
		}},
		{name: "stdin comes through", play: func(t *testing.T) {
			c := newContainer(t, args("cat"))
			cmd := c.command("run", "--bundle", c.bundle, c.id)
			cmd.stdin = leaks(t, 1)[0]
			want(t, cmd.run(t), 0, is("fd 3\n"), is(""))
		}},
		{name: "null of the host keeps its owner", play: func(t *testing.T) {
			c := newContainer(t, user(1000, 1000))
			null, err := os.Open("/dev/null")
			if err != nil {
				t.Fatal(err)
			}
			defer null.Close()
			cmd := c.command("run", "--bundle", c.bundle, c.id)
			cmd.stdin = null
			want(t, cmd.run(t), 0, is(""), is(""))
			if uid := owner(t, "/dev/null"); uid != 0 {
				t.Errorf("/dev/null belongs to %d", uid)
			}
		}},
	})
}

func owner(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid
}

func fileKeepsOwner(t *testing.T) {
	c := newContainer(t, user(1000, 1000), script("echo out"))
	r := c.command("create", "--bundle", c.bundle, c.id).start(t)
	<-r.done
	c.start().must(t)
	c.untilStatus("stopped")
	info, err := r.file[0].Stat()
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid != 0 {
		t.Errorf("stdout belongs to %d", uid)
	}
	want(t, r.result(t), 0, is("out\n"), is(""))
	c.delete().must(t)
}

const listFDs = "ls /proc/1/fd"

func TestFileDescriptors(t *testing.T) {
	inRun := func(flags ...string) func(*testing.T) result {
		return func(t *testing.T) result {
			c := newContainer(t, script(listFDs+"; cat <&4 2>&1"))
			cmd := c.command(with("run", append([]string{"--bundle", c.bundle}, flags...), c.id)...)
			cmd.extra = leaks(t, 7)
			return cmd.run(t)
		}
	}
	inExec := func(flags ...string) func(*testing.T) result {
		return func(t *testing.T) result {
			c := newRunning(t)
			cmd := c.command(append(with("exec", flags, c.id), "sh", "-c", "ls /proc/$$/fd; cat <&4 2>&1")...)
			cmd.extra = leaks(t, 7)
			r := cmd.run(t)
			c.delete("--force").must(t)
			return r
		}
	}
	for _, row := range []struct {
		name string
		do   func(*testing.T) result
		code int
		out  match
	}{
		{"run", inRun(), 1, is("0\n1\n2\n")},
		{"run --preserve-fds 2", inRun("--preserve-fds", "2"), 0, is("0\n1\n2\n3\n4\nfd 4\n")},
		{"run --preserve-fds=1", inRun("--preserve-fds=1"), 1, is("0\n1\n2\n3\n")},
		{"exec", inExec(), 1, is("0\n1\n2\n")},
		{"exec --preserve-fds 2", inExec("--preserve-fds", "2"), 0, is("0\n1\n2\n3\n4\nfd 4\n")},
	} {
		t.Run(row.name, func(t *testing.T) {
			needBinary(t, peers{})
			watch(t)
			want(t, row.do(t), row.code, row.out, match{})
		})
	}
}
