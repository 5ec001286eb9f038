package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rt/internal/plan"
	"rt/libcontainer"
	"rt/rootfs"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

var sample = libcontainer.State{
	Version: "1.3.0", ID: "clirec1", Pid: 17073, Status: "running", Bundle: "/srv/rec", Rootfs: "/srv/rec/rootfs",
	Created: time.Date(2026, 11, 20, 19, 9, 25, 790346432, time.UTC), Annotations: map[string]string{"a.b": "c<d>"}, Owner: "root",
}

// TestState is what runc 1.1.5 printed for such a container: no newline at the end.
func TestState(t *testing.T) {
	const want = `{
  "ociVersion": "1.3.0",
  "id": "clirec1",
  "pid": 17073,
  "status": "running",
  "bundle": "/srv/rec",
  "rootfs": "/srv/rec/rootfs",
  "created": "2026-11-20T19:09:25.790346432Z",
  "annotations": {
    "a.b": "c\u003cd\u003e"
  },
  "owner": "root"
}`
	equal(t, "output", (&recorder{state: sample}).rt("state", "clirec1"), result{stdout: want})
}

// TestList is what runc 1.1.5 printed for such containers.
func TestList(t *testing.T) {
	stopped := libcontainer.State{Version: "1.3.0", ID: "b", Status: "stopped", Bundle: "/b", Rootfs: "/b/r", Created: sample.Created, Owner: "root"}
	both := []libcontainer.State{sample, stopped}
	const (
		one    = `{"ociVersion":"1.3.0","id":"clirec1","pid":17073,"status":"running","bundle":"/srv/rec","rootfs":"/srv/rec/rootfs","created":"2026-11-20T19:09:25.790346432Z","annotations":{"a.b":"c\u003cd\u003e"},"owner":"root"}`
		other  = `{"ociVersion":"1.3.0","id":"b","pid":0,"status":"stopped","bundle":"/b","rootfs":"/b/r","created":"2026-11-20T19:09:25.790346432Z","owner":"root"}`
		header = "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n"
		table  = "ID          PID         STATUS      BUNDLE      CREATED                          OWNER\n" +
			"clirec1     17073       running     /srv/rec    2026-11-20T19:09:25.790346432Z   root\n" +
			"b           0           stopped     /b          2026-11-20T19:09:25.790346432Z   root\n"
	)
	rows := []struct {
		line   string
		states []libcontainer.State
		want   string
	}{
		{"list", nil, header},
		{"list", both, table},
		{"list -f table", both, table},
		{"list --format json", nil, "null\n"},
		{"list --format json", []libcontainer.State{}, "null\n"},
		{"list -f json", both[:1], "[" + one + "]\n"},
		{"list --format=json", both, "[" + one + "," + other + "]\n"},
		{"list -q", nil, ""},
		{"list --quiet", both, "clirec1\nb\n"},
	}
	for _, row := range rows {
		equal(t, row.line, (&recorder{states: row.states}).rt(strings.Fields(row.line)...), result{stdout: row.want})
	}
}

// TestPs runs the host's ps for a real child, also without PATH.
func TestPs(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	pid := cmd.Process.Pid
	r := &recorder{pids: []int{pid}}
	for _, path := range []string{os.Getenv("PATH"), ""} {
		t.Setenv("PATH", path)
		equal(t, "options", strings.Fields(r.rt("ps", "a", "-o", "pid,comm").stdout), []string{"PID", "COMMAND", strconv.Itoa(pid), "sleep"})
		lines := strings.Split(r.rt("ps", "a").stdout, "\n")
		if len(lines) != 3 || !strings.Contains(lines[0], "UID") || !strings.Contains(lines[1], "sleep 60") {
			t.Errorf("ps -ef: %q", lines)
		}
	}
	equal(t, "json", r.rt("ps", "--format", "json", "a"), result{stdout: "[" + strconv.Itoa(pid) + "]\n"})
	equal(t, "no column", r.rt("ps", "a", "-o", "comm").code, 1)
	if res := r.rt("ps", "a", "--nosuch"); res.code != 1 || !strings.Contains(res.stderr, "rt: run ps --nosuch: exit status 1\n") {
		t.Errorf("ps --nosuch: exit %d, %s", res.code, res.stderr)
	}
}

// TestFilterPs finds the column by its heading.
func TestFilterPs(t *testing.T) {
	rows := []struct {
		name, table string
		pids        []int
		want        string
	}{
		{"first column", "PID CMD\n1 a\n12 b\n2 c\n", []int{1, 2}, "PID CMD\n1 a\n2 c\n"},
		{"not the parent's", "UID PID PPID\nroot 1 2\nroot 2 3\n", []int{2}, "UID PID PPID\nroot 2 3\n"},
		{"none", "PID\n1\n", nil, "PID\n"},
		{"threads without a pid, short rows", "USER PID\nroot -\nroot\nroot 3\n", []int{3}, "USER PID\nroot 3\n"},
		{"last row without newline", "PID\n3", []int{3}, "PID\n3"},
	}
	for _, row := range rows {
		got, err := filterPs(row.table, row.pids)
		equal(t, row.name, []any{got, err}, []any{row.want, nil})
	}
	if _, err := filterPs("USER CMD\n", nil); err == nil || err.Error() != "couldn't find PID field in ps output" {
		t.Errorf("error %v", err)
	}
}

