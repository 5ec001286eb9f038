package integration

import (
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// nestedMounts makes data, a tmpfs with another one on data/sub; both are mounted with flags, mount(2).
func nestedMounts(flags uintptr) func(*container) {
	return func(c *container) {
		c.mount("tmpfs", "data", "tmpfs", 0)
		c.write("data/file", "hello\n")
		c.mount("tmpfs", "data/sub", "tmpfs", 0)
		for _, name := range []string{"data/sub", "data"} {
			if err := unix.Mount("", filepath.Join(c.bundle, name), "", unix.MS_REMOUNT|unix.MS_BIND|flags, ""); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

// shown prints which of the names are among the options of a mount.
func shown(point string, names string) string {
	return `o=,$(awk '$5=="` + point + `"{ print $6 "," $NF }' /proc/self/mountinfo),; for n in ` + names + `; do case $o in *,$n,*) echo $n;; esac; done`
}

// An attribute is a pair of options for one thing: on is what mountinfo shows.
type attribute struct {
	on, off string
	flag    uintptr
}

func attributes() []attribute {
	return []attribute{
		{"nodev", "dev", unix.MS_NODEV}, {"nosuid", "suid", unix.MS_NOSUID}, {"noexec", "exec", unix.MS_NOEXEC}, {"ro", "rw", unix.MS_RDONLY},
		{"nosymfollow", "symfollow", 256}, {"nodiratime", "diratime", unix.MS_NODIRATIME}, {"noatime", "atime", unix.MS_NOATIME},
	}
}

func mountOptionRows() map[string]row {
	rows := map[string]row{}
	keeps := peers{runc: differs("1.1 leaves a bind mount's flags where there is none to set")}
	for _, a := range attributes() {
		rows[a.on] = row{prep: nestedMounts(0), edit: bind("/mnt", "rbind", a.on), sh: shown("/mnt", a.on) + "; " + shown("/mnt/sub", a.on), want: is(a.on + "\n")}
		rows[a.off] = row{prep: nestedMounts(a.flag), edit: bind("/mnt", "rbind", a.off), sh: shown("/mnt", a.on) + "; " + shown("/mnt/sub", a.on), want: is(a.on + "\n"), peers: keeps}
		rows["r"+a.on] = row{prep: nestedMounts(0), edit: bind("/mnt", "rbind", "r"+a.on), sh: shown("/mnt", a.on) + "; " + shown("/mnt/sub", a.on), want: is(a.on + "\n" + a.on + "\n")}
		rows["r"+a.off] = row{prep: nestedMounts(a.flag), edit: bind("/mnt", "rbind", "r"+a.off), sh: "echo ok; " + shown("/mnt", a.on) + "; " + shown("/mnt/sub", a.on), want: is("ok\n")}
	}
	r := rows["ratime"]
	r.runc = differs("1.1 fails")
	rows["ratime"] = r
	atimeRows(rows)
	superRows(rows)
	propagationRows(rows)
	bindRows(rows)
	return rows
}

// atimeRows: relatime, which is shown, and strictatime, which is not, are one choice of three.
func atimeRows(rows map[string]row) {
	const top, both = "relatime noatime", "relatime noatime strictatime"
	keeps := peers{runc: differs("1.1 leaves a bind mount's flags where there is none to set")}
	noField := peers{runc: differs("1.1 fails, or does nothing")}
	differ := map[string]peers{"norelatime": keeps, "nostrictatime": keeps, "rnorelatime": noField, "rnostrictatime": noField}
	kept := shown("/mnt", top) + "; echo -; " + shown("/mnt/sub", both)
	for name, r := range map[string]struct {
		flag uintptr
		want string
	}{
		"relatime": {unix.MS_STRICTATIME, "relatime\n-\n"}, "norelatime": {unix.MS_NOATIME, "relatime\n-\nnoatime\n"},
		"strictatime": {0, "-\nrelatime\n"}, "nostrictatime": {unix.MS_STRICTATIME, "relatime\n-\n"},
		"rrelatime": {unix.MS_STRICTATIME, "relatime\n-\nrelatime\n"}, "rnorelatime": {unix.MS_NOATIME, "relatime\n-\nrelatime\n"},
		"rstrictatime": {unix.MS_RELATIME, "-\n"}, "rnostrictatime": {unix.MS_STRICTATIME, "relatime\n-\nrelatime\n"},
	} {
		rows[name] = row{prep: nestedMounts(r.flag), edit: bind("/mnt", "rbind", name), sh: kept, want: is(r.want), peers: differ[name]}
	}
}

// superRows are for file systems that are made. What the kernel does not show is only accepted.
func superRows(rows map[string]row) {
	for name, want := range map[string]string{
		"sync": "sync\n", "async": "", "dirsync": "dirsync\n", "lazytime": "lazytime\n", "nolazytime": "", "mand": "", "nomand": "",
		"defaults": "", "silent": "", "loud": "", "noiversion": "", "iversion": "",
	} {
		rows[name] = row{edit: tmpfs("/mnt", name), sh: "echo ok >/mnt/x; cat /mnt/x; " + shown("/mnt", "sync dirsync lazytime"), want: is("ok\n" + want)}
	}
	for name, why := range map[string]string{"defaults": "1.1 gives it to the file system, which fails", "mand": "1.1: an error of the kernel's"} {
		r := rows[name]
		r.runc = differs(why)
		rows[name] = r
	}
	rows["tmpcopyup"] = row{edit: tmpfs("/etc", "tmpcopyup"), sh: "head -n 1 /etc/passwd; touch /etc/x", want: like("^root:")}
	rows["remount"] = row{edit: edits(tmpfs("/mnt"), tmpfs("/mnt", "remount", "ro")), sh: shown("/mnt", "ro"), want: is("ro\n")}
}

func propagationRows(rows map[string]row) {
	shared := func(c *container) {
		dataShared(c)
		c.mount("tmpfs", "data/sub", "tmpfs", 0)
		if err := unix.Mount("", filepath.Join(c.bundle, "data/sub"), "", unix.MS_SHARED, ""); err != nil {
			c.t.Fatal(err)
		}
	}
	root := func(s *specs.Spec) { s.Linux.RootfsPropagation = "rslave" }
	see := func(point string) string {
		return `awk '$5=="` + point + `"{ s=$7; sub(/:.*/, "", s); print s=="-" ? "private" : s }' /proc/self/mountinfo`
	}
	for name, want := range map[string]string{"private": "private", "slave": "master", "shared": "shared", "unbindable": "unbindable"} {
		rows[name] = row{prep: shared, edit: edits(root, bind("/mnt", "rbind", name)), sh: see("/mnt"), want: is(want + "\n")}
		rows["r"+name] = row{prep: shared, edit: edits(root, bind("/mnt", "rbind", "r"+name)), sh: see("/mnt") + "; " + see("/mnt/sub"), want: is(want + "\n" + want + "\n")}
	}
}

func bindRows(rows map[string]row) {
	count := "cat /mnt/file; " + `awk '$5=="/mnt/sub"' /proc/self/mountinfo | wc -l`
	rows["bind"] = row{prep: nestedMounts(0), edit: bind("/mnt", "bind"), sh: count, want: is("hello\n0\n")}
	rows["rbind"] = row{prep: nestedMounts(0), edit: bind("/mnt", "rbind"), sh: count, want: is("hello\n1\n")}
	five := []specs.LinuxIDMapping{idRange(1000, 5000, 1001)}
	const stat = "stat -c %u:%g /mnt/joe /mnt/sub/joe"
	rows["idmap"] = row{prep: ownedTree("tmpfs"), edit: idmapped(five, "rbind", "idmap"), sh: stat, want: is("5000:6000\n1000:2000\n")}
	rows["ridmap"] = row{prep: ownedTree("tmpfs"), edit: idmapped(five, "rbind", "ridmap"), sh: stat, want: is("5000:6000\n5000:6000\n")}
}
