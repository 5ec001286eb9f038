package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestPropagationOfBinds: what mountinfo says of a bind of a shared mount, by its options
// (mount_namespaces(7), "SHARED SUBTREES").
func TestPropagationOfBinds(t *testing.T) {
	const none, slave, both, alone = `^\S+ - `, `^\S+ master:\d+ - `, `^\S+ shared:\d+ master:\d+ - `, `^\S+ unbindable - `
	var rows []row
	for _, r := range []struct{ option, want string }{
		{"private", none}, {"rprivate", none}, {"slave", slave}, {"rslave", slave}, {"shared", both}, {"rshared", both}, {"unbindable", alone}, {"runbindable", alone},
	} {
		rows = append(rows,
			row{name: r.option, prep: dataShared, edit: bind("/mnt", "rbind", r.option), sh: onMount("/mnt"), want: like(r.want)},
			row{name: r.option + ", user namespace", prep: dataShared, edit: edits(mapped, bind("/mnt", "rbind", r.option)), sh: onMount("/mnt"), want: like(r.want)})
	}
	runRows(t, rows)
}

// flow is a volume on a mount that the host shares: which mounts made later are seen where.
type flow struct {
	root, option string // rootfsPropagation, and the volume's own
	inside       bool   // a mount of the host is seen in the container
	outside      bool   // and one of the container on the host
	edit         func(*specs.Spec)
	onlyRT       verdict
}

func TestPropagationFlow(t *testing.T) {
	var scenes []scene
	for _, f := range []flow{
		{"", "rprivate", false, false, nil, ""},
		{"", "rslave", true, false, nil, ""},
		{"", "rshared", true, false, nil, ""},
		{"private", "rslave", true, false, nil, ""},
		{"rprivate", "rslave", false, false, nil, ""},
		{"rprivate", "rprivate", false, false, nil, ""},
		{"rslave", "rslave", true, false, nil, ""},
		{"slave", "rprivate", false, false, nil, ""},
		{"rslave", "rshared", true, false, nil, ""},
		{"shared", "rshared", true, true, nil, ""},
		{"rshared", "rshared", true, true, nil, ""},
		{"shared", "rslave", true, false, nil, ""},
		{"rshared", "rprivate", false, false, nil, ""},
		{"rslave", "rslave", true, false, mapped, ""},
		{"rshared", "rshared", true, false, mapped, ""}, // a less privileged namespace gets slaves: mount_namespaces(7)
	} {
		name := fmt.Sprintf("root %s, volume %s", f.root, f.option)
		if f.edit != nil {
			name += ", user namespace"
		}
		scenes = append(scenes, scene{name: name, play: f.play, peers: peers{runc: f.onlyRT, vm: f.option == "rshared"}})
	}
	runScenes(t, scenes)
}

func (f flow) play(t *testing.T) {
	mounter := func(s *specs.Spec) {
		list := []string{"CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"}
		s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: list, Effective: list, Permitted: list}
		s.Linux.RootfsPropagation = f.root
	}
	c := newContainer(t, f.edit, mounter, bind("/mnt", "rbind", f.option), args("sleep", "300"))
	dataShared(c)
	for _, dir := range []string{"in", "out"} {
		c.do(os.Mkdir(filepath.Join(c.bundle, "data", dir), 0o755))
	}
	host := len(mountsOf(t, os.Getpid()))
	c.create().must(t)
	c.start().must(t)
	c.mount("host", "data/in", "tmpfs", 0)
	f.saw(t, "the host's mount inside", c.sh(onMount("/mnt/in")).must(t).stdout, f.inside)
	c.sh("mount -t tmpfs inner /mnt/out").must(t)
	seen := ""
	for _, m := range mountsOf(t, os.Getpid()) {
		if strings.HasSuffix(m.at, c.id+"/data/out") {
			seen = m.source
		}
	}
	f.saw(t, "the container's mount outside", seen, f.outside)
	unix.Unmount(filepath.Join(c.bundle, "data/in"), unix.MNT_DETACH)
	f.saw(t, "the host's mount inside, after it went", c.sh(onMount("/mnt/in")).must(t).stdout, false)
	c.delete("--force").must(t)
	if f.outside { // the mount is the host's as well, and stays
		c.do(unix.Unmount(filepath.Join(c.bundle, "data/out"), unix.MNT_DETACH))
	}
	if now := len(mountsOf(t, os.Getpid())); now != host {
		t.Errorf("the host has %d mounts, had %d", now, host)
	}
}

func (f flow) saw(t *testing.T, what, got string, want bool) {
	t.Helper()
	if (got != "") != want {
		t.Errorf("%s: %q, expected: %v", what, got, want)
	}
}
