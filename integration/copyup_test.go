package integration

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// copied mounts a tmpfs with tmpcopyup on dst, with the options that podman gives it.
func copied(dst string, options ...string) func(*specs.Spec) {
	return tmpfs(dst, append([]string{"tmpcopyup", "rprivate", "nosuid", "nodev"}, options...)...)
}

// tree fills /var of the image with files of many kinds, given away as user root of the
// container, plus base.
func tree(base int) func(*container) {
	return func(c *container) {
		c.t.Helper()
		at := func(name string) string { return filepath.Join(c.rootfs(), "var", name) }
		c.do(os.Mkdir(at("dir"), 0o755), os.Mkdir(at("dir/closed"), 0o700))
		c.write("rootfs/var/file", "hello\n")
		c.write("rootfs/var/dir/closed/f", "deep\n")
		c.do(os.Link(at("file"), at("dir/again")), os.Symlink("/etc/passwd", at("link")), os.Symlink("file", at("dir/dangling")))
		for name, id := range map[string]int{"": 1000, "file": 0, "dir": 1001, "dir/closed": 0, "dir/closed/f": 7, "link": 1002, "dir/dangling": 0} {
			c.do(os.Lchown(at(name), base+id, base+id+1))
		}
		c.do(os.Chmod(at("file"), 0o751|os.ModeSetuid|os.ModeSetgid), os.Chmod(at("dir"), 0o777|os.ModeSticky), os.Chmod(at(""), 0o711),
			os.Chtimes(at("file"), time.Unix(1000000000, 0), time.Unix(1000000001, 0)), os.Chtimes(at("dir"), time.Unix(1, 0), time.Unix(1000000002, 0)))
		c.before = listTree(c.rootfs())
	}
}

// fileCaps are root's usual rights to the files of others.
func fileCaps(s *specs.Spec) {
	list := []string{"CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_CHOWN"}
	s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: list, Effective: list, Permitted: list}
}

