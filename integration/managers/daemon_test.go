//go:build managers

package managers

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// daemon is a manager's process that stays. Its output goes to one of the engine's logs.
type daemon struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{}
}

// start starts a daemon. It is stopped after the engine.
func (e *engine) start(t *testing.T, argv []string) *daemon {
	t.Helper()
	name := filepath.Base(argv[0])
	log, err := os.Create(e.dir + "/" + name + ".log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d := &daemon{name: name, cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	d.cmd.Env, d.cmd.Stdout, d.cmd.Stderr = e.env, log, log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e.logs = append(e.logs, log.Name())
	go func() {
		d.cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(func() { d.stop(t) })
	return d
}

// answers waits until ask, a command of the daemon's client, succeeds.
func (d *daemon) answers(t *testing.T, e *engine, ask ...string) {
	t.Helper()
	eventually(t, deadline, d.name+" is ready", func() (string, bool) {
		select {
		case <-d.ended:
			text, _ := os.ReadFile(e.logs[len(e.logs)-1])
			t.Fatalf("%s: %v\n%s", d.name, d.cmd.ProcessState, text)
		default:
		}
		asked := e.do(ask...)
		return asked.stderr, asked.err == nil && asked.code == 0
	})
}

// stop ends the daemon as a service manager does; one that does not go within 30 s is a fault.
func (d *daemon) stop(t *testing.T) {
	d.cmd.Process.Signal(unix.SIGTERM) // it may have ended: answers has said so
	select {
	case <-d.ended:
	case <-time.After(30 * time.Second):
		t.Errorf("%s: does not end by SIGTERM", d.name)
		d.cmd.Process.Kill()
		<-d.ended
	}
}

// program finds a program where the managers themselves find theirs; one that is missing
// keeps its name, which the frame then reports.
func program(name string) string {
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found
		}
	}
	return name
}

// built is a program that make deps-managers builds into the user's cache.
func built(name string) string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "rt-managers/" + name
	}
	return filepath.Join(cache, "rt-managers", name)
}

// over mounts a layer on a directory of the host that forgets what is written, until t's end.
func over(t *testing.T, dir string) {
	t.Helper()
	layer := scratch(t)
	for _, d := range []string{"/upper", "/work"} {
		if err := os.Mkdir(layer+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount("overlay", dir, "overlay", 0, "lowerdir="+dir+",upperdir="+layer+"/upper,workdir="+layer+"/work"); err != nil {
		t.Fatalf("overlay on %s: %v", dir, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("umount %s: %v", dir, err)
		}
	})
}

// write makes a file and the directories above it.
func write(t *testing.T, name string, text ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Join(text, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// unnested makes lines of what a daemon quotes of another program's log, takes the runtime's
// own name out, and the lines that a daemon writes or not, whatever the runtime does.
func unnested(e *engine, text string) string {
	names := strings.NewReplacer(`\"`, `"`, `\n`, "\n", e.bin, "RUNTIME", "runc did not", "RUNTIME did not")
	var lines []string
	for line := range strings.Lines(pointer.ReplaceAllString(names.Replace(text), "")) {
		if !slices.ContainsFunc(byChance, func(words string) bool { return strings.Contains(line, words) }) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// pointer is what rt says besides: where in config.json the fault is.
var pointer = regexp.MustCompile(` \(config\.json: /[^)]*\)`)

// byChance are complaints about races inside of containerd, seen with every runtime.
var byChance = []string{
	"RUNTIME did not terminate successfully: exit status 255: ", // the shim's reaper has taken the child that delete waits for
	"cgroups: epoll wait",               // a shim ends while its thread waits for OOM
	"failed sending message on channel", // a client of the shim hangs up first
	"killing logging shim",              // the tests' logger has ended before it is told to
	"Health check for container ",       // it is removed meanwhile
	"cleanup warnings",                  // quotes the first one, or information only
}
