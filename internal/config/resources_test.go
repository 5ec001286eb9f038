package config

import "testing"

func TestResourceRules(t *testing.T) {
	const at = "/linux/resources"
	memory := func(json string) string { return at + "/memory = " + json }
	cpu := func(json string) string { return at + "/cpu = " + json }
	io := func(json string) string { return at + "/blockIO = " + json }
	rows := []row{
		{"unset", memory(`{"limit": 0, "swap": 0, "reservation": 0, "kernel": 0}`), "", "", ""},
		{"no limits", memory(`{"limit": -1, "swap": -1, "reservation": -1, "kernel": -1, "kernelTCP": -1}`), "", "", ""},
		{"swap equal", memory(`{"limit": 5, "swap": 5}`), "", "", ""},
		{"swap without memory", memory(`{"limit": -1, "swap": 5}`), "", "", ""},
		{"swap less", memory(`{"limit": 6, "swap": 5}`), at + "/memory/swap", "5 is less than the memory limit, 6", ""},
		{"swappiness", memory(`{"swappiness": 101}`), at + "/memory/swappiness", "above 100", ""},
		{"period unset", cpu(`{"period": 0, "quota": 0}`), "", "", ""},
		{"period", cpu(`{"period": 1000, "quota": -1}`), "", "", ""},
		{"period short", cpu(`{"period": 999}`), at + "/cpu/period", "not between 1000 and 1000000", ""},
		{"period long", cpu(`{"period": 1000001}`), at + "/cpu/period", "not between 1000 and 1000000", ""},
		{"quota small", cpu(`{"quota": 999}`), at + "/cpu/quota", "neither -1 nor at least 1000", ""},
		{"quota negative", cpu(`{"quota": -2}`), at + "/cpu/quota", "neither", ""},
		{"burst", cpu(`{"quota": 1000, "burst": 1001}`), at + "/cpu/burst", "above the quota", ""},
		{"real-time", cpu(`{"realtimeRuntime": -2}`), at + "/cpu/realtimeRuntime", "less than -1", ""},
		{"idle", cpu(`{"idle": 2}`), at + "/cpu/idle", "not between 0 and 1", ""},
		{"cpus", cpu(`{"cpus": "0-3,7,9-9", "mems": "0"}`), "", "", ""},
		{"cpus text", cpu(`{"cpus": "0,x"}`), at + "/cpu/cpus", "not a list", ""},
		{"cpus empty part", cpu(`{"cpus": "0,,1"}`), at + "/cpu/cpus", "not a list", ""},
		{"cpus backwards", cpu(`{"cpus": "3-1"}`), at + "/cpu/cpus", "not a list", ""},
		{"mems", cpu(`{"mems": "-1"}`), at + "/cpu/mems", "not a list", ""},
		{"pids", at + `/pids = {"limit": -5}`, "", "", ""},
		{"device rule", at + `/devices = [{"allow": true, "type": "a", "major": -1, "minor": -1, "access": "mwr"}, {"allow": false}]`, "", "", ""},
		{"device rule type", at + `/devices = [{"type": "p"}]`, at + "/devices/0/type", "unknown device type", ""},
		{"device rule access", at + `/devices = [{"access": "rwx"}]`, at + "/devices/0/access", "other letters", ""},
		{"device rule major", at + `/devices = [{"major": -2}]`, at + "/devices/0/major", "less than -1", ""},
		{"device rule minor", at + `/devices = [{"minor": -2}]`, at + "/devices/0/minor", "less than -1", ""},
		{"weight", io(`{"weight": 0, "leafWeight": 1000}`), "", "", ""},
		{"weight small", io(`{"weight": 9}`), at + "/blockIO/weight", "not between 10 and 1000", ""},
		{"weight large", io(`{"leafWeight": 1001}`), at + "/blockIO/leafWeight", "not between 10 and 1000", ""},
		{"device weight", io(`{"weightDevice": [{"major": 8, "minor": 0, "weight": 9}]}`), at + "/blockIO/weightDevice/0/weight", "not between", ""},
		{"device leaf weight", io(`{"weightDevice": [{"major": 8, "minor": 0, "leafWeight": 9}]}`), at + "/blockIO/weightDevice/0/leafWeight", "not between", ""},
		{"weight's device", io(`{"weightDevice": [{"major": -8, "minor": 0, "weight": 10}]}`), at + "/blockIO/weightDevice/0/major", "less than 0", ""},
		{"rdma", at + `/rdma = {"mlx5_1": {"hcaHandles": 1}}`, "", "", ""},
		{"network priority", at + `/network = {"priorities": [{"name": "a b", "priority": 1}]}`, at + "/network/priorities/0/name", "not a file name", ""},
	}
	for _, key := range []string{"limit", "reservation", "swap", "kernel", "kernelTCP"} {
		rows = append(rows, row{"memory " + key, memory(`{"` + key + `": -2}`), at + "/memory/" + key, "-2 is less than -1", ""})
	}
	for _, key := range []string{"throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice", "throttleWriteIOPSDevice"} {
		rows = append(rows, row{key, io(`{"` + key + `": [{"major": 8, "minor": -1, "rate": 1}]}`), at + "/blockIO/" + key + "/0/minor", "less than 0", ""})
	}
	check(t, rows)
}

