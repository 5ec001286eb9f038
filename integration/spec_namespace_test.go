package integration

import (
	"fmt"
	"os"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func ownNamespace(name string) string {
	link, err := os.Readlink("/proc/self/ns/" + name)
	if err != nil {
		return err.Error()
	}
	return link
}

// equal and other compare a namespace of the container with the test's.
func equal(name string) string {
	return fmt.Sprintf(`test "$(readlink /proc/self/ns/%s)" = "%s"`, name, ownNamespace(name))
}
func other(name string) string { return "! " + equal(name) }

func mapped(s *specs.Spec) {
	addNamespace(specs.UserNamespace, "")(s)
	s.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	s.Linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200000, Size: 65536}}
}

func TestNamespaces(t *testing.T) {
	noHostname := func(s *specs.Spec) { s.Hostname = "" }
	old := peers{runc: differs("time namespaces came with 1.2")}
	runRows(t, []row{
		{name: "new pid", sh: other("pid")},
		{name: "new net", sh: other("net")},
		{name: "new ipc", sh: other("ipc")},
		{name: "new uts", sh: other("uts")},
		{name: "new mnt", sh: other("mnt")},
		{name: "user not asked for", sh: equal("user")},
		{name: "cgroup not asked for", edit: without(specs.CgroupNamespace), sh: equal("cgroup")},
		{name: "new cgroup", edit: addNamespace(specs.CgroupNamespace, ""), sh: other("cgroup"), peers: inVM()},
		{name: "host net", edit: without("network"), sh: equal("net")},
		{name: "host ipc", edit: without("ipc"), sh: equal("ipc")},
		{name: "host uts", edit: edits(without("uts"), noHostname), sh: equal("uts")},
		{name: "host pid", edit: without("pid"), sh: equal("pid")},
		{name: "hostname needs uts", edit: without("uts"), sh: "true", code: 1, fails: has("hostname")},
		{name: "net by path", edit: addNamespace("network", "/proc/1/ns/net"), sh: equal("net")},
		{name: "path of another type", edit: addNamespace("network", "/proc/1/ns/ipc"), sh: "true", code: 1},
		{name: "path of no namespace", edit: addNamespace("network", "/etc/passwd"), sh: "true", code: 1},
		{name: "missing path", edit: addNamespace("network", "/nosuch"), sh: "true", code: 1, fails: has("/nosuch")},
		{name: "time", edit: addNamespace(specs.TimeNamespace, ""), sh: other("time"), peers: old},
		{name: "time offset", edit: addNamespace(specs.TimeNamespace, ""), sh: "cat /proc/self/timens_offsets", want: like(`boottime +0 +0`), peers: old},
		{name: "user", edit: mapped, sh: other("user") + " && cat /proc/self/uid_map /proc/self/gid_map", want: like(`^ +0 +100000 +65536\n +0 +200000 +65536$`)},
		{name: "user: root inside", edit: mapped, sh: "id -u; stat -c %u /dev/null /sys/class/net/lo /dev/shm", want: is("0\n65534\n0\n0\n")},
		{name: "user: setgroups", edit: mapped, sh: "cat /proc/self/setgroups", want: is("allow\n")},
		{name: "unknown type", edit: addNamespace("frob", ""), sh: "true", code: 1, fails: has("frob")},
		{name: "lo is up", sh: "cat /sys/class/net/lo/flags && ifconfig lo", want: like(`(?s)^0x9\n.*inet addr:127.0.0.1.*UP LOOPBACK`)},
		{name: "only lo", sh: "ls /sys/class/net", want: is("lo\n")},
	})
}

func TestSysctl(t *testing.T) {
	set := func(name, value string) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Linux.Sysctl = map[string]string{name: value} }
	}
	runRows(t, []row{
		{name: "net", edit: set("net.ipv4.ip_forward", "1"), sh: "cat /proc/sys/net/ipv4/ip_forward", want: is("1\n")},
		{name: "ipc", edit: set("kernel.msgmax", "12345"), sh: "cat /proc/sys/kernel/msgmax", want: is("12345\n")},
		{name: "mqueue", edit: set("fs.mqueue.queues_max", "77"), sh: "cat /proc/sys/fs/mqueue/queues_max", want: is("77\n")},
		{name: "host's ipc", edit: edits(without("ipc"), set("kernel.msgmax", "12345")), sh: "true", code: 1, fails: has("kernel.msgmax")},
		{name: "host's net", edit: edits(without("network"), set("net.ipv4.ip_forward", "1")), sh: "true", code: 1, fails: has("net.ipv4.ip_forward")},
		{name: "not namespaced", edit: set("vm.swappiness", "1"), sh: "true", code: 1, fails: has("vm.swappiness")},
		{name: "way out", edit: set("net/../../vm/swappiness", "1"), sh: "true", code: 1},
	})
}