// do is for preparations that must succeed.
func (c *container) do(errs ...error) {
	c.t.Helper()
	for _, err := range errs {
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

func inImage(name, data string) func(*container) {
	return func(c *container) {
		c.do(os.MkdirAll(filepath.Join(c.rootfs(), filepath.Dir(name)), 0o755))
		c.put(name, data, 0o644)
	}
}

func preps(list ...func(*container)) func(*container) {
	return func(c *container) {
		for _, p := range list {
			p(c)
		}
	}
}

const showTree = "cd /var; stat -c '%n %a %u:%g %F' . file dir dir/again dir/closed dir/closed/f link dir/dangling"

const wantTree = `. 711 1000:1001 directory
file 6751 0:1 regular file
dir 1777 1001:1002 directory
dir/again 6751 0:1 regular file
dir/closed 700 0:1 directory
dir/closed/f 644 7:8 regular file
link 777 1002:1003 symbolic link
dir/dangling 777 0:1 symbolic link
`

func TestCopyUp(t *testing.T) {
	less := func(why string) peers { return peers{runc: differs(why), crun: differs(why)} }
	owner := less("the root of the tmpfs keeps its own owner")
	strict := func(s *specs.Spec) { m := uint32(0o777); s.Process.User.Umask = &m }
	rows := []row{
		{name: "owners and modes", prep: tree(0), edit: edits(fileCaps, copied("/var")), sh: showTree, want: is(wantTree), peers: owner},
		{name: "content", prep: tree(0), edit: edits(fileCaps, copied("/var")), sh: "cat /var/file /var/dir/again /var/dir/closed/f; readlink /var/link", want: is("hello\nhello\ndeep\n/etc/passwd\n"), peers: inVM()},
		{name: "times", prep: tree(0), edit: edits(fileCaps, copied("/var")), sh: "cd /var; stat -c '%X %Y' file; stat -c %Y dir", want: is("1000000000 1000000001\n1000000002\n"), peers: less("times are those of the copy")},
		{name: "hard links stay", prep: tree(0), edit: edits(fileCaps, copied("/var")), sh: "cd /var; stat -c %h file; test file -ef dir/again; echo $?; ls -a", want: is("2\n0\n.\n..\ndir\nfile\nlink\n"), peers: less("each name becomes a file")},
		{name: "process umask", prep: tree(0), edit: edits(fileCaps, strict, copied("/var")), sh: showTree, want: is(wantTree), peers: owner},
		{name: "the image stays", prep: tree(0), edit: edits(fileCaps, copied("/var")), sh: "echo new >/var/file; rm -r /var/dir", want: is("")},
		{name: "read-only", prep: tree(0), edit: edits(fileCaps, copied("/var", "ro")), sh: "cat /var/file; touch /var/x 2>&1", code: 1, want: has("hello\ntouch: /var/x: Read-only"),
			peers: less("copies into a read-only mount, or not at all")},
		{name: "mode, uid, gid as given", edit: edits(copied("/tmp", "mode=700", "uid=5", "gid=6")), sh: "stat -c '%a %u:%g' /tmp", want: is("700 5:6\n"), peers: less("takes the mode of the directory")},
		{name: "mode as given, owner taken", prep: tree(0), edit: edits(fileCaps, copied("/var", "mode=1777")), sh: "stat -c '%a %u:%g' /var", want: is("1777 1000:1001\n"), peers: owner},
		{name: "mode of what it covers", edit: copied("/tmp"), sh: "stat -c %a /tmp", want: is("1777\n"), peers: inVM()},
		{name: "flags", edit: copied("/var", "noexec"), sh: onMount("/var"), want: like(`^rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw`)},
		{name: "missing", edit: edits(writable, copied("/nosuch")), sh: "ls -a /nosuch; " + onMount("/nosuch"), want: like(`^\.\n\.\.\nrw,nosuid,nodev`), made: "/nosuch"},
		{name: "a file", edit: copied("/etc/passwd"), code: 1, fails: has("not a directory")},
		{name: "user namespace", prep: preps(ownedByMapped, tree(100000)), edit: edits(mapped, sameGroups, fileCaps, copied("/var")), sh: showTree, want: is(wantTree), peers: less("the root of the tmpfs keeps its own owner")},
		{name: "user namespace: unmapped owners", prep: tree(0), edit: edits(ids(idRange(0, 100000, 1000)), fileCaps, copied("/home")), sh: "stat -c '%u:%g %a' /home/joe", want: is("0:0 755\n"), peers: less("gives up")},
		{name: "destination by a link", prep: preps(tree(0), imageLink("lnk", "../../../var")), edit: edits(fileCaps, copied("/lnk")), sh: "cat /lnk/file; " + onMount("/var"), want: has("hello\nrw,nosuid")},
		{name: "over a volume", prep: data, edit: edits(bind("/mnt", "bind"), copied("/mnt"), writable), sh: "cat /mnt/file; rm /mnt/file", want: is("hello\n")},
		{name: "volumes on it", prep: preps(data, tree(0)), edit: edits(fileCaps, copied("/var"), bind("/var/dir", "bind")), sh: "cat /var/file /var/dir/file; ls /var/dir/again 2>&1", code: 1, want: has("hello\nhello\n")},
		{name: "volumes below it are left out", prep: preps(data, tree(0)), edit: edits(fileCaps, bind("/var/dir", "bind"), fileOn("/var/file"), copied("/var")),
			sh: "ls /var/dir; cat /var/file; stat -c '%n %F' /var/dir /var/file", want: is("/var/dir directory\n/var/file regular empty file\n"), peers: less("copies what is mounted there")},
		{name: "a volume by a link into it", prep: preps(data, inImage("run/x", "x\n"), imageLink("var/run", "/run")), edit: edits(copied("/run"), bindOn("/var/run/vol")),
			sh: "cat /run/x /run/vol/file", want: is("x\nhello\n"), peers: peers{crun: differs("has no such order")}},
		{name: "cwd in it", edit: edits(copied("/var"), cwd("/var/a/b")), sh: "pwd; ls /var", want: is("/var/a/b\na\n")},
		{name: "two of them", prep: tree(0), edit: edits(fileCaps, copied("/var"), copied("/tmp")), sh: "cat /var/file; stat -c %a /tmp", want: is("hello\n1777\n")},
	}
	runRows(t, append(rows, copyUpOddities()...))
}

// sameGroups maps groups as users.
func sameGroups(s *specs.Spec) { s.Linux.GIDMappings = s.Linux.UIDMappings }

func imageLink(name, target string) func(*container) {
	return func(c *container) {
		c.do(os.Symlink(target, filepath.Join(c.rootfs(), name)))
		c.before = listTree(c.rootfs())
	}
}

func fileOn(dst string) func(*specs.Spec) {
	return addMount(specs.Mount{Destination: dst, Type: "bind", Source: "data/file", Options: []string{"bind", "ro"}})
}

func bindOn(dst string) func(*specs.Spec) {
	return addMount(specs.Mount{Destination: dst, Type: "bind", Source: "data", Options: []string{"rbind"}})
}

// copyUpOddities are what a hostile image may have in store.
func copyUpOddities() []row {
	special := peers{runc: differs("1.1 gives up"), crun: differs("has its own rules")}
	var deep []string
	for range 255 {
		deep = append(deep, "d")
	}
	return []row{
		{name: "fifos and sockets", prep: func(c *container) {
			c.do(unix.Mkfifo(filepath.Join(c.rootfs(), "var/fifo"), 0o642))
			c.do(os.Chmod(filepath.Join(c.rootfs(), "var/fifo"), 0o642))
			l, err := net.Listen("unix", filepath.Join(c.rootfs(), "var/socket"))
			c.do(err)
			l.(*net.UnixListener).SetUnlinkOnClose(false)
			c.do(l.Close())
			c.before = listTree(c.rootfs())
		}, edit: copied("/var"), sh: "stat -c '%n %a %F' /var/fifo /var/socket", want: like(`^/var/fifo 642 fifo\n/var/socket \d+ socket\n$`), peers: special},
		{name: "a device", prep: func(c *container) {
			c.do(unix.Mknod(filepath.Join(c.rootfs(), "var/null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
			c.before = listTree(c.rootfs())
		}, edit: copied("/var"), code: 1, fails: like(`/var.*(a device|null).*(/mounts/7)?`), peers: peers{crun: differs("copies it")}},
		{name: "255 levels", prep: inImage("var/"+strings.Join(deep, "/")+"/f", "deep\n"), edit: copied("/var"), sh: "find /var -name f -exec cat {} +", want: is("deep\n"), peers: inVM()},
		{name: "256 levels", prep: inImage("var/"+strings.Join(deep, "/")+"/d/f", ""), edit: copied("/var"), code: 1, fails: has("too deep for tmpcopyup"),
			peers: peers{runc: differs("goes on to the length of a path"), crun: differs("goes on")}},
		{name: "many files", prep: func(c *container) {
			for i := range 3000 {
				c.write(fmt.Sprintf("rootfs/var/%s-%d", strings.Repeat("n", 100), i), fmt.Sprint(i))
			}
			c.before = listTree(c.rootfs())
		}, edit: copied("/var"), sh: "ls /var | wc -l; cat /var/*-2999", want: like(`^\s*3000\n2999$`), peers: inVM()},
		{name: "a sparse file", prep: func(c *container) {
			f, err := os.Create(filepath.Join(c.rootfs(), "var/lastlog"))
			c.do(err)
			_, err = f.WriteAt([]byte("here\n"), 3<<30)
			c.do(err, f.Truncate(5<<30), f.Close())
			c.before = listTree(c.rootfs())
		}, edit: copied("/var", "size=1m"), sh: "cd /var; stat -c %s lastlog; dd if=lastlog bs=1M skip=3072 count=1 2>/dev/null | head -n 1", want: is("5368709120\nhere\n"),
			peers: peers{runc: differs("fills the holes"), crun: differs("fills the holes")}},
		{name: "larger than the tmpfs", prep: inImage("var/big", strings.Repeat("x", 200000)), edit: copied("/var", "size=64k"), code: 1,
			fails: like(`/var.*no space left on device.*`), peers: inVM()},
		{name: "larger than the tmpfs: the pointer", prep: inImage("var/big", strings.Repeat("x", 200000)), edit: copied("/var", "size=64k"), code: 1, fails: where("/mounts/7")},
		{name: "more files than the tmpfs takes", prep: tree(0), edit: edits(fileCaps, copied("/var", "nr_inodes=3")), code: 1, fails: like(`/var.*no space left on device`)},
		{name: "the name of our links", prep: preps(tree(0), inImage("var/.rt-hard-links", "mine")), edit: edits(fileCaps, copied("/var")), code: 1, fails: has("file exists"),
			peers: peers{runc: differs("needs no such name"), crun: differs("needs no such name")}},
		{name: "a warning where it does nothing", prep: data, edit: bind("/mnt", "bind", "tmpcopyup"), sh: "cat /mnt/file", want: is("hello\n"), fails: match{}},
	}
}

func TestCopyUpScenes(t *testing.T) {
	runScenes(t, []scene{
		{name: "extended attributes", play: copiedAttributes, peers: peers{runc: differs("leaves them out"), crun: differs("leaves them out")}},
		{name: "the caller's umask", play: func(t *testing.T) {
			c := newContainer(t, fileCaps, copied("/var"), script(showTree))
			tree(0)(c)
			cmd := c.command("run", "--bundle", c.bundle, c.id)
			cmd.args = append([]string{"sh", "-c", `umask 077; exec "$@"`, "sh"}, cmd.args...)
			want(t, cmd.run(t), 0, is(wantTree), match{})
		}, peers: peers{runc: differs("the root of the tmpfs keeps its own owner"), crun: differs("as runc")}},
		{name: "its memory is the container's", play: func(t *testing.T) { copiedMemory(t) }, peers: inVM()},
		{name: "its memory is the container's, user namespace", play: func(t *testing.T) { copiedMemory(t, mapped) }},
		{name: "too much memory", play: func(t *testing.T) {
			limit := int64(8 << 20)
			c := newContainer(t, copied("/var"), memoryLimit(specs.LinuxMemory{Limit: &limit, Swap: &limit}), args("true"))
			inImage("var/big", strings.Repeat("x", 32<<20))(c)
			want(t, c.run(), 1, match{}, where("the memory limit is too low"))
		}, peers: inVM()},
	})
}

func copiedAttributes(t *testing.T) {
	for base, edit := range map[int]func(*specs.Spec){0: nil, 100000: edits(mapped, sameGroups)} {
		c := newContainer(t, edit, fileCaps, copied("/var"), args("sleep", "300"))
		tree(base)(c)
		file := filepath.Join(c.rootfs(), "var/file")
		caps := "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" // vfs_cap_data, version 2: CAP_NET_RAW
		set := map[string]string{"user.note": "kept", "security.capability": caps}
		if edit != nil { // whose capabilities they are would be the host's root
			delete(set, "security.capability")
		}
		for name, value := range set {
			c.do(unix.Setxattr(file, name, []byte(value), 0))
		}
		c.do(unix.Setxattr(filepath.Join(c.rootfs(), "var/dir"), "user.note", []byte("dir"), 0))
		c.create().must(t)
		for name, value := range set {
			c.wantAttribute("var/file", name, value)
		}
		c.wantAttribute("var/dir", "user.note", "dir")
		c.delete("--force").must(t)
	}
}

func (c *container) wantAttribute(file, name, value string) {
	c.t.Helper()
	buf := make([]byte, 100)
	n, err := unix.Getxattr(fmt.Sprintf("/proc/%d/root/%s", c.state().Pid, file), name, buf)
	if err != nil || string(buf[:n]) != value {
		c.t.Errorf("%s of %s: %q, %v", name, file, buf[:max(n, 0)], err)
	}
}

func copiedMemory(t *testing.T, more ...func(*specs.Spec)) {
	limit := int64(128 << 20)
	c := newContainer(t, append(more, copied("/var"), memoryLimit(specs.LinuxMemory{Limit: &limit}), args("sleep", "300"))...)
	inImage("var/big", strings.Repeat("x", 32<<20))(c)
	c.create().must(t)
	file := filepath.Join(c.groupDir("memory"), "memory.usage_in_bytes")
	if hasV2() {
		file = filepath.Join(c.groupDir("memory"), "memory.current")
	}
	var used int64
	b, err := os.ReadFile(file)
	c.do(err)
	fmt.Sscan(string(b), &used)
	if used < 32<<20 || used > 64<<20 {
		t.Errorf("%s: %d bytes after a copy of 32 MiB", file, used)
	}
	c.delete("--force").must(t)
}

// TestCopyUpRace: another container exchanges a directory, and a file, with links to the host
// while they are copied.
func TestCopyUpRace(t *testing.T) {
	needBinary(t, peers{runc: differs("opens by path"), crun: differs("is not ours to judge")})
	needRoot(t)
	watch(t)
	r := newRace(t, func(r *race) {
		r.must(os.MkdirAll(r.volume+"/dir/below", 0o755))
		r.must(os.WriteFile(r.outside+"/dir/secret", []byte("secret"), 0o644))
		r.must(os.WriteFile(r.outside+"/kept", []byte("secret"), 0o644))
		r.must(os.Symlink(r.outside+"/dir", r.volume+"/dirlink"))
		r.must(os.WriteFile(r.volume+"/file", []byte("mine"), 0o644))
		r.must(os.Symlink(r.outside+"/kept", r.volume+"/filelink"))
	}, "dir:dirlink", "file:filelink")
	r.c.config(args("sleep", "300"), r.shared("/mnt"), copied("/mnt"))
	r.run(func(int) string {
		return r.made(func(pid int) string {
			top := fmt.Sprintf("/proc/%d/root/mnt", pid)
			filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
				if b, _ := os.ReadFile(path); d.Type().IsRegular() && string(b) == "secret" || strings.HasSuffix(path, "/secret") {
					t.Errorf("%s is the host's", strings.TrimPrefix(path, top))
				}
				return err
			})
			if info, err := os.Lstat(top + "/dir"); err == nil && info.IsDir() {
				return "directory"
			}
			return "link"
		}, "too many levels of symbolic links", "not a directory", "stale", "invalid argument", "file exists")
	}, "directory", "link")
}
