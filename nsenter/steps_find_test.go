package nsenter

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// commands fills the image with things that find may find, and enters it.
func (w *world) commands() {
	w.file("bin/tool", "#!/nosuch\n", 0o755)
	w.file("bin/text", "text", 0o644)
	w.file("sbin/text", "#!/nosuch\n", 0o755)
	w.file("private/tool", "#!/nosuch\n", 0o700)
	w.mkdir("bin/dir", 0o755)
	w.link("bin/loop", "loop")
	w.mkdir("secret", 0o700)
	w.file("secret/tool", "#!/nosuch\n", 0o755)
	mkfifo(w, "bin/fifo")
	w.Pivot(0)
}

func mkfifo(w *world, name string) {
	w.t.Helper()
	if err := unix.Mkfifo(w.root+"/"+name, 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func findRefusals() []refusal {
	find := func(path, arg0 string) func(*world) {
		return func(w *world) {
			w.commands()
			w.Number(plan.KindUid, 1000)
			w.Find(path, arg0)
		}
	}
	no := func(errno unix.Errno) failure { return failure{plan.KindFind, errno, 0} }
	absent := failure{plan.KindFind, unix.ENOENT, plan.DetailNotInPath}
	long := strings.Repeat("x", 255)
	return []refusal{
		{"find: not in the path", find("/bin:/sbin", "nosuch"), absent},
		{"find: empty path", find("", "nosuch"), absent},
		{"find: empty name", find("/bin", ""), no(unix.ENOENT)},
		{"find: a directory in the path", find("/bin", "dir"), absent},
		{"find: a file where a directory should be", find("/bin/tool", "x"), absent},
		{"find: not executable", find("/bin", "text"), no(unix.EACCES)},
		{"find: another's", find("/private", "tool"), no(unix.EACCES)},
		{"find: in another's directory", find("/secret", "tool"), no(unix.EACCES)},
		{"find: a fifo", find("/bin", "fifo"), no(unix.EACCES)},
		{"find: a loop", find("/bin", "loop"), absent},
		{"find: missing", find("/bin", "/nosuch"), no(unix.ENOENT)},
		{"find: a directory", find("/bin", "/bin/dir"), no(unix.EISDIR)},
		{"find: a plain file", find("/bin", "/bin/text"), no(unix.EACCES)},
		{"find: a loop by name", find("/bin", "/bin/loop"), no(unix.ELOOP)},
		{"find: relative, missing", find("/bin", "./tool"), no(unix.ENOENT)},
		{"find: name too long", find("/bin", long+long), absent},
		{"find: path too long", find("/bin", "/"+strings.Repeat(long+"/", 20)), no(unix.ENAMETOOLONG)},
	}
}

// TestFind: what find found is what execve gets. The interpreter is missing, so execve says
// ENOENT; a wrong program would give another error, or none.
func TestFind(t *testing.T) {
	needRoot(t)
	for _, r := range []struct{ name, path, arg0 string }{
		{"in the path", "/nosuch:/bin", "tool"},
		{"later in the path, where it is executable", "/bin:/sbin", "text"},
		{"absolute", "/nosuch", "/bin/tool"},
		{"relative", "/nosuch", "bin/tool"},
		{"relative with a dot", "/nosuch", "./bin/../bin/tool"},
		{"empty directory in the path", "/nosuch:", "top"},
		{"empty directory first", ":/nosuch", "top"},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.enclosed()
			w.file("top", "#!/nosuch\n", 0o755)
			w.commands()
			w.Find(r.path, r.arg0)
			w.Exec(r.arg0)
			got, _ := w.run().failed()
			equal(t, "failure", got, failure{plan.KindExec, unix.ENOENT, 0})
		})
	}
}

func TestExecRefusals(t *testing.T) {
	needRoot(t)
	for _, r := range []struct {
		name, content string
		errno         unix.Errno
	}{
		{"no interpreter", "#!/nosuch\n", unix.ENOENT},
		{"not a program", "\x7fEL", unix.ENOEXEC},
		{"empty", "", unix.ENOEXEC},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.enclosed()
			w.Find("", w.file("x", r.content, 0o755))
			w.Exec("x")
			got, _ := w.run().failed()
			equal(t, "failure", got, failure{plan.KindExec, r.errno, 0})
		})
	}
}
