package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// idmapped binds data on /mnt. A mapping's containerID is the id on the file system, its
// hostID is the one that processes of the host see.
func idmapped(list []specs.LinuxIDMapping, options ...string) func(*specs.Spec) {
	return addMount(specs.Mount{Destination: "/mnt", Type: "bind", Source: "data", Options: options, UIDMappings: list, GIDMappings: list})
}

// owned is data with files of two users, on the disk or on a tmpfs.
func owned(fs string) func(*container) {
	return func(c *container) {
		if fs == "tmpfs" {
			c.mount("tmpfs", "data", "tmpfs", 0)
		}
		c.ownedFiles("data")
	}
}

// ownedTree has the same again in a tmpfs below.
func ownedTree(fs string) func(*container) {
	return func(c *container) {
		owned(fs)(c)
		c.mount("tmpfs", "data/sub", "tmpfs", 0)
		c.ownedFiles("data/sub")
	}
}

func (c *container) ownedFiles(dir string) {
	c.t.Helper()
	path := filepath.Join(c.bundle, dir)
	err := os.MkdirAll(path, 0o755)
	if err == nil {
		err = os.Chmod(path, 0o777)
	}
	if err == nil {
		c.write(dir+"/root", "hello\n")
		err = os.Chown(c.write(dir+"/joe", "hello\n"), 1000, 2000)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func TestIdmappedMounts(t *testing.T) {
	old := peers{runc: differs("came with 1.2")}
	const show, below = "stat -c %u:%g /mnt/root /mnt/joe", "stat -c %u:%g /mnt/sub/joe"
	five := []specs.LinuxIDMapping{idRange(1000, 5000, 1001)}
	inside := []specs.LinuxIDMapping{idRange(0, 100007, 1), idRange(1000, 100000, 1), idRange(2000, 200000, 1)}
	same := edits(mapped, func(s *specs.Spec) { s.Linux.GIDMappings = s.Linux.UIDMappings })
	var rows []row
	for _, fs := range []string{"disk", "tmpfs"} {
		rows = append(rows, []row{
			{name: fs + ": own mappings", prep: owned(fs), edit: idmapped(five, "bind", "idmap"), sh: show, want: is("65534:65534\n5000:6000\n"), peers: old},
			{name: fs + ": the container's", prep: owned(fs), edit: edits(mapped, idmapped(nil, "bind", "idmap")), sh: show, want: is("0:0\n1000:2000\n"), peers: old},
			{name: fs + ": own mappings, user namespace", prep: owned(fs), edit: edits(same, idmapped(inside, "bind", "idmap")), sh: show, want: is("7:7\n0:65534\n"), peers: old},
			{name: fs + ": without the option", prep: owned(fs), edit: edits(mapped, idmapped(nil, "bind")), sh: show, want: is("65534:65534\n65534:65534\n")},
			{name: fs + ": a submount is left", prep: ownedTree(fs), edit: idmapped(five, "rbind", "idmap"), sh: show + " && " + below, want: is("65534:65534\n5000:6000\n1000:2000\n"), peers: old},
			{name: fs + ": recursive", prep: ownedTree(fs), edit: idmapped(five, "rbind", "ridmap"), sh: show + " && " + below, want: is("65534:65534\n5000:6000\n5000:6000\n"), peers: old},
			{name: fs + ": recursive, the container's", prep: ownedTree(fs), edit: edits(mapped, idmapped(nil, "rbind", "ridmap")), sh: below, want: is("1000:2000\n"), peers: old},
			{name: fs + ": read-only", prep: owned(fs), edit: idmapped(five, "bind", "idmap", "ro"), sh: "touch /mnt/x 2>&1; " + show, want: has("Read-only file system\n65534:65534\n5000:6000\n"), peers: old},
		}...)
	}
	uidsOnly := func(s *specs.Spec) { s.Mounts[len(s.Mounts)-1].GIDMappings = nil }
	rows = append(rows, []row{
		{name: "a bind without its locked submount", prep: ownedTree("disk"), edit: edits(mapped, idmapped(nil, "bind")), code: 1, fails: where("/mounts/7")},
		{name: "mappings without the option", prep: owned("disk"), edit: idmapped(five, "bind"), sh: show, want: is("65534:65534\n5000:6000\n"), peers: old},
		{name: "no mappings", prep: owned("disk"), edit: idmapped(nil, "bind", "idmap"), code: 1, fails: where("/mounts/7"), peers: old},
		{name: "no mappings, recursive", prep: owned("disk"), edit: idmapped(nil, "rbind", "ridmap"), code: 1, fails: where("/mounts/7"), peers: old},
		{name: "no mappings for groups", prep: owned("disk"), edit: edits(idmapped(five, "bind", "idmap"), uidsOnly), code: 1, fails: where("/mounts/7"), peers: old},
		{name: "of a file system that cannot", edit: edits(idmapped(five, "bind", "idmap"), func(s *specs.Spec) { s.Mounts[7].Source = "/proc/sys" }),
			code: 1, fails: where("/mounts/7"), peers: old},
		{name: "a file", prep: owned("disk"), sh: "stat -c %u:%g /etc/group", want: is("5000:6000\n"), peers: old,
			edit: edits(idmapped(five, "bind", "idmap"), func(s *specs.Spec) { s.Mounts[7].Source, s.Mounts[7].Destination = "data/joe", "/etc/group" })},
	}...)
	runRows(t, rows)
	runScenes(t, []scene{
		{name: "a joined user namespace's", peers: old, play: idmapJoined},
		{name: "new files are the host root's", peers: old, play: idmapWrites},
	})
}

func idmapJoined(t *testing.T) {
	h := hold(t, specs.UserNamespace)
	c := newContainer(t, script("stat -c %u:%g /mnt/root /mnt/joe"), join(h.pid, specs.UserNamespace), idmapped(nil, "bind", "idmap"))
	owned("disk")(c)
	want(t, c.run(), 0, is("0:0\n1000:2000\n"), match{})
}

func idmapWrites(t *testing.T) {
	c := newContainer(t, script("echo x >/mnt/new"), mapped, idmapped(nil, "bind", "idmap"))
	owned("disk")(c)
	c.run().must(t)
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(c.bundle, "data/new"), &st); err != nil || st.Uid != 0 || st.Gid != 0 {
		t.Errorf("%v, owner %d:%d, want 0:0", err, st.Uid, st.Gid)
	}
	left := strings.Join(listTree(filepath.Join(c.bundle, "data")), "\n")
	if !strings.Contains(left, "/joe -rw-r--r-- 1000:2000 ") {
		t.Errorf("owners on the disk changed:\n%s", left)
	}
}
