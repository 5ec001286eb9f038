package integration

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// hostSteps are the calls by which `create` changes something or talks to init.
const hostSteps = "mkdir,mkdirat,openat,openat2,write,pwrite64,rename,renameat,renameat2,clone,clone3,vfork,sendmsg,sendto,recvmsg,recvfrom," +
	"unlink,unlinkat,rmdir,flock,fchmod,fchown,ftruncate,socketpair,pidfd_open,memfd_create,mknodat,symlinkat,link,linkat"

// point is the n-th call of one name in one thread.
type point struct {
	call string
	n    int
}

// crashPoints spreads count points evenly over the calls of one good `create`.
func crashPoints(t *testing.T, count int, edit func(*specs.Spec)) []point {
	t.Helper()
	c := newContainer(t, args("sleep", "300"), edit)
	file := c.bundle + "/strace"
	traced(c, "-o", file, "-e", "trace="+hostSteps).run(t).must(t)
	c.delete("--force").must(t)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := callsOf(string(b))
	if len(all) < count {
		t.Fatalf("%d calls in a whole create:\n%s", len(all), b)
	}
	var some []point
	for i := range count {
		some = append(some, all[i*len(all)/count])
	}
	return some
}

// callsOf gives each call of create's own threads once for each n, where they come first:
// strace counts by thread, so a point stands for the n-th call of whichever thread gets there.
func callsOf(trace string) []point {
	line := regexp.MustCompile(`^(\d+) +(?:<\.\.\. )?([a-z0-9_]+)(\(| resumed)(?:.* = (\d+))?`)
	counts, seen := map[string]int{}, map[point]bool{}
	var own threads
	var all []point
	for _, l := range strings.Split(trace, "\n") {
		m := line.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		own.see(m[1], l, m[4])
		if m[3] != "(" {
			continue
		}
		counts[m[1]+m[2]]++
		p := point{m[2], counts[m[1]+m[2]]}
		if !seen[p] && own.ids[m[1]] && changes(l) {
			all = append(all, p)
		}
		seen[p] = true
	}
	return all
}

// changes says that the call does more than look.
func changes(line string) bool {
	return !strings.Contains(line, "open") || strings.Contains(line, "O_WRONLY") || strings.Contains(line, "O_RDWR") || strings.Contains(line, "O_CREAT")
}

// threads are the thread ids of the first process of a trace.
type threads struct {
	ids    map[string]bool
	asking map[string]bool // has a clone for a thread under way
}

func (o *threads) see(id, line, value string) {
	if o.ids == nil {
		o.ids, o.asking = map[string]bool{id: true}, map[string]bool{}
	}
	if !strings.Contains(line, "clone") {
		return
	}
	o.asking[id] = o.asking[id] || strings.Contains(line, "CLONE_THREAD")
	if o.asking[id] && o.ids[id] && value != "" {
		o.ids[value] = true
	}
	if !strings.Contains(line, "<unfinished") {
		o.asking[id] = false
	}
}

// traced is `create` under strace, which stays apart (-D): the command is our own child,
// and its end does not wait for the other tracees.
func traced(c *container, flags ...string) command {
	cmd := c.command("create", "--bundle", c.bundle, "--pid-file", c.bundle+"/pid", c.id)
	cmd.args = append(append([]string{"strace", "-D", "-f", "-qq"}, flags...), cmd.args...)
	return cmd
}

func inject(c *container, p point, signal string) command {
	return traced(c, "-o", "/dev/null", "-e", "trace="+p.call, "-e", fmt.Sprintf("inject=%s:signal=%s:when=%d", p.call, signal, p.n))
}

func needStrace(t *testing.T, p peers) {
	t.Helper()
	needBinary(t, p)
	needRoot(t)
	if _, err := exec.LookPath("strace"); err != nil {
		skip(t, "needs strace")
	}
}

func pointCount(t *testing.T) int {
	t.Helper()
	text := os.Getenv("RT_CRASH_POINTS")
	if text == "" {
		return 12
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("RT_CRASH_POINTS=%s", text)
	}
	return n
}

// TestCrash: wherever `create` is killed, state and list work, and one delete --force
// leaves nothing.
func TestCrash(t *testing.T) {
	needStrace(t, peers{runc: differs("leaves cgroups behind when it is killed")})
	for _, shape := range shapes() {
		t.Run(shape.name, func(t *testing.T) { crash(t, shape.edit) })
	}
}

// shapes are containers that are made in different ways.
func shapes() []row {
	return []row{{name: "one process"}, {name: "two forks", edit: edits(mapped, addNamespace(specs.TimeNamespace, ""))}}
}

