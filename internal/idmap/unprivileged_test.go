package idmap

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"rt/internal/errs"
)

// stage names the variable that tells a second copy of this test what world it is in.
const stage = "IDMAP_STAGE"

// The user of the worlds, and what is subordinate to it.
const (
	user   = 4711
	passwd = "mapper:x:4711:4711::/:/bin/sh\n"
	subids = "mapper:300000:70000\nmapper:500000:10\n"
)

// TestUnprivileged runs its rows as a user without capabilities, in a mount namespace with
// other /etc files: with a range of subordinate ids, without one, without the helpers, and as the root of a
// namespace in which setgroups is denied.
func TestUnprivileged(t *testing.T) {
	switch world := os.Getenv(stage); {
	case world == "":
		if os.Geteuid() != 0 {
			t.Skip("needs root, to become another user")
		}
		for _, w := range []string{"range", "none", "missing", "nested"} {
			t.Run(w, func(t *testing.T) { again(t, "build "+w, nil) })
		}
	case strings.HasPrefix(world, "build "):
		world = strings.TrimPrefix(world, "build ")
		build(t, world)
		again(t, world, &syscall.Credential{Uid: user, Gid: user})
	default:
		for _, r := range rows(world) {
			t.Run(r.name, r.run)
		}
	}
}

func rows(world string) []row {
	const u, g = "/linux/uidMappings", "/linux/gidMappings"
	own := row{name: "own ids", uid: "0 4711 1", gid: "0 4711 1"}
	full := "0 4711 1, 1 300000 65536"
	ranges := row{name: "ranges", uid: full, gid: full}
	switch world {
	case "nested":
		own = row{name: "own ids", uid: "0 0 1", gid: "0 0 1"}
		return []row{own, {name: "ids that are not there", uid: "0 0 2", gid: "0 0 1", where: u, fails: "own user namespace", kind: errs.Permission}}
	case "range":
		return []row{
			own, ranges,
			{name: "own ids by other names", uid: "5 4711 1", gid: "7 4711 1"},
			{name: "one by a helper", uid: "0 4711 1", gid: "0 300000 2"},
			{name: "the other by a helper", uid: "0 300000 2", gid: "0 4711 1"},
			{name: "two ranges", uid: "0 300000 70000, 70000 500000 10", gid: "0 500000 10"},
			{name: "too many ids", uid: "0 300000 70001", gid: full, where: u, fails: "uid range [0-70001) -> [300000-370001) not allowed", kind: errs.Permission},
			{name: "another group", uid: full, gid: "0 0 1", where: g, fails: "gid range [0-1) -> [0-1) not allowed", kind: errs.Permission},
			{name: "root", uid: "0 0 1", gid: "0 4711 1", where: u, fails: "not allowed", kind: errs.Permission},
		}
	case "none":
		ranges.where, ranges.fails, ranges.kind = u, "not allowed", errs.Permission
	case "missing":
		ranges.where, ranges.fails, ranges.kind = u, "install uidmap", errs.NotFound
	}
	return []row{own, ranges}
}

// build lays files over those of /etc and /usr/bin. This process is in a mount namespace of
// its own, whose mounts go nowhere else.
func build(t *testing.T, world string) {
	over := map[string]string{"/etc/passwd": passwd, "/etc/subuid": "", "/etc/subgid": ""}
	if world == "range" {
		over["/etc/subuid"], over["/etc/subgid"] = subids, subids
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	for path, text := range over {
		lay(t, text, path)
	}
	for _, name := range []string{"newuidmap", "newgidmap"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal("not installed: ", err)
		}
		if world == "missing" {
			lay(t, "", path)
		}
	}
}

func lay(t *testing.T, text, path string) {
	t.Helper()
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(file, path, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(path, err)
	}
}

// again runs this test once more, in a new mount namespace or as another user. The program
// lies where that user cannot look; /proc/self/exe needs no path.
func again(t *testing.T, world string, who *syscall.Credential) {
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestUnprivileged$", "-test.v")
	cmd.Env = append(os.Environ(), stage+"="+world)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	switch {
	case who == nil:
		cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	case world == "nested": // the maps as package syscall writes them
		one := []syscall.SysProcIDMap{{HostID: user, Size: 1}}
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWUSER, UidMappings: one, GidMappings: one,
			Credential: &syscall.Credential{NoSetGroups: true},
		}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestUnprivileged/own_ids") && who != nil {
		t.Errorf("%s: %v\n%s", world, err, out)
	}
}
