//go:build managers

package managers

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// umoci unpacks images to bundles; the runtime itself is the command line.
func umoci() manager {
	return manager{
		name:  "umoci",
		needs: []string{"umoci", "setpriv"},
		open:  openUmoci,
		rows:  unpacked(),
	}
}

func openUmoci(t *testing.T, e *engine) {
	e.cli = []string{e.bin, "--root", e.dir + "/state"}
	e.image = e.dir + "/layout:busybox"
	for _, args := range [][]string{
		{"init", "--layout", e.dir + "/layout"},
		{"new", "--image", e.image},
		{"insert", "--image", e.image, it.rootfs, "/"},
		{"config", "--image", e.image, "--config.env", "PATH=/bin", "--config.env", "FROM=image", "--config.cmd", "sh", "--config.workingdir", "/home/joe"},
	} {
		command(e.env, nil, append([]string{"umoci"}, args...)...).must(t)
	}
}

// unpack makes a bundle, with the changes that every user of umoci makes by hand.
func (e *engine) unpack(t *testing.T, edit func(*specs.Spec), own ...string) (bundle, id string) {
	t.Helper()
	id = e.fresh()
	bundle = filepath.Join(e.dir, id)
	command(e.env, nil, append(append([]string{"umoci", "unpack", "--image", e.image}, own...), bundle)...).must(t)
	data, err := os.ReadFile(bundle + "/config.json")
	if err != nil {
		t.Fatal(err)
	}
	var s specs.Spec
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	s.Linux.CgroupsPath = "/" + it.prefix + "/" + id
	s.Process.Rlimits = nil // a hard limit of 1024 may be a raise here
	edit(&s)
	if data, err = json.Marshal(s); err != nil {
		t.Fatal(err)
	}
	e.save(t, id+"/config.json", string(data), 0o644)
	t.Cleanup(func() { e.do("delete", "--force", id) })
	return bundle, id
}

// doing is a bundle without a terminal that runs argv.
func doing(argv ...string) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Process.Terminal, s.Process.Args = false, argv }
}

func unpacked() []row {
	return []row{
		{"run", func(t *testing.T, e *engine) {
			bundle, id := e.unpack(t, doing("sh", "-c", "echo $FROM; pwd; cat /var/data/seed"))
			equal(t, "stdout", e.do("run", "--bundle", bundle, id).must(t), "image\n/home/joe\nof the image")
		}},
		{"exit 7", func(t *testing.T, e *engine) {
			bundle, id := e.unpack(t, doing("sh", "-c", "exit 7"))
			e.do("run", "--bundle", bundle, id).exits(t, 7)
		}},
		{"run -it", func(t *testing.T, e *engine) {
			bundle, id := e.unpack(t, func(*specs.Spec) {}) // as it is: sh on a terminal
			s := e.onScreen(t, "run", "--bundle", bundle, id)
			s.types(t, "test -t 0 -a -t 1 && echo all$((1+1)) in $(pwd)\n")
			s.shows(t, "all2 in /home/joe")
			s.types(t, "exit 9\n")
			s.exits(t, 9)
		}},
		{"exec", func(t *testing.T, e *engine) {
			id := e.detached(t)
			equal(t, "stdout", e.do("exec", id, "cat", "/var/data/seed").must(t), "of the image")
			e.do("exec", id, "sh", "-c", "exit 6").exits(t, 6)
		}},
		{"exec -t", func(t *testing.T, e *engine) {
			s := e.onScreen(t, "exec", "--tty", e.detached(t), "sh")
			s.types(t, "echo $((20+3)) on $(tty)\n")
			s.shows(t, "23 on /dev/pts/")
			s.types(t, "exit 6\n")
			s.exits(t, 6)
		}},
		{"kill --signal", func(t *testing.T, e *engine) {
			id := e.detached(t)
			e.do("kill", id, "KILL").must(t)
			eventually(t, deadline/6, id+" is stopped", func() (string, bool) {
				var state specs.State
				d := e.do("state", id)
				return d.stdout, json.Unmarshal([]byte(d.stdout), &state) == nil && state.Status == specs.StateStopped
			})
			e.do("delete", id).must(t)
		}},
		{"rootless", func(t *testing.T, e *engine) {
			addUsers(t, e.dir)
			home := filepath.Join(e.dir, e.fresh())
			if err := os.Mkdir(home, 0o700); err != nil {
				t.Fatal(err)
			}
			runRootless(t, e, home)
		}},
	}
}

// detached is a container that sleeps.
func (e *engine) detached(t *testing.T) string {
	t.Helper()
	bundle, id := e.unpack(t, doing("sleep", "1000"))
	args := []string{"sh", "-c", `exec "$@" >/dev/null 2>&1 </dev/null`, "sh"} // the container keeps the streams
	command(e.env, nil, append(append(args, e.cli...), "run", "--detach", "--bundle", bundle, id)...).must(t)
	return id
}

// runRootless unpacks and runs as a user without privileges.
func runRootless(t *testing.T, e *engine, home string) {
	t.Helper()
	command(e.env, nil, "cp", "-r", e.dir+"/layout", reachable(t, e), home).must(t)
	command(e.env, nil, "chown", "-R", fmt.Sprint(manUser, ":", manUser), home).must(t)
	as := []string{"setpriv", fmt.Sprint("--reuid=", manUser), fmt.Sprint("--regid=", manUser), "--clear-groups", "env", "-C", home, "HOME=" + home, "XDG_RUNTIME_DIR=" + home}
	bin := home + "/" + filepath.Base(e.bin)
	script := `umoci unpack --rootless --image layout:busybox b >&2 &&
		sed -i -e 's/"terminal": *true/"terminal": false/' -e '/"args"/,/]/s/"sh"/"id", "-u"/' b/config.json && exec "$@" --root state run --bundle b `
	got := command(e.env, nil, append(as, "sh", "-c", script+filepath.Base(home), "sh", bin)...).must(t)
	equal(t, "stdout", got, "0")
}
