package config

import "testing"

func TestDocumentRules(t *testing.T) {
	check(t, []row{
		{"version with build", `/ociVersion = "1.3.0-rc.1+a.b"`, "", "", ""},
		{"newer minor version", `/ociVersion = "1.99.0"`, "", "", ""},
		{"version missing", `/ociVersion`, "/ociVersion", "missing", "1.3.0"},
		{"version no number", `/ociVersion = "invalid"`, "/ociVersion", "not a semantic version", ""},
		{"version short", `/ociVersion = "1.0"`, "/ociVersion", "not a semantic version", ""},
		{"version leading zero", `/ociVersion = "1.02.0"`, "/ociVersion", "not a semantic version", ""},
		{"version leading zero in pre-release", `/ociVersion = "1.0.0-01"`, "/ociVersion", "not a semantic version", ""},
		{"version empty pre-release", `/ociVersion = "1.0.0-"`, "/ociVersion", "not a semantic version", ""},
		{"version with a v", `/ociVersion = "v1.0.0"`, "/ociVersion", "not a semantic version", ""},
		{"version 2", `/ociVersion = "2.0.0"`, "/ociVersion", "not supported", ""},
		{"version 10", `/ociVersion = "10.0.0"`, "/ociVersion", "not supported", ""},
		{"version 0", `/ociVersion = "0.1.0"`, "/ociVersion", "not supported", ""},
		{"root missing", `/root`, "/root", "missing", ""},
		{"root without path", `/root = {}`, "/root/path", "missing or empty", ""},
		{"root NUL", `/root/path = "a\u0000"`, "/root/path", "NUL", ""},
		{"process missing", `/process`, "/process", "missing", ""},
		{"hostname", `/hostname = "` + letters(64) + `"`, "", "", ""},
		{"hostname long", `/hostname = "` + letters(65) + `"`, "/hostname", "longer than 64", ""},
		{"hostname NUL", `/hostname = "a\u0000"`, "/hostname", "NUL", ""},
		{"hostname, namespace by path", "/linux/namespaces/1/path = \"/run/ns\"\n/hostname = \"a\"", "", "", ""},
		{"hostname without namespace", "/linux/namespaces = []\n/hostname = \"a\"", "/hostname", "uts namespace", `"type": "uts"`},
		{"hostname without linux", "/linux\n/hostname = \"a\"", "/hostname", "uts namespace", ""},
		{"domainname long", `/domainname = "` + letters(65) + `"`, "/domainname", "longer than 64", ""},
		{"domainname without namespace", "/linux/namespaces = []\n/domainname = \"a\"", "/domainname", "uts namespace", ""},
		{"annotation without key", `/annotations = {"": "x"}`, "/annotations/", "empty", ""},
	})
}

func letters(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a'
	}
	return string(b)
}