func crash(t *testing.T, edit func(*specs.Spec)) {
	killed := 0
	for _, p := range spread(t, edit) {
		t.Run(fmt.Sprintf("%s %d", p.call, p.n), func(t *testing.T) {
			before := watch(t)
			c := newContainer(t, args("sleep", "300"), edit)
			r := inject(c, p, "SIGKILL").run(t)
			if r.code == 137 {
				killed++
			}
			afterCrash(c, before)
		})
	}
	if killed == 0 {
		t.Error("no create was killed")
	}
	t.Logf("%d creates killed", killed)
}

func spread(t *testing.T, edit func(*specs.Spec)) (points []point) {
	t.Run("good run", func(t *testing.T) {
		watch(t)
		points = crashPoints(t, pointCount(t), edit)
	})
	return points
}

func afterCrash(c *container, before census) {
	if r := c.rt("state", c.id); r.code != 0 && (r.code != 1 || !strings.Contains(r.stderr, gone)) {
		c.t.Error(r)
	}
	want(c.t, c.rt("list", "-q"), 0, like(`^(`+c.id+`\n)?$`), match{})
	c.delete("--force").must(c.t)
	if left := settled(before); len(left) > 0 {
		c.t.Fatalf("delete --force leaves\n%s", strings.Join(left, "\n"))
	}
	c.create().must(c.t) // the id is free again
	c.delete("--force").must(c.t)
}

// TestTerm: TERM during `create` undoes everything at once, or comes too late to matter.
func TestTerm(t *testing.T) {
	needStrace(t, peers{runc: differs("keeps the state directory when TERM comes early")})
	for _, shape := range shapes() {
		t.Run(shape.name, func(t *testing.T) { term(t, shape.edit) })
	}
}

func term(t *testing.T, edit func(*specs.Spec)) {
	undone := 0
	for _, p := range spread(t, edit) {
		t.Run(fmt.Sprintf("%s %d", p.call, p.n), func(t *testing.T) {
			watch(t)
			c := newContainer(t, args("sleep", "300"), edit)
			if r := inject(c, p, "SIGTERM").run(t); r.code == 0 {
				c.delete("--force").must(t)
				return
			}
			undone++
			if left := c.records(); len(left) > 0 {
				t.Errorf("left: %v", left)
				c.delete("--force")
			}
		})
	}
	if undone == 0 {
		t.Error("no create was ended")
	}
}

// TestTermInHook sends the signal at a known place: while a hook of `create` runs.
func TestTermInHook(t *testing.T) {
	dies := peers{runc: differs("takes no notice of TERM during a hook, and the hook outlives it")}
	send := func(signal unix.Signal, check func(*container, result)) func(*testing.T) {
		return func(t *testing.T) {
			c := newContainer(t, args("sleep", "300"))
			mark := c.bundle + "/mark"
			c.config(args("sleep", "300"), func(s *specs.Spec) {
				s.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", "touch " + mark + "; exec sleep 100"}}}}
			})
			r := c.command("create", "--bundle", c.bundle, c.id).start(t)
			r.until(t, "the hook", func() bool { _, err := os.Stat(mark); return err == nil })
			began := time.Now()
			r.cmd.Process.Signal(signal)
			check(c, r.wait(t))
			if d := time.Since(began); d > patient(3*time.Second) {
				t.Errorf("took %v", d)
			}
		}
	}
	clean := func(c *container, r result) {
		if r.code == 0 || len(c.records()) > 0 {
			c.t.Errorf("%v\nleft: %v", r, c.records())
			c.delete("--force")
		}
	}
	force := func(c *container, r result) {
		states := c.rt("list", "-q")
		want(c.t, states, 0, is(c.id+"\n"), match{})
		c.delete("--force").must(c.t)
	}
	runScenes(t, []scene{
		{name: "TERM", peers: dies, play: send(unix.SIGTERM, clean)},
		{name: "INT", peers: dies, play: send(unix.SIGINT, clean)},
		{name: "KILL, then delete --force", peers: dies, play: send(unix.SIGKILL, force)},
	})
}

// TestForeignGroup: a create that is killed before it makes its cgroup has recorded a path
// that may be another container's. To delete it must not touch that one.
func TestForeignGroup(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	watch(t)
	c := newRunning(t)
	state, err := os.ReadFile(c.root + "/" + c.id + "/state.json")
	if err != nil {
		t.Fatal(err)
	}
	half := c.id + "-half"
	if err := os.Mkdir(c.root+"/"+half, 0o700); err != nil {
		t.Fatal(err)
	}
	intent := regexp.MustCompile(`"(pid|pidStart)":\d+`).ReplaceAll(state, []byte(`"$1":0`))
	if err := os.WriteFile(c.root+"/"+half+"/intent", intent, 0o600); err != nil {
		t.Fatal(err)
	}
	c.rt("delete", "--force", half).must(t)
	want(t, c.rt("list", "-q"), 0, is(c.id+"\n"), match{})
	c.wantStatus("running")
	c.delete("--force").must(t)
}
