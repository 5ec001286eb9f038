package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// clause is one case of what managers rely on. In command ID, BUNDLE and the like are
// replaced; the texts are those that managers match, so they are an interface.
type clause struct {
	name    string
	setup   func(*testing.T) *container
	command string
	code    int
	text    string // part of stderr
	peers
}

func absent(t *testing.T) *container  { return newContainer(t) }
func created(t *testing.T) *container { return newCreated(t) }
func started(t *testing.T) *container { return newRunning(t) }
func stopped(t *testing.T) *container { return newStopped(t) }

func paused(t *testing.T) *container {
	c := newRunning(t)
	c.rt("pause", c.id).must(t)
	return c
}

func bundleWith(edit func(*specs.Spec)) func(*testing.T) *container {
	return func(t *testing.T) *container {
		c := newContainer(t, edit)
		c.put("noexec", "x", 0o644)
		c.put("bare", "\x01\x02\x03\x04", 0o755)
		c.put("lost", "#!/nosuch/interpreter\n", 0o755)
		return c
	}
}

func (c *container) fill(command string) []string {
	r := strings.NewReplacer("ID", c.id, "BUNDLE", c.bundle, "EMPTY", c.rootfs()+"/var")
	var out []string
	for _, f := range strings.Fields(command) {
		if f = r.Replace(f); f == `""` {
			f = ""
		}
		out = append(out, f)
	}
	return out
}

func TestContract(t *testing.T) {
	for _, group := range [][]clause{absentClauses(), statusClauses(), execClauses(), createClauses(), usageClauses()} {
		for _, cl := range group {
			t.Run(cl.name, cl.run)
		}
	}
}

func (cl clause) run(t *testing.T) {
	needBinary(t, cl.peers)
	watch(t)
	c := cl.setup(t)
	want(t, c.rt(c.fill(cl.command)...), cl.code, match{}, has(cl.text))
	c.delete("--force").must(t)
}

const gone = "container does not exist"

func absentClauses() []clause {
	return []clause{
		{"absent: state", absent, "state ID", 1, gone, peers{}},
		{"absent: start", absent, "start ID", 1, gone, peers{}},
		{"absent: kill", absent, "kill ID 9", 1, gone, peers{}},
		{"absent: kill --all", absent, "kill --all ID 9", 1, gone, peers{}},
		{"absent: delete", absent, "delete ID", 1, gone, peers{}},
		{"absent: delete --force", absent, "delete --force ID", 0, "", peers{}},
		{"absent: delete -f", absent, "delete -f ID", 0, "", peers{}},
		{"absent: pause", absent, "pause ID", 1, gone, peers{}},
		{"absent: resume", absent, "resume ID", 1, gone, peers{}},
		{"absent: ps", absent, "ps ID", 1, gone, peers{}},
		{"absent: events", absent, "events --stats ID", 1, gone, peers{}},
		{"absent: update", absent, "update --memory 64M ID", 1, gone, peers{}},
		{"absent: checkpoint", absent, "checkpoint --image-path EMPTY ID", 1, gone, later("checkpoint")},
		{"absent: exec", absent, "exec ID true", 255, gone, peers{}},
		{"absent: exec says so", absent, "exec ID true", 255, "exec failed: ", peers{}},
	}
}

