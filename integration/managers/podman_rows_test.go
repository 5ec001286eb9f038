//go:build managers

package managers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// podmanOnly are rows for what docker's command line does not have.
func podmanOnly() []row {
	return slices.Concat(rowsOf(podmanShown()), podmanFiles(), podmanUsers(), pods())
}

func podmanShown() []shown {
	return []shown{
		{"tmpcopyup", flags("--tmpfs /var/data"), "stat -fc %T /var/data; cat /var/data/seed; stat -c %a /var/data/seed", "tmpfs\nof the image\n640", 0},
		{"notmpcopyup", flags("--tmpfs /var/data:notmpcopyup"), "stat -fc %T /var/data; ls -A /var/data", "tmpfs", 0},
		{"mount type=tmpfs", flags("--mount type=tmpfs,destination=/new,tmpfs-size=64k,notmpcopyup"), "stat -fc %T /new; df -k /new | awk 'END { print $2 }'", "tmpfs\n64", 0},
		{"read-only-tmpfs", flags("--read-only"), "touch /run/x /tmp/x /dev/shm/x && echo written", "written", 0},
		{"umask", flags("--umask 0027"), "umask", "0027", 0},
		{"cgroupns private", flags("--cgroupns private"), "grep -c ':pids:/$' /proc/self/cgroup", "1", 0},
		{"pids of the group", flags("--pid private"), "set -- /proc/[0-9]*; echo $#", "1", 0},
		{"privileged", flags("--privileged"), "grep Seccomp: /proc/self/status; mount -t tmpfs tmpfs /mnt && stat -fc %T /mnt", "Seccomp:\t0\ntmpfs", 0},
		{"stdin is empty", nil, "cat; echo end", "end", 0},
	}
}

// podmanFiles: files and descriptors that come from the host.
func podmanFiles() []row {
	return []row{
		{"the runtime is used", func(t *testing.T, e *engine) {
			equal(t, "OCIRuntime", e.inspect(t, e.sleeper(t), ".OCIRuntime"), e.bin)
		}},
		{"preserve-fds", func(t *testing.T, e *engine) {
			file := e.save(t, e.fresh(), "through fd 3\n", 0o644)
			line := append(append([]string{}, e.cli...), e.args("run", flags("--rm --preserve-fds 1"), []string{"sh", "-c", "cat <&3; ls /proc/self/fd | wc -l"})...)
			got := command(e.env, nil, append([]string{"sh", "-c", `exec "$@" 3<` + file, "sh"}, line...)...).must(t)
			equal(t, "stdout", got, "through fd 3\n5") // 0 to 3, and that of ls
		}},
		{"hooks", func(t *testing.T, e *engine) {
			dir := e.shared(t)
			script := e.save(t, filepath.Base(dir)+".sh", "#!/bin/sh\ncat >"+dir+"/$1\n", 0o755)
			for _, stage := range []string{"createRuntime", "poststop"} {
				text := fmt.Sprintf(`{"version":"1.0.0","when":{"always":true},"hook":{"path":%q,"args":["hook",%q]},"stages":[%q]}`, script, stage, stage)
				e.save(t, filepath.Join(filepath.Base(dir), stage+".json"), text, 0o644)
			}
			e.do(append([]string{"--hooks-dir", dir}, e.args("run", flags("--rm"), flags("true"))...)...).must(t)
			for _, want := range [][2]string{{"createRuntime", `"status":"creat`}, {"poststop", `"status":"stopped"`}} {
				if state := strings.ReplaceAll(read(t, dir+"/"+want[0]), ": ", ":"); !strings.Contains(state, want[1]) {
					t.Errorf("%s got %s", want[0], state)
				}
			}
		}},
		{"rootfs", func(t *testing.T, e *engine) {
			dir := e.dir + "/" + e.fresh()
			command(e.env, nil, "cp", "-a", it.rootfs, dir).must(t)
			command(e.env, nil, "chown", "-R", fmt.Sprint(e.owner), dir).must(t)
			args := e.args("run", flags("--rm --rootfs"), flags("cat /var/data/seed"))
			args[slices.Index(args, e.image)] = dir
			equal(t, "stdout", e.do(args...).must(t), "of the image")
		}},
		{"OOM report", func(t *testing.T, e *engine) {
			report := filepath.Join(it.base, "oom") // conmon's file, in podman's working directory
			os.Remove(report)
			name := e.box(t, flags("--memory 16m --memory-swap 16m"), "sh", "-c", "tail /dev/zero; code=$?; sleep 0.5; exit $code")
			e.becomes(t, name, ".State.Status", "exited")
			equal(t, "exit code", e.inspect(t, name, ".State.ExitCode"), "137")
			if _, err := os.Stat(report); err != nil {
				t.Error("the monitor saw no OOM kill: ", err)
			}
		}},
		{"stop time-out while paused", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			e.do("pause", name).must(t)
			e.do("rm", "-f", "-t", "1", name).must(t)
			if d := e.do("inspect", name); d.code == 0 {
				t.Error("it is still known")
			}
		}},
	}
}