func TestProcessRules(t *testing.T) {
	check(t, []row{
		{"args missing", `/process/args`, "/process/args", "missing or empty", ""},
		{"args empty", `/process/args = []`, "/process/args", "missing or empty", ""},
		{"args[0] empty", `/process/args = ["", "x"]`, "/process/args/0", "empty", ""},
		{"args[1] empty", `/process/args = ["x", ""]`, "", "", ""},
		{"args NUL", `/process/args = ["x", "a\u0000b"]`, "/process/args/1", "NUL", ""},
		{"env without value", `/process/env = ["A=1", "B"]`, "/process/env/1", "no value", `did you mean "B="?`},
		{"env without name", `/process/env = ["=x"]`, "/process/env/0", "no name", ""},
		{"env NUL", `/process/env = ["A=\u0000"]`, "/process/env/0", "NUL", ""},
		{"env empty value", `/process/env = ["A=", "B=a=b"]`, "", "", ""},
		{"cwd missing", `/process/cwd`, "/process/cwd", "missing", ""},
		{"cwd relative", `/process/cwd = "tmp"`, "/process/cwd", "not an absolute path", `"/tmp"`},
		{"cwd NUL", `/process/cwd = "/\u0000"`, "/process/cwd", "NUL", ""},
		{"uid", `/process/user/uid = 4294967295`, "/process/user/uid", "not a valid id", ""},
		{"gid", `/process/user/gid = 4294967295`, "/process/user/gid", "not a valid id", ""},
		{"additional gid", `/process/user/additionalGids = [1, 4294967295]`, "/process/user/additionalGids/1", "not a valid id", ""},
		{"umask", `/process/user/umask = 511`, "", "", ""},
		{"umask large", `/process/user/umask = 512`, "/process/user/umask", "01000 is above 0777", ""},
		{"rlimit unknown", `/process/rlimits = [{"type": "RLIMIT_NOFILES", "soft": 1, "hard": 1}]`, "/process/rlimits/0/type", "unknown resource limit", "RLIMIT_NOFILE"},
		{"rlimit soft", `/process/rlimits = [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}]`, "/process/rlimits/0/soft", "2 is above the hard one, 1", ""},
		{"rlimit twice", `/process/rlimits = [{"type": "RLIMIT_CPU"}, {"type": "RLIMIT_AS"}, {"type": "RLIMIT_CPU"}]`, "/process/rlimits/2/type", "second entry for RLIMIT_CPU", ""},
		{"oomScoreAdj", `/process/oomScoreAdj = -1000`, "", "", ""},
		{"oomScoreAdj low", `/process/oomScoreAdj = -1001`, "/process/oomScoreAdj", "not between -1000 and 1000", ""},
		{"oomScoreAdj high", `/process/oomScoreAdj = 1001`, "/process/oomScoreAdj", "not between", ""},
		{"apparmor", `/process/apparmorProfile = "a\u0000"`, "/process/apparmorProfile", "NUL", ""},
		{"selinux", `/process/selinuxLabel = "a\u0000"`, "/process/selinuxLabel", "NUL", ""},
		{"console without terminal", `/process/consoleSize = {"height": 70000, "width": 1}`, "", "", ""},
		{"console height", "/process/terminal = true\n/process/consoleSize = {\"height\": 65536, \"width\": 1}", "/process/consoleSize/height", "above 65535", ""},
		{"console width", "/process/terminal = true\n/process/consoleSize = {\"height\": 1, \"width\": 65536}", "/process/consoleSize/width", "above 65535", ""},
		{"policy", `/process/scheduler = {"policy": "SCHED_FIFA", "priority": 1}`, "/process/scheduler/policy", "unknown scheduling policy", "SCHED_FIFO"},
		{"policy missing", `/process/scheduler = {}`, "/process/scheduler/policy", "missing", ""},
		{"scheduling flag", `/process/scheduler = {"policy": "SCHED_IDLE", "flags": ["X"]}`, "/process/scheduler/flags/0", "unknown scheduling flag", ""},
		{"nice", `/process/scheduler = {"policy": "SCHED_OTHER", "nice": 20}`, "/process/scheduler/nice", "not between -20 and 19", ""},
		{"real-time priority", `/process/scheduler = {"policy": "SCHED_RR", "priority": 0}`, "/process/scheduler/priority", "not between 1 and 99", ""},
		{"deadline", `/process/scheduler = {"policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 1500}`, "/process/scheduler", "2000, 1500, 0", ""},
		{"deadline without period", `/process/scheduler = {"policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 3000}`, "", "", ""},
		{"I/O class", `/process/ioPriority = {"class": "IOPRIO_CLASS_BEE", "priority": 1}`, "/process/ioPriority/class", "unknown I/O", "IOPRIO_CLASS_BE"},
		{"I/O priority", `/process/ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 8}`, "/process/ioPriority/priority", "not between 0 and 7", ""},
		{"affinity", `/process/execCPUAffinity = {"initial": "0-3,7", "final": "3-1"}`, "/process/execCPUAffinity/final", "not a list of numbers", ""},
		{"affinity initial", `/process/execCPUAffinity = {"initial": "a"}`, "/process/execCPUAffinity/initial", "not a list of numbers", ""},
	})
}

func TestHookRules(t *testing.T) {
	rows := []row{
		{"good", `/hooks = {"poststop": [{"path": "/x", "env": ["A=1"], "timeout": 1}]}`, "", "", ""},
		{"args NUL", `/hooks = {"prestart": [{"path": "/x", "args": ["\u0000"]}]}`, "/hooks/prestart/0/args/0", "NUL", ""},
		{"env", `/hooks = {"prestart": [{"path": "/x", "env": ["A"]}]}`, "/hooks/prestart/0/env/0", "no value", ""},
		{"timeout 0", `/hooks = {"prestart": [{"path": "/x", "timeout": 0}]}`, "/hooks/prestart/0/timeout", "not greater than zero", ""},
		{"timeout negative", `/hooks = {"prestart": [{"path": "/x", "timeout": -1}]}`, "/hooks/prestart/0/timeout", "not greater than zero", ""},
		{"path missing", `/hooks = {"prestart": [{}]}`, "/hooks/prestart/0/path", "missing", ""},
	}
	for _, kind := range []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"} {
		rows = append(rows, row{kind, `/hooks = {"` + kind + `": [{"path": "/x"}, {"path": "x"}]}`, "/hooks/" + kind + "/1/path", "not an absolute path", ""})
	}
	check(t, rows)
}