func statusClauses() []clause {
	const notRunning = "container not running"
	return []clause{
		{"stopped: kill", stopped, "kill ID 9", 1, notRunning, peers{}},
		{"stopped: kill --all", stopped, "kill --all ID 9", 0, "", peers{}},
		{"stopped: kill -a", stopped, "kill -a ID 9", 0, "", peers{}},
		{"stopped: pause", stopped, "pause ID", 1, notRunning, peers{}},
		{"stopped: update", stopped, "update --memory 64M ID", 1, notRunning, peers{}},
		{"stopped: start", stopped, "start ID", 1, "cannot start a container that has stopped", peers{}},
		{"stopped: resume", stopped, "resume ID", 1, "container not paused", peers{}},
		{"stopped: events", stopped, "events ID", 1, "is not running", peers{}},
		{"stopped: delete", stopped, "delete ID", 0, "", peers{}},
		{"stopped: state", stopped, "state ID", 0, "", peers{}},
		{"stopped: checkpoint", stopped, "checkpoint --image-path EMPTY ID", 1, "Container cannot be checkpointed in stopped state", later("checkpoint")},
		{"paused: pause", paused, "pause ID", 1, notRunning, peers{}},
		{"paused: delete", paused, "delete ID", 1, "that is not stopped: paused", peers{}},
		{"paused: resume", paused, "resume ID", 0, "", peers{}},
		{"paused: kill", paused, "kill ID 9", 0, "", peers{}},
		{"running: start", started, "start ID", 1, "cannot start an already running container", peers{}},
		{"running: delete", started, "delete ID", 1, "that is not stopped: running", peers{}},
		{"running: resume", started, "resume ID", 1, "container not paused", peers{}},
		{"running: create", started, "create --bundle BUNDLE ID", 1, "container with given ID already exists", peers{}},
		{"running: run", started, "run --bundle BUNDLE ID", 1, "container with given ID already exists", peers{}},
		{"running: kill without a signal", started, "kill ID", 0, "", peers{}},
		{"running: bad signal", started, "kill ID FROB", 1, "nknown signal", peers{}},
		{"created: pause", created, "pause ID", 0, "", peers{}},
		{"created: delete", created, "delete ID", 0, "", peers{}},
		{"created: create", created, "create --bundle BUNDLE ID", 1, "container with given ID already exists", peers{}},
	}
}

func execClauses() []clause {
	const start = "unable to start container process: exec: "
	return []clause{
		{"exec: created", created, "exec ID true", 0, "", peers{}},
		{"exec: stopped", stopped, "exec ID true", 255, "cannot exec in a stopped container", peers{}},
		{"exec: paused", paused, "exec ID true", 255, "cannot exec in a paused container (use --ignore-paused to override)", peers{}},
		{"exec: missing", started, "exec ID /nosuch", 255, start + `"/nosuch": stat /nosuch: no such file or directory`, peers{}},
		{"exec: not on PATH", started, "exec ID nosuch", 255, start + `"nosuch": executable file not found in $PATH`, peers{}},
		{"exec: not executable", started, "exec ID /etc/passwd", 255, start + `"/etc/passwd": permission denied`, peers{}},
		{"exec: directory", started, "exec ID /etc", 255, start + `"/etc": is a directory: permission denied`, peers{runc: differs("1.1: permission denied only")}},
		{"exec: cwd is a file", started, "exec --cwd /etc/passwd ID true", 255, "not a directory", peers{}},
		{"exec: no args", started, "exec ID", 255, "cannot be empty", peers{}},
	}
}

func createClauses() []clause {
	prog := func(path string) func(*testing.T) *container { return bundleWith(args(path)) }
	const create, run = "create --bundle BUNDLE ID", "run --bundle BUNDLE ID"
	const start = "unable to start container process: exec: "
	dir := peers{runc: differs("1.1: permission denied only")}
	fileCwd := bundleWith(cwd("/etc/passwd"))
	return []clause{
		{"create: not on PATH", prog("nosuch"), create, 1, start + `"nosuch": executable file not found in $PATH`, peers{}},
		{"create: missing", prog("/nosuch"), create, 1, start + `"/nosuch": stat /nosuch: no such file or directory`, peers{}},
		{"create: not executable", prog("/noexec"), create, 1, start + `"/noexec": permission denied`, peers{}},
		{"create: directory", prog("/etc"), create, 1, start + `"/etc": is a directory: permission denied`, dir},
		{"create: cwd is a file", fileCwd, create, 1, "not a directory", peers{}},
		{"run: not on PATH", prog("nosuch"), run, 1, "executable file not found in $PATH", peers{}},
		{"run: missing", prog("/nosuch"), run, 1, "stat /nosuch: no such file or directory", peers{}},
		{"run: not executable", prog("/noexec"), run, 1, "permission denied", peers{}},
		{"run: directory", prog("/etc"), run, 1, "is a directory: permission denied", dir},
		{"create: id empty", absent, `create --bundle BUNDLE ""`, 1, "container id cannot be empty", peers{}},
		{"create: id bad", absent, `create --bundle BUNDLE a/b`, 1, "invalid container ID format", peers{}},
		{"create: bundle missing", absent, "create --bundle /nosuch ID", 1, "chdir /nosuch: no such file or directory", peers{}},
		{"create: no config", absent, "create --bundle EMPTY ID", 1, "JSON specification file config.json not found", peers{}},
		{"create: -b", absent, "create -b BUNDLE ID", 0, "", peers{}},
		{"create: -b=", absent, "create -b=BUNDLE ID", 0, "", peers{}},
		{"create: --bundle=", absent, "create --bundle=BUNDLE --pid-file=BUNDLE/p --no-pivot=false --no-new-keyring ID", 0, "", peers{}},
		{"create: --no-pivot", absent, "create -b BUNDLE --no-pivot ID", 0, "", peers{}},
		{"run: -no-subreaper", absent, "run -no-subreaper -b BUNDLE ID", 0, "", peers{}},
		{"run: repeated global flags", absent, "--root BUNDLE/other --root BUNDLE/state --log /dev/null --log-format json --log-format json run -b BUNDLE ID", 0, "", peers{}},
	}
}

