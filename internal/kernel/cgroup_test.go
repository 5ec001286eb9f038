package kernel

import (
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func v1Hierarchy(controllers, mount, root, own string) Hierarchy {
	return Hierarchy{Controllers: strings.Split(controllers, ","), Mount: mount, Root: root, Own: own}
}

func TestParseCgroups(t *testing.T) {
	rows := []struct {
		name, own, mounts string
		pure              bool
		version           int
		v1                []Hierarchy
		unified           Hierarchy
	}{
		{"none", "0::/\n", "25 1 8:1 / / rw - ext4 /dev/vda rw\n", false, 0, nil, Hierarchy{}},
		{
			"v2", "0::/user.slice/a:b\n",
			"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
			true, 2, nil, Hierarchy{Mount: "/sys/fs/cgroup", Root: "/", Own: "/user.slice/a:b"},
		},
		{
			"hybrid, two controllers in one hierarchy",
			"5:cpu,cpuacct:/x\n4:net_cls:/\n1:name=systemd:/init\n0::/init\n",
			"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n" +
				"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 master:2 - cgroup cgroup rw,cpu,cpuacct\n" +
				"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup systemd rw,xattr,name=systemd\n" +
				"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
			false, 1,
			[]Hierarchy{
				v1Hierarchy("cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/", "/x"),
				v1Hierarchy("name=systemd", "/sys/fs/cgroup/systemd", "/", "/init"),
			},
			Hierarchy{Mount: "/sys/fs/cgroup/unified", Root: "/", Own: "/init"},
		},
		{
			"cpu is not cpuset, a container's root, a second place, an escape",
			"7:cpuset:/docker/c1\n6:cpu:/docker/c1\n5:pids:/docker/c1\n",
			"50 31 0:29 /docker/c1 /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n" +
				"51 31 0:30 /docker/c1 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n" +
				"52 31 0:30 / /srv/cpu rw - cgroup cgroup rw,cpu\n" +
				`53 31 0:31 / /srv/a\040b rw - cgroup cgroup rw,pids` + "\n",
			false, 1,
			[]Hierarchy{
				v1Hierarchy("cpuset", "/sys/fs/cgroup/cpuset", "/docker/c1", "/docker/c1"),
				v1Hierarchy("cpu", "/sys/fs/cgroup/cpu", "/docker/c1", "/docker/c1"),
				v1Hierarchy("pids", "/srv/a b", "/", "/docker/c1"),
			},
			Hierarchy{},
		},
		{
			"v2 with a stray v1 hierarchy", "3:net_cls:/\n0::/a\n",
			"30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n31 30 0:27 / /mnt/net rw - cgroup none rw,net_cls\n",
			true, 2,
			[]Hierarchy{v1Hierarchy("net_cls", "/mnt/net", "/", "/")},
			Hierarchy{Mount: "/sys/fs/cgroup", Root: "/", Own: "/a"},
		},
		{
			"v2 alone at another place", "0::/\n", "30 23 0:26 / /cg rw - cgroup2 none rw\n",
			false, 2, nil, Hierarchy{Mount: "/cg", Root: "/", Own: "/"},
		},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c := parseCgroups(r.own, r.mounts)
			want := Cgroups{V1: r.v1, Unified: r.unified}
			if !reflect.DeepEqual(c, want) {
				t.Errorf("got  %+v\nwant %+v", c, want)
			}
			if v := c.version(r.pure); v != r.version {
				t.Errorf("version %d, want %d", v, r.version)
			}
		})
	}
}

// The group that is named has to be one that really holds this process.
func TestReadCgroups(t *testing.T) {
	c, err := ReadCgroups()
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Clone(c.V1)
	if c.Unified.Mount != "" {
		all = append(all, c.Unified)
	}
	if c.Version == 0 || len(all) == 0 {
		t.Skip("no cgroups are mounted here")
	}
	for _, h := range all {
		name := h.Mount + strings.TrimPrefix(h.Own, strings.TrimSuffix(h.Root, "/")) + "/cgroup.procs"
		procs, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		} else if !slices.Contains(strings.Fields(string(procs)), strconv.Itoa(os.Getpid())) {
			t.Errorf("%s does not list this process", name)
		}
	}
}

func BenchmarkReadCgroups(b *testing.B) {
	for b.Loop() {
		if _, err := ReadCgroups(); err != nil {
			b.Fatal(err)
		}
	}
}