// TestFileNames: S27, what becomes a part of a file's name below /sys/fs/cgroup.
func TestFileNames(t *testing.T) {
	const at = "/linux/resources"
	var rows []row
	for _, size := range []string{"64KB", "2MB", "1GB", "512B"} {
		rows = append(rows, row{"page " + size, at + `/hugepageLimits = [{"pageSize": "` + size + `", "limit": 1}]`, "", "", ""})
	}
	for _, size := range []string{"", "2", "MB", "B", "2M", "2mb", "02MB", "2KMBx", "2MBB", "-2MB", "2 MB", "../../2MB", "2MB/../x", "2.MB"} {
		rows = append(rows, row{"page " + size, at + `/hugepageLimits = [{"pageSize": "` + size + `", "limit": 1}]`, at + "/hugepageLimits/0/pageSize", "not a page size", ""})
	}
	for _, name := range []string{"memory.high", "hugetlb.1GB.max", "cgroup.max.descendants", "future.file"} {
		rows = append(rows, row{"unified " + name, at + `/unified = {"` + name + `": "1"}`, "", "", ""})
	}
	for name, msg := range map[string]string{"memory": "CONTROLLER.FILE", ".high": "CONTROLLER.FILE", "memory.": "CONTROLLER.FILE", "cgroup.procs": "belongs to no controller",
		"cgroup.kill": "belongs to no controller", "": "not a file name", "memory..high": "not a file name", "memory. high": "not a file name"} {
		rows = append(rows, row{"unified " + name, at + `/unified = {"` + name + `": "1"}`, at + "/unified/" + name, msg, ""})
	}
	rows = append(rows,
		row{"unified slash", at + `/unified = {"../memory.high": "1"}`, at + "/unified/..~1memory.high", "not a file name", ""},
		row{"unified NUL", at + `/unified = {"memory.high": "1\u0000"}`, at + "/unified/memory.high", "NUL", ""},
		row{"rdma slash", at + `/rdma = {"a/b": {}}`, at + "/rdma/a~1b", "not a file name", ""},
		row{"rdma space", at + `/rdma = {"a b": {}}`, at + "/rdma/a b", "not a file name", ""},
		row{"rdma empty", at + `/rdma = {"": {}}`, at + "/rdma/", "not a file name", ""},
	)
	check(t, rows)
}

func TestSeccompRules(t *testing.T) {
	const at = "/linux/seccomp"
	rule := func(json string) string { return at + "/syscalls/- = " + json }
	check(t, []row{
		{"default action", at + `/defaultAction = "SCMP_ACT_ALOW"`, at + "/defaultAction", "unknown seccomp action", "SCMP_ACT_ALLOW"},
		{"default action missing", at + `/defaultAction`, at + "/defaultAction", "missing", ""},
		{"default action notify", at + "/listenerPath = \"/s\"\n" + at + "/defaultAction = \"SCMP_ACT_NOTIFY\"", at + "/defaultAction", "not allowed here", ""},
		{"default errno", at + "/defaultAction = \"SCMP_ACT_ERRNO\"\n" + at + "/defaultErrnoRet = 1", "", "", ""},
		{"default errno without", at + `/defaultErrnoRet = 1`, at + "/defaultErrnoRet", "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE", ""},
		{"default errno large", at + "/defaultAction = \"SCMP_ACT_ERRNO\"\n" + at + "/defaultErrnoRet = 4096", at + "/defaultErrnoRet", "above 4095", ""},
		{"architecture", at + `/architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_AMD64"]`, at + "/architectures/1", "unknown architecture", ""},
		{"architecture slip", at + `/architectures = ["SCMP_ARCH_X8664"]`, at + "/architectures/0", "unknown architecture", "SCMP_ARCH_X86_64"},
		{"flag", at + `/flags = ["SECCOMP_FILTER_FLAG_LOGS"]`, at + "/flags/0", "unknown seccomp flag", "SECCOMP_FILTER_FLAG_LOG"},
		{"metadata", at + `/listenerMetadata = "x"`, at + "/listenerMetadata", "without listenerPath", ""},
		{"listener", at + `/listenerPath = "x"`, at + "/listenerPath", "not an absolute path", ""},
		{"notify", rule(`{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}`) + "\n" + at + "/listenerPath = \"/s\"", "", "", ""},
		{"notify without listener", rule(`{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}`), at + "/syscalls/1/action", "listenerPath", ""},
		{"action", rule(`{"names": ["mkdir"], "action": "SCMP_ACT_DENY"}`), at + "/syscalls/1/action", "unknown seccomp action", ""},
		{"no names", rule(`{"names": [], "action": "SCMP_ACT_ALLOW"}`), at + "/syscalls/1/names", "missing or empty", ""},
		{"empty name", rule(`{"names": ["a", ""], "action": "SCMP_ACT_ALLOW"}`), at + "/syscalls/1/names/1", "empty", ""},
		{"name NUL", rule(`{"names": ["a\u0000"], "action": "SCMP_ACT_ALLOW"}`), at + "/syscalls/1/names/0", "NUL", ""},
		{"errno", rule(`{"names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}`), "", "", ""},
		{"errno of allow", rule(`{"names": ["a"], "action": "SCMP_ACT_ALLOW", "errnoRet": 38}`), at + "/syscalls/1/errnoRet", "only SCMP_ACT_ERRNO", ""},
		{"trace", rule(`{"names": ["a"], "action": "SCMP_ACT_TRACE", "errnoRet": 65535}`), "", "", ""},
		{"trace large", rule(`{"names": ["a"], "action": "SCMP_ACT_TRACE", "errnoRet": 65536}`), at + "/syscalls/1/errnoRet", "above 65535", ""},
		{"operator", rule(`{"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 5, "value": 1, "op": "SCMP_CMP_EG"}]}`), at + "/syscalls/1/args/0/op", "unknown comparison", "SCMP_CMP_EQ"},
		{"index", rule(`{"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}`), at + "/syscalls/1/args/0/index", "above 5", ""},
	})
}