func usageClauses() []clause {
	return []clause{
		{"unknown flag", absent, "state -foo ID", 1, "flag provided but not defined: -foo", peers{}},
		{"unknown long flag", absent, "create --foo ID", 1, "flag provided but not defined: -foo", peers{}},
		{"--criu", absent, "--criu /nosuch --root BUNDLE/state state ID", 1, gone, peers{}},
		{"checkpoint --help", absent, "checkpoint --help", 0, "", later("checkpoint")},
		{"restore --lsm-mount-context", absent, "restore --lsm-mount-context", 1, "flag needs an argument", later("checkpoint")},
	}
}

// A program that the kernel refuses is found out at start only; runc 1.1's start succeeds.
func TestRefusedPrograms(t *testing.T) {
	refused := func(path, text string) scene {
		return scene{name: path, play: func(t *testing.T) {
			c := bundleWith(args(path))(t)
			c.create().must(t)
			r := c.start()
			if r.code != 0 && !strings.Contains(r.stderr, text) {
				t.Errorf("%v\nwant %s", r, text)
			}
			c.untilStatus("stopped")
			c.delete().must(t)
			if r := bundleWith(args(path))(t).run(); r.code == 0 || !strings.Contains(r.stderr, text) {
				t.Errorf("%v\nwant %s", r, text)
			}
		}}
	}
	runScenes(t, []scene{refused("/bare", "exec format error"), refused("/lost", "no such file or directory")})
}

// TestBadIDs: an error, and nothing changed in the state root.
func TestBadIDs(t *testing.T) {
	bad := []struct{ name, id string }{
		{"empty", ""}, {"dot", "."}, {"dot dot", ".."}, {"slash", "a/b"}, {"leading slash", "/a"}, {"way up", "../a"},
		{"blank", "a b"}, {"newline", "a\n"}, {"too long", strings.Repeat("a", 1025)}, {"not ASCII", "é"}, {"not UTF-8", "\xff"},
		{"star", "*"}, {"at", "@cache"}, {"percent", "%d"},
	}
	commands := []string{"create", "run", "state", "start", "kill", "delete", "exec", "pause", "resume", "ps"}
	for _, b := range bad {
		t.Run(b.name, func(t *testing.T) {
			needBinary(t, peers{})
			watch(t)
			c := newCreated(t)
			before := listTree(c.root)
			for _, name := range commands {
				args := with(name, nil, b.id)
				if name == "create" || name == "run" {
					args = with(name, []string{"--bundle", c.bundle}, b.id)
				}
				if r := c.rt(args...); r.code == 0 || crashed(r) {
					t.Error(r)
				}
			}
			if f := faults(before, listTree(c.root)); len(f) > 0 {
				t.Errorf("state root changed: %v", f)
			}
			c.delete("--force").must(t)
		})
	}
	good := []string{"a", "A-b_c.d+e", "0", "a..b", strings.Repeat("x", 200)}
	for i, id := range good {
		t.Run("good "+string(rune('0'+i)), func(t *testing.T) {
			needBinary(t, peers{})
			watch(t)
			c := newContainer(t, cgroupsPath("/"+it.prefix+"-id"))
			c.id = id
			c.run().must(t)
		})
	}
}

func TestPidFile(t *testing.T) {
	runScenes(t, []scene{{name: "digits and no newline", play: func(t *testing.T) {
		c := newContainer(t, args("sleep", "300"))
		file := filepath.Join(c.bundle, "pid")
		c.create("--pid-file", file).must(t)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := like(`^[0-9]+$`).check(string(b)); err != nil || strings.ContainsAny(string(b), "\n ") {
			t.Errorf("%q", b)
		}
		c.delete("--force").must(t)
	}}})
}
