package config

import (
	"strconv"
	"strings"
	"testing"
)

func TestNamespaceRules(t *testing.T) {
	const ns = "/linux/namespaces/- = "
	const maps = "\n/linux/uidMappings = [{\"size\": 1}]\n/linux/gidMappings = [{\"size\": 1}]"
	const user = ns + `{"type": "user"}`
	check(t, []row{
		{"unknown", ns + `{"type": "net"}`, "/linux/namespaces/5/type", `unknown namespace type "net"`, ""},
		{"slip", ns + `{"type": "cgrop"}`, "/linux/namespaces/5/type", "unknown namespace type", `"cgroup"`},
		{"case", ns + `{"type": "PID"}`, "/linux/namespaces/5/type", "unknown namespace type", `"pid"`},
		{"missing", ns + `{}`, "/linux/namespaces/5/type", "missing", ""},
		{"twice", ns + `{"type": "uts", "path": "/x"}`, "/linux/namespaces/5/type", "second uts namespace, after entry 1", ""},
		{"relative path", ns + `{"type": "cgroup", "path": "x"}`, "/linux/namespaces/5/path", "not an absolute path", ""},
		{"path NUL", ns + `{"type": "cgroup", "path": "/\u0000"}`, "/linux/namespaces/5/path", "NUL", ""},
		{"user", user + maps, "", "", ""},
		{"user by path", ns + `{"type": "user", "path": "/x"}`, "", "", ""},
		{"uid map without namespace", `/linux/uidMappings = [{"size": 1}]`, "/linux/uidMappings", "needs a user namespace", `"type": "user"`},
		{"gid map without namespace", `/linux/gidMappings = [{"size": 1}]`, "/linux/gidMappings", "needs a user namespace", ""},
		{"namespace without gid map", user + "\n/linux/uidMappings = [{\"size\": 1}]", "/linux/gidMappings", "a new user namespace needs it", ""},
		{"namespace without uid map", user + "\n/linux/gidMappings = [{\"size\": 1}]", "/linux/uidMappings", "a new user namespace needs it", ""},
		{"path with map", ns + "{\"type\": \"user\", \"path\": \"/x\"}\n/linux/uidMappings = [{\"size\": 1}]", "", "", ""},
		{"map of 4096 bytes", user + maps + "\n/linux/gidMappings = " + longMap("900000000"), "/linux/gidMappings", "is 4096 bytes long when it is written; the kernel takes 4095", ""},
		{"map of 4095 bytes", user + maps + "\n/linux/gidMappings = " + longMap("90000000"), "", "", ""},
		{"map of no ids", user + maps + "\n/linux/uidMappings/0/size = 0", "/linux/uidMappings/0/size", "missing or 0", ""},
		{"map to the end", user + maps + "\n/linux/uidMappings/0 = {\"hostID\": 4294967294, \"size\": 1}", "", "", ""},
		{"map beyond the end", user + maps + "\n/linux/uidMappings/0 = {\"hostID\": 4294967295, \"size\": 1}", "/linux/uidMappings/0/hostID", "go beyond", ""},
		{"map overflow", user + maps + "\n/linux/uidMappings/0 = {\"containerID\": 2, \"size\": 4294967295}", "/linux/uidMappings/0/containerID", "go beyond", ""},
		{"neighbours", user + maps + "\n/linux/gidMappings = [{\"containerID\": 5, \"hostID\": 0, \"size\": 5}, {\"containerID\": 0, \"hostID\": 5, \"size\": 5}]", "", "", ""},
		{"overlap inside", user + maps + "\n/linux/gidMappings = [{\"containerID\": 4, \"hostID\": 0, \"size\": 5}, {\"containerID\": 0, \"hostID\": 5, \"size\": 5}]", "/linux/gidMappings/1/containerID", "overlaps entry 0", ""},
		{"overlap outside", user + maps + "\n/linux/gidMappings = [{\"containerID\": 0, \"hostID\": 7, \"size\": 1}, {\"containerID\": 5, \"hostID\": 0, \"size\": 9}]", "/linux/gidMappings/1/hostID", "overlaps entry 0", ""},
		{"too many maps", user + maps + "\n/linux/gidMappings = [" + strings.Repeat("{\"size\": 1},", 340) + "{\"size\": 1}]", "/linux/gidMappings", "341 entries", ""},
		{"time", ns + `{"type": "time"}` + "\n/linux/timeOffsets = {\"monotonic\": {\"secs\": -1, \"nanosecs\": 999999999}, \"boottime\": {}}", "", "", ""},
		{"time without namespace", `/linux/timeOffsets = {"monotonic": {"secs": 1}}`, "/linux/timeOffsets", "new time namespace", `"type": "time"`},
		{"time by path", ns + `{"type": "time", "path": "/x"}` + "\n/linux/timeOffsets = {\"monotonic\": {\"secs\": 1}}", "/linux/timeOffsets", "joined by path", ""},
		{"clock", ns + `{"type": "time"}` + "\n/linux/timeOffsets = {\"monotonik\": {\"secs\": 1}}", "/linux/timeOffsets/monotonik", "unknown clock", `"monotonic"`},
		{"nanoseconds", ns + `{"type": "time"}` + "\n/linux/timeOffsets = {\"boottime\": {\"nanosecs\": 1000000000}}", "/linux/timeOffsets/boottime/nanosecs", "not between", ""},
		{"network device", `/linux/netDevices = {"eth0": {"name": "net%d"}, "eth1": {}}`, "", "", ""},
		{"network device without namespace", "/linux/namespaces = []\n/linux/netDevices = {\"eth0\": {}}", "/linux/netDevices", "network namespace", ""},
		{"network device long", `/linux/netDevices = {"eth0": {"name": "0123456789abcdef"}}`, "/linux/netDevices/eth0/name", "longer than 15", ""},
		{"network device name", `/linux/netDevices = {"a/b": {}}`, "/linux/netDevices/a~1b", "not a file name", ""},
	})
}