// TestSignals are numbers and names of signal(7).
func TestSignals(t *testing.T) {
	rows := []struct {
		text string
		want int // -1: unknown
	}{
		{"TERM", 15}, {"SIGTERM", 15}, {"sigterm", 15}, {"Kill", 9}, {"9", 9}, {"0", 0}, {"64", 64},
		{"HUP", 1}, {"WINCH", 28}, {"STKFLT", 16}, {"IOT", 6}, {"SIGCLD", 17}, {"poll", 29}, {"IO", 29},
		{"rtmin", 34}, {"SIGRTMIN+3", 37}, {"rtmin+1", 35}, {"RTMAX", 64}, {"SIGRTMAX-1", 63},
		{"", -1}, {"SIG", -1}, {"FROB", -1}, {"SIGSIGTERM", -1}, {"-9", -1}, {"65", -1}, {"9x", -1},
		{"RTMIN3", -1}, {"RTMIN+31", -1}, {"RTMIN-1", -1}, {"RTMAX+1", -1}, {"RTMIN+", -1}, {"99999999999999999999", -1},
	}
	for _, row := range rows {
		got, err := parseSignal(row.text)
		if err != nil {
			got = -1
		}
		equal(t, row.text, got, row.want)
	}
}

// TestPlan prints the steps, or those that come from a pointer.
func TestPlan(t *testing.T) {
	lines := []plan.Line{{Lane: "init", Step: "mount", Args: "/proc", Where: "/mounts/0"}, {Lane: "host", Step: "ready"}, {Lane: "init", Step: "host name", Where: "/hostname"}}
	const first = "init mount /proc /mounts/0"
	rows := []struct {
		line string
		want result
	}{
		{"plan --explain /mounts B", result{stdout: first + "\n"}},
		{"plan --explain /hostname --json", result{stdout: "[\n  {\n    \"lane\": \"init\",\n    \"step\": \"host name\",\n    \"where\": \"/hostname\"\n  }\n]\n"}},
		{"plan --explain /nosuch", result{code: 1, stderr: "rt: explain /nosuch: no step of the plan comes from there\n"}},
	}
	for _, row := range rows {
		res := (&recorder{lines: lines}).rt(strings.Fields(row.line)...)
		if !strings.HasPrefix(res.stdout, "[") { // the width of columns is package plan's
			res.stdout = columns.ReplaceAllString(res.stdout, " ")
		}
		equal(t, row.line, res, row.want)
	}
	equal(t, "lines", strings.Count((&recorder{lines: lines}).rt("plan").stdout, "\n"), 3)
}

var columns = regexp.MustCompile(` +`)

// TestFeatures has what managers look for, and says false, not nothing, of what is missing.
func TestFeatures(t *testing.T) {
	res := (&recorder{}).rt("features")
	var doc features.Features
	if err := json.Unmarshal([]byte(res.stdout), &doc); err != nil {
		t.Fatal(err)
	}
	equal(t, "versions", []string{doc.OCIVersionMin, doc.OCIVersionMax}, []string{"1.0.0", specs.Version})
	equal(t, "hooks", doc.Hooks, []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"})
	equal(t, "namespaces", doc.Linux.Namespaces, []string{"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"})
	equal(t, "idmap", *doc.Linux.MountExtensions.IDMap.Enabled, true)
	equal(t, "actions", doc.Linux.Seccomp.Actions[:4], []string{"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS"})
	equal(t, "flags", doc.Linux.Seccomp.KnownFlags, []string{"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"})
	equal(t, "operators", len(doc.Linux.Seccomp.Operators), 7)
	if archs := strings.Join(doc.Linux.Seccomp.Archs, " "); !strings.Contains(archs, "SCMP_ARCH_X86_64") || !strings.Contains(archs, "SCMP_ARCH_AARCH64") {
		t.Errorf("architectures %s", archs)
	}
	has := strings.Join(doc.MountOptions, " ")
	for _, name := range []string{"rro", "rbind", "nosuid", "tmpcopyup", "remount"} {
		if !strings.Contains(has, name) {
			t.Errorf("no mount option %s in %s", name, has)
		}
	}
	equal(t, "mount options", doc.MountOptions, rootfs.OptionNames())
	if !strings.Contains(res.stdout, "\n    \"potentiallyUnsafeConfigAnnotations\": []\n}\n") {
		t.Errorf("the list of unsafe annotations is not there, or not empty:\n%s", res.stdout)
	}
}
