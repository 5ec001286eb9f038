package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// program builds ./name once and gives its path. What runs inside containers needs no libc.
func program(t *testing.T, name string, env ...string) string {
	t.Helper()
	path := filepath.Join(it.base, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if _, err := exec.LookPath("go"); err != nil {
		skip(t, "needs a Go toolchain")
	}
	cmd := exec.Command("go", "build", "-o", path, "./"+name)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return path
}

// enemy is a container whose workload is the program attacker.
type enemy struct {
	c    *container
	r    *running
	line *os.File // its stdin, which ends it
}

func newEnemy(t *testing.T, edit func(*specs.Spec), a ...string) *enemy {
	t.Helper()
	c := newContainer(t, edit, args(append([]string{"/attacker"}, a...)...))
	c.adopt(program(t, "attacker", "CGO_ENABLED=0"))
	e := &enemy{c: c}
	e.begin(t, c.command("run", "--bundle", c.bundle, c.id))
	return e
}

// adopt links a file of the host into the rootfs.
func (c *container) adopt(file string) {
	c.t.Helper()
	if err := os.Link(file, filepath.Join(c.rootfs(), filepath.Base(file))); err != nil {
		c.t.Fatal(err)
	}
	c.before = listTree(c.rootfs())
}

func (e *enemy) begin(t *testing.T, cmd command) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd.stdin, cmd.files, e.line = read, true, write
	cmd.limit = deadline + time.Duration(raceSeconds(t))*time.Second
	e.r = cmd.start(t)
	e.r.until(t, "the attacker", func() bool { return strings.HasPrefix(e.r.printed(), "ready") })
}

// stop ends the attack and gives what it printed.
func (e *enemy) stop(t *testing.T) string {
	t.Helper()
	e.line.Close()
	return e.r.wait(t).must(t).stdout
}

// mountLine is a line of proc_pid_mountinfo(5).
type mountLine struct{ root, at, options, fs, source string }

func mountsOf(t *testing.T, pid int) []mountLine {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil {
		t.Fatal(err)
	}
	var list []mountLine
	for _, l := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		left, right, _ := strings.Cut(l, " - ")
		f, g := strings.Fields(left), strings.Fields(right)
		list = append(list, mountLine{f[3], f[4], f[5], g[0], g[1]})
	}
	return list
}

// race makes a container again and again, while another container exchanges names on a
// volume that both have at /mnt. Links there lead to outside, a directory of the host; in the
// container's own root there is another one with the same path.
type race struct {
	t       *testing.T
	c       *container
	volume  string
	outside string
	enemy   *enemy
	pid     int         // the attacker's
	hit     func() bool // what else has to come up
	seen    map[string]int
}

func newRace(t *testing.T, fill func(r *race), pairs ...string) *race {
	t.Helper()
	c := newContainer(t)
	r := &race{t: t, c: c, volume: c.bundle + "/volume", outside: c.bundle + "/outside", seen: map[string]int{}}
	for _, dir := range []string{r.volume, r.outside + "/dir", r.decoy() + "/dir"} {
		r.must(os.MkdirAll(dir, 0o755))
	}
	r.must(os.WriteFile(r.outside+"/kept", nil, 0o644))
	r.must(os.WriteFile(r.decoy()+"/kept", nil, 0o644))
	fill(r)
	c.before = listTree(c.rootfs())
	for i, p := range pairs {
		pairs[i] = "/mnt/" + strings.Replace(p, ":", ":/mnt/", 1)
	}
	r.enemy = newEnemy(t, r.shared("/mnt"), append([]string{"swap"}, pairs...)...)
	r.pid = r.enemy.c.state().Pid
	return r
}

func (r *race) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// decoy is what the links of the volume mean inside.
func (r *race) decoy() string { return r.c.rootfs() + r.outside }

func (r *race) shared(dst string) func(*specs.Spec) {
	return addMount(specs.Mount{Destination: dst, Type: "bind", Source: r.volume, Options: []string{"bind"}})
}

// raceSeconds is how long each race goes on.
func raceSeconds(t *testing.T) int {
	text := os.Getenv("RT_RACE_SECONDS")
	if text == "" {
		return 2
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("RT_RACE_SECONDS=%s", text)
	}
	return n
}

func (r *race) enough(both []string) bool {
	for _, b := range both {
		if r.seen[b] < 3 {
			return false
		}
	}
	return r.hit == nil || r.hit()
}

// run counts what the rounds come to. A race that never hits proves nothing: each of both
// must come up, and hit must be true. On a busy machine that takes up to ten times as long.
func (r *race) run(round func(n int) string, both ...string) {
	r.t.Helper()
	host, tree := mountsOf(r.t, os.Getpid()), listTree(r.outside)
	n := 0
	begun, length := time.Now(), time.Duration(raceSeconds(r.t))*time.Second
	going := func() bool {
		took := time.Since(begun)
		return took < length || took < 10*length && !r.enough(both)
	}
	for ; going() && !r.t.Failed(); n++ {
		r.seen[round(n)]++
	}
	r.t.Logf("%d rounds: %v; %s", n, r.seen, strings.TrimPrefix(r.enemy.stop(r.t), "ready\n"))
	for _, b := range both {
		if r.seen[b] < 3 {
			r.t.Errorf("%q came up %d times in %d rounds: the race does not hit", b, r.seen[b], n)
		}
	}
	if f := faults(tree, listTree(r.outside)); len(f) > 0 {
		r.t.Errorf("the host's directory changed:\n%s", strings.Join(f, "\n"))
	}
	if now := mountsOf(r.t, os.Getpid()); len(now) != len(host) {
		r.t.Errorf("the host has %d mounts, had %d", len(now), len(host))
	}
}

// still does f while the attacker is stopped.
func (r *race) still(f func()) {
	r.t.Helper()
	r.must(unix.Kill(r.pid, unix.SIGSTOP))
	for p, _ := readProcess(r.pid); p.state != "T"; p, _ = readProcess(r.pid) {
		time.Sleep(50 * time.Microsecond)
	}
	f()
	r.must(unix.Kill(r.pid, unix.SIGCONT))
}

// made creates the container, lets look see its init, and deletes it. The kernel gives up a
// look-up with EAGAIN when too much is renamed meanwhile: that is a refusal, too.
func (r *race) made(look func(pid int) string, refusals ...string) string {
	r.t.Helper()
	res := r.c.create()
	if res.code != 0 {
		for _, f := range append(refusals, "resource temporarily unavailable") {
			if strings.Contains(res.stderr, f) {
				return "refused"
			}
		}
		r.t.Errorf("%v", res)
		return "failed"
	}
	defer func() { r.c.delete("--force").must(r.t) }()
	return look(r.c.state().Pid)
}