// longMap is a map of 4087 bytes and the last hostID.
func longMap(last string) string {
	entries := []string{`{"size": 1}`}
	for i := range 185 {
		id := strconv.Itoa(100000000 + i)
		entries = append(entries, `{"containerID": `+id+`, "hostID": `+id+`, "size": 1}`)
	}
	return "[" + strings.Join(entries, ",") + `, {"containerID": 1000000, "hostID": ` + last + `, "size": 1}]`
}

func TestLinuxRules(t *testing.T) {
	const device = "/linux/devices = "
	check(t, []row{
		{"masked", `/linux/maskedPaths = ["/a", "b"]`, "/linux/maskedPaths/1", "not an absolute path", `"/b"`},
		{"masked NUL", `/linux/maskedPaths = ["/a\u0000"]`, "/linux/maskedPaths/0", "NUL", ""},
		{"read-only", `/linux/readonlyPaths = ["b"]`, "/linux/readonlyPaths/0", "not an absolute path", ""},
		{"read-only empty", `/linux/readonlyPaths = [""]`, "/linux/readonlyPaths/0", "empty", ""},
		{"propagation", `/linux/rootfsPropagation = "rslave"`, "", "", ""},
		{"propagation slip", `/linux/rootfsPropagation = "rslaev"`, "/linux/rootfsPropagation", "unknown propagation", `"rslave"`},
		{"mount label", `/linux/mountLabel = "\u0000"`, "/linux/mountLabel", "NUL", ""},
		{"cgroup path, systemd", `/linux/cgroupsPath = "a.slice:b:c..d"`, "", "", ""},
		{"cgroup path dots", `/linux/cgroupsPath = "/a/../../b"`, "/linux/cgroupsPath", `contains ".."`, ""},
		{"cgroup path NUL", `/linux/cgroupsPath = "/a\u0000"`, "/linux/cgroupsPath", "NUL", ""},
		{"personality", `/linux/personality = {"domain": "LINUX32"}`, "", "", ""},
		{"personality domain", `/linux/personality = {"domain": "LINUX64"}`, "/linux/personality/domain", "unknown personality domain", "LINUX"},
		{"personality flag", `/linux/personality = {"domain": "LINUX", "flags": ["X"]}`, "/linux/personality/flags/0", "unknown personality flag", ""},
		{"memory policy", `/linux/memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0-1,3", "flags": ["MPOL_F_STATIC_NODES"]}`, "", "", ""},
		{"memory policy mode", `/linux/memoryPolicy = {"mode": "MPOL_BINT"}`, "/linux/memoryPolicy/mode", "unknown memory policy", "MPOL_BIND"},
		{"memory policy nodes", `/linux/memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0-"}`, "/linux/memoryPolicy/nodes", "not a list", ""},
		{"memory policy flag", `/linux/memoryPolicy = {"mode": "MPOL_BIND", "flags": ["X"]}`, "/linux/memoryPolicy/flags/0", "unknown memory policy flag", ""},
		{"RDT", `/linux/intelRdt = {"closID": "/", "schemata": ["L3:0=f"]}`, "", "", ""},
		{"RDT group", `/linux/intelRdt = {"closID": "../x"}`, "/linux/intelRdt/closID", "not a file name", ""},
		{"RDT line", `/linux/intelRdt = {"schemata": ["L3:0=f", "a\nb"]}`, "/linux/intelRdt/schemata/1", "newline", ""},
		{"RDT L3", `/linux/intelRdt = {"l3CacheSchema": "a\nb"}`, "/linux/intelRdt/l3CacheSchema", "newline", ""},
		{"RDT bandwidth", `/linux/intelRdt = {"memBwSchema": "a\nb"}`, "/linux/intelRdt/memBwSchema", "newline", ""},
		{"device", device + `[{"path": "/x/y", "type": "u", "major": 1, "minor": 3, "fileMode": 4095}]`, "", "", ""},
		{"device type", device + `[{"path": "/dev/x", "type": "d"}]`, "/linux/devices/0/type", "unknown device type", ""},
		{"device type missing", device + `[{"path": "/dev/x"}]`, "/linux/devices/0/type", "missing", ""},
		{"device path", device + `[{"path": "dev/x", "type": "c"}]`, "/linux/devices/0/path", "not an absolute path", ""},
		{"device major", device + `[{"path": "/dev/x", "type": "c", "major": -1}]`, "/linux/devices/0/major", "less than 0", ""},
		{"device minor", device + `[{"path": "/dev/x", "type": "b", "minor": -1}]`, "/linux/devices/0/minor", "less than 0", ""},
		{"fifo numbers", device + `[{"path": "/dev/x", "type": "p", "major": -1, "minor": -1}]`, "", "", ""},
		{"device mode", device + `[{"path": "/dev/x", "type": "c", "fileMode": 4096}]`, "/linux/devices/0/fileMode", "010000 is above 07777", ""},
		{"device uid", device + `[{"path": "/dev/x", "type": "c", "uid": 4294967295}]`, "/linux/devices/0/uid", "not a valid id", ""},
		{"device gid", device + `[{"path": "/dev/x", "type": "c", "gid": 4294967295}]`, "/linux/devices/0/gid", "not a valid id", ""},
		{"device twice", device + `[{"path": "/dev/x", "type": "c"}, {"path": "/dev/y", "type": "c"}, {"path": "/dev/x", "type": "b"}]`, "/linux/devices/2/path", "entry 0 already", ""},
	})
}