// podmanUsers: user namespaces.
func podmanUsers() []row {
	return []row{
		{"uidmap", func(t *testing.T, e *engine) {
			name := e.sleeper(t, flags("--uidmap 0:100000:5000 --gidmap 0:200000:6000")...)
			equal(t, "uid_map", strings.Join(strings.Fields(e.proc(t, name, "uid_map")), " "), "0 100000 5000")
			equal(t, "gid_map", strings.Join(strings.Fields(e.proc(t, name, "gid_map")), " "), "0 200000 6000")
			equal(t, "id", e.do("exec", name, "id", "-u").must(t), "0")
			equal(t, "owner of /etc", e.do("exec", name, "stat", "-c", "%u:%g", "/etc").must(t), "0:0")
		}},
		{"userns auto", func(t *testing.T, e *engine) {
			name := e.sleeper(t, flags("--userns auto:size=4000")...)
			fields := strings.Fields(e.proc(t, name, "uid_map"))
			if len(fields) != 3 || fields[0] != "0" || fields[1] == "0" || fields[2] != "4000" {
				t.Errorf("uid_map: %q", fields)
			}
			equal(t, "exec", e.do("exec", "--user", "joe", name, "id", "-u").must(t), "1000")
		}},
		{"userns keep-id", func(t *testing.T, e *engine) {
			sh := "id -u; id -g; touch /mnt/mine"
			dir := e.shared(t)
			id := fmt.Sprint(manUser)
			equal(t, "ids", e.shell([]string{"--userns", "keep-id", "-v", dir + ":/mnt"}, sh).must(t), id+"\n"+id)
			equal(t, "owner", command(e.env, nil, "stat", "-c", "%u", dir+"/mine").must(t), id)
		}},
	}
}

// pods: containers with shared namespaces.
func pods() []row {
	return []row{
		{"pod", func(t *testing.T, e *engine) {
			pod := e.pod(t, "--share", "net,ipc,uts")
			a, b := e.sleeper(t, "--pod", pod), e.sleeper(t, "--pod", pod)
			for _, kind := range []string{"net", "ipc", "uts"} {
				equal(t, kind, e.nsOf(t, a, kind), e.nsOf(t, b, kind))
			}
			for _, kind := range []string{"pid", "mnt"} {
				if e.nsOf(t, a, kind) == e.nsOf(t, b, kind) {
					t.Errorf("they share %s", kind)
				}
			}
			e.do("pod", "stop", "-t", "5", pod).must(t)
			e.becomes(t, a, ".State.Status", "exited")
			e.do("pod", "start", pod).must(t)
			e.becomes(t, b, ".State.Status", "running")
		}},
		{"pod with one pid namespace", func(t *testing.T, e *engine) {
			pod := e.pod(t, "--share", "pid,net")
			a, b := e.sleeper(t, "--pod", pod), e.box(t, []string{"--pod", pod}, "sleep", "4321")
			equal(t, "pid", e.nsOf(t, a, "pid"), e.nsOf(t, b, "pid"))
			e.do("exec", a, "ps").says(t, "sleep 4321")
			e.do("rm", "-f", b).must(t)
			if ps := e.do("exec", a, "ps").must(t); strings.Contains(ps, "sleep 4321") {
				t.Errorf("the other one's process is there: %s", ps)
			}
		}},
		{"pod pause", func(t *testing.T, e *engine) {
			pod := e.pod(t)
			a := e.sleeper(t, "--pod", pod)
			e.do("pod", "pause", pod).must(t)
			equal(t, "freezer.state", e.limit(t, a, "freezer/freezer.state"), "FROZEN")
			e.do("pod", "unpause", pod).must(t)
			e.do("exec", a, "true").must(t)
		}},
	}
}

// pod makes one that is gone after the row.
func (e *engine) pod(t *testing.T, own ...string) string {
	t.Helper()
	name := e.fresh()
	t.Cleanup(func() { e.do("pod", "rm", "-f", name) })
	args := append([]string{"pod", "create", "--name", name, "--network", "none"}, own...)
	if i := slices.Index(e.flags, "--cgroup-parent"); i >= 0 {
		args = append(args, e.flags[i:i+2]...)
	}
	e.do(args...).must(t)
	return name
}

// manUser is the uid of the user who runs podman without root.
const manUser = 4711

// addUsers writes the users' names and subordinate ids into the tests' own /etc: a user
// without privileges, and the name that podman's --userns auto takes its ranges from.
func addUsers(t *testing.T, home string) {
	t.Helper()
	for file, lines := range map[string]string{
		"passwd": fmt.Sprintf("rtmgr:x:%d:%d::%s:/bin/sh\n", manUser, manUser, home),
		"group":  fmt.Sprintf("rtmgr:x:%d:\n", manUser),
		"subuid": "rtmgr:300000:65536\ncontainers:1000000:1000000\n",
		"subgid": "rtmgr:300000:65536\ncontainers:1000000:1000000\n",
	} {
		path := "/etc/" + file
		before, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		var kept strings.Builder
		for line := range strings.Lines(string(before)) {
			if !strings.HasPrefix(line, "rtmgr:") && !strings.HasPrefix(line, "containers:") {
				kept.WriteString(line)
			}
		}
		if err := os.WriteFile(path, []byte(kept.String()+lines), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