// TestSysctlRules: S26, CVE-2022-0811.
func TestSysctlRules(t *testing.T) {
	sysctl := func(key string) string { return `/linux/sysctl = {"` + key + `": "1"}` }
	const bad, host = "not the name of a kernel parameter", "not namespaced"
	alone := "/linux/namespaces = []\n"
	check(t, []row{
		{"net", sysctl("net.ipv4.ip_forward"), "", "", ""},
		{"net, slashes", sysctl("net/ipv4/conf/eth0.100/forwarding"), "", "", ""},
		{"net, slash for a dot", sysctl("net.ipv4.conf.eth0/100.forwarding"), "", "", ""},
		{"net without namespace", alone + sysctl("net.ipv4.ip_forward"), "/linux/sysctl/net.ipv4.ip_forward", "needs the namespace network", `"type": "network"`},
		{"messages", sysctl("kernel.msgmax"), "", "", ""},
		{"messages without namespace", alone + sysctl("kernel.msgmax"), "/linux/sysctl/kernel.msgmax", "needs the namespace ipc", ""},
		{"semaphores", sysctl("kernel.sem"), "", "", ""},
		{"shared memory", sysctl("kernel.shm_rmid_forced"), "", "", ""},
		{"mqueue", sysctl("fs.mqueue.msg_max"), "", "", ""},
		{"mqueue without namespace", alone + sysctl("fs.mqueue.msg_max"), "/linux/sysctl/fs.mqueue.msg_max", "needs the namespace ipc", ""},
		{"hostname", sysctl("kernel.hostname"), "/linux/sysctl/kernel.hostname", "own field", "/hostname"},
		{"hostname, slashes", sysctl("kernel/hostname"), "/linux/sysctl/kernel~1hostname", "own field", "/hostname"},
		{"domainname", sysctl("kernel.domainname"), "", "", ""},
		{"domainname without namespace", alone + sysctl("kernel.domainname"), "/linux/sysctl/kernel.domainname", "needs the namespace uts", ""},
		{"user", sysctl("user.max_user_namespaces"), "/linux/sysctl/user.max_user_namespaces", "needs the namespace user", ""},
		{"core pattern", sysctl("kernel.core_pattern"), "/linux/sysctl/kernel.core_pattern", host, ""},
		{"tilde", sysctl("vm.a~b"), "/linux/sysctl/vm.a~0b", host, ""},
		{"vm", sysctl("vm.swappiness"), "/linux/sysctl/vm.swappiness", host, ""},
		{"semaphores, longer", sysctl("kernel.semx"), "/linux/sysctl/kernel.semx", host, ""},
		{"no separator", sysctl("net"), "/linux/sysctl/net", host, ""},
		{"up", sysctl("net/../kernel/core_pattern"), "/linux/sysctl/net~1..~1kernel~1core_pattern", bad, ""},
		{"up, by dots for slashes", sysctl("net.//.kernel.core_pattern"), "/linux/sysctl/net.~1~1.kernel.core_pattern", bad, ""},
		{"here", sysctl("net/./x"), "/linux/sysctl/net~1.~1x", bad, ""},
		{"here, at the end", sysctl("net/."), "/linux/sysctl/net~1.", bad, ""},
		{"two dots", sysctl("net..ipv4"), "/linux/sysctl/net..ipv4", bad, ""},
		{"two slashes", sysctl("net//ipv4"), "/linux/sysctl/net~1~1ipv4", bad, ""},
		{"from the root", sysctl("/net/ipv4"), "/linux/sysctl/~1net~1ipv4", bad, ""},
		{"dot at the end", sysctl("net.ipv4."), "/linux/sysctl/net.ipv4.", bad, ""},
		{"plus", sysctl("net.x+kernel.core_pattern"), "/linux/sysctl/net.x+kernel.core_pattern", bad, ""},
		{"space", sysctl("net.x y"), "/linux/sysctl/net.x y", bad, ""},
		{"newline", sysctl(`net.x\ny`), "/linux/sysctl/net.x\ny", bad, ""},
		{"NUL", sysctl(`net.x\u0000`), "/linux/sysctl/net.x\x00", bad, ""},
		{"empty", sysctl(""), "/linux/sysctl/", bad, ""},
		{"value newline", `/linux/sysctl = {"net.x": "1\n2"}`, "/linux/sysctl/net.x", "value contains a newline", ""},
		{"value NUL", `/linux/sysctl = {"net.x": "1\u0000"}`, "/linux/sysctl/net.x", "value contains a newline", ""},
	})
}
