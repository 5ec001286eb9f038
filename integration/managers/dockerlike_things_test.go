//go:build managers

package managers

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// limiting: limits, read back from the kernel's files.
func limiting() []row {
	return []row{
		{"memory", limited("--memory 24m --memory-swap 24m --memory-reservation 12m", "memory/memory.limit_in_bytes", "25165824", "memory/memory.soft_limit_in_bytes", "12582912")},
		{"cpu", limited("--cpu-shares 512 --cpu-period 50000 --cpu-quota 20000", "cpu/cpu.shares", "512", "cpu/cpu.cfs_period_us", "50000", "cpu/cpu.cfs_quota_us", "20000")},
		{"cpus", limited("--cpus 0.5", "cpu/cpu.cfs_quota_us", "50000")},
		{"cpuset", limited("--cpuset-cpus 1 --cpuset-mems 0", "cpuset/cpuset.cpus", "1", "cpuset/cpuset.mems", "0")},
		{"pids", limited("--pids-limit 33", "pids/pids.max", "33")},
		{"update memory", func(t *testing.T, e *engine) {
			name := e.sleeper(t, flags("--memory 24m --memory-swap 24m")...)
			e.do("update", "--memory", "40m", "--memory-swap", "40m", name).must(t)
			equal(t, "limit", e.limit(t, name, "memory/memory.limit_in_bytes"), "41943040")
			equal(t, "status", e.inspect(t, name, ".State.Status"), "running")
		}},
		{"update cpu", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			e.do("update", "--cpu-shares", "700", "--cpuset-cpus", "0", "--cpu-period", "40000", "--cpu-quota", "10000", name).must(t)
			equal(t, "shares", e.limit(t, name, "cpu/cpu.shares"), "700")
			equal(t, "cpus", e.limit(t, name, "cpuset/cpuset.cpus"), "0")
			equal(t, "quota", e.limit(t, name, "cpu/cpu.cfs_quota_us"), "10000")
		}},
		{"update pids", func(t *testing.T, e *engine) {
			name := e.sleeper(t, flags("--pids-limit 33")...)
			e.do("update", e.pids, "44", name).must(t)
			equal(t, "limit", e.limit(t, name, "pids/pids.max"), "44")
		}},
		{"OOM kill", func(t *testing.T, e *engine) {
			// The shell outlives it: if PID 1 dies the monitor may see its end before the event.
			name := e.box(t, flags("--memory 16m --memory-swap 16m"), "sh", "-c", "tail /dev/zero; code=$?; sleep 0.5; exit $code")
			e.becomes(t, name, ".State.Status", "exited")
			equal(t, "exit code", e.inspect(t, name, ".State.ExitCode"), "137")
			equal(t, "OOMKilled", e.inspect(t, name, ".State.OOMKilled"), "true")
		}},
		{"pause, unpause", paused},
	}
}

// limited starts a container and compares files of its cgroup: name, value, name, value.
func limited(own string, files ...string) func(*testing.T, *engine) {
	return func(t *testing.T, e *engine) {
		name := e.sleeper(t, flags(own)...)
		for i := 0; i < len(files); i += 2 {
			equal(t, files[i], e.limit(t, name, files[i]), files[i+1])
		}
	}
}

func paused(t *testing.T, e *engine) {
	name := e.box(t, nil, "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/tmp/i; done")
	counter := "root/tmp/i"
	eventually(t, 5*time.Second, "it counts", func() (string, bool) { return "", e.proc(t, name, counter) != "" })
	e.do("pause", name).must(t)
	equal(t, "status", e.inspect(t, name, ".State.Status"), "paused")
	equal(t, "freezer.state", e.limit(t, name, "freezer/freezer.state"), "FROZEN")
	before := e.proc(t, name, counter)
	time.Sleep(200 * time.Millisecond)
	equal(t, "the counter, later", e.proc(t, name, counter), before)
	e.do("unpause", name).must(t)
	equal(t, "status", e.inspect(t, name, ".State.Status"), "running")
	eventually(t, 5*time.Second, "it counts on", func() (string, bool) { return before, e.proc(t, name, counter) != before })
}

// watching: what a manager tells about a container.
func watching() []row {
	return []row{
		{"logs", func(t *testing.T, e *engine) {
			name := e.box(t, nil, "sh", "-c", "echo one; echo two >&2; sleep 0.3; echo three")
			d := e.do("logs", "-f", name)
			equal(t, "stdout", d.must(t), "one\nthree")
			equal(t, "stderr", d.stderr, "two\n")
		}},
		{"stats", func(t *testing.T, e *engine) {
			name := e.sleeper(t, flags("--memory 32m --memory-swap 32m")...)
			got := e.do("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.PIDs}}", name).must(t)
			words := strings.Fields(got)
			if len(words) < 5 || words[0] != name || strings.HasPrefix(words[1], "0") || !strings.HasPrefix(words[3], "3") || words[len(words)-1] == "0" {
				t.Errorf("stats: %q", got)
			}
		}},
		{"top", func(t *testing.T, e *engine) {
			e.do("top", e.box(t, nil, "sleep", "1234")).says(t, "sleep 1234").must(t)
		}},
		{"ps", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			equal(t, "ps", e.do("ps", "-q", "--no-trunc", "--filter", "name="+name, "--filter", "status=running").must(t), e.inspect(t, name, ".Id"))
		}},
		{"health check", func(t *testing.T, e *engine) {
			name := e.box(t, []string{"--health-cmd", "test -e /tmp/well", "--health-interval", "1s", "--health-retries", "1"}, "sh", "-c", "sleep 1000")
			check := func(want string) {
				t.Helper()
				eventually(t, 20*time.Second, "health becomes "+want, func() (string, bool) {
					if e.health != nil {
						e.do(append(e.health, name)...)
					}
					now := e.do("inspect", "-f", "{{.State.Health.Status}}", name)
					return now.stdout + now.stderr, now.stdout == want+"\n"
				})
			}
			check("unhealthy")
			e.do("exec", name, "touch", "/tmp/well").must(t)
			check("healthy")
		}},
	}
}

// changing: a container's files from outside.
func changing() []row {
	return []row{
		{"cp", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			in := e.save(t, name, "carried\n", 0o644)
			e.do("cp", in, name+":/mnt/file").must(t)
			equal(t, "in", e.do("exec", name, "cat", "/mnt/file").must(t), "carried")
			e.do("cp", name+":/mnt/file", in+".back").must(t)
			equal(t, "out", read(t, in+".back"), "carried")
		}},
		{"diff", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			e.do("exec", name, "sh", "-c", "touch /mnt/new; rm /bin/noexec").must(t)
			d := e.do("diff", name)
			d.must(t)
			d.says(t, "A /mnt/new").says(t, "D /bin/noexec")
			for _, runtimes := range []string{"/proc", "/sys"} {
				if strings.Contains(d.stdout, " "+runtimes) {
					t.Errorf("diff has %s: %s", runtimes, d.stdout)
				}
			}
		}},
		{"commit", func(t *testing.T, e *engine) {
			name := e.sleeper(t)
			e.do("exec", name, "sh", "-c", "echo kept >/mnt/new").must(t)
			image := strings.ToLower(name) + ":x"
			e.do("commit", name, image).must(t)
			t.Cleanup(func() { e.do("rmi", image) })
			equal(t, "its file", e.do("run", "--rm", "--network", "none", image, "cat", "/mnt/new").must(t), "kept")
		}},
	}
}

// mounting: volumes.
func mounting() []row {
	return []row{
		{"volume rw and ro", func(t *testing.T, e *engine) {
			dir := e.shared(t)
			sh := "echo x >/mnt/rw && cat /mnt/rw"
			equal(t, "rw", e.shell([]string{"-v", dir + ":/mnt:rw"}, sh).must(t), "x")
			equal(t, "the host's file", read(t, dir+"/rw"), "x")
			e.shell([]string{"-v", dir + ":/mnt:ro"}, sh).says(t, "Read-only file system").exits(t, 1)
		}},
		{"volume of one file", func(t *testing.T, e *engine) {
			file := e.save(t, e.fresh(), "one file\n", 0o644)
			equal(t, "stdout", e.shell([]string{"-v", file + ":/mnt/made/here:ro"}, "cat /mnt/made/here").must(t), "one file")
		}},
		{"named volume, copy-up", func(t *testing.T, e *engine) {
			v := e.fresh()
			t.Cleanup(func() { e.do("volume", "rm", "-f", v) })
			own := []string{"-v", v + ":/var/data"}
			equal(t, "first", e.shell(own, "cat /var/data/seed; stat -c %a /var/data/seed; echo more >/var/data/more").must(t), "of the image\n640")
			equal(t, "second", e.shell(own, "cat /var/data/more").must(t), "more")
		}},
		{"propagation rshared", propagated("rshared", true, true)},
		{"propagation rslave", propagated("rslave", true, false)},
		{"propagation rprivate", propagated("rprivate", false, false)},
	}
}

// shared is a directory of the host that containers may write to.
func (e *engine) shared(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(e.dir, e.fresh())
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// propagated: is a mount that the host makes after the start seen in the container, and one
// that the container makes on the host?
func propagated(mode string, in, out bool) func(*testing.T, *engine) {
	return func(t *testing.T, e *engine) {
		dir := e.shared(t)
		for _, d := range []string{"/in", "/out"} {
			if err := os.Mkdir(dir+d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		name := e.sleeper(t, "--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined", "-v", dir+":/mnt:"+mode)
		if err := unix.Mount("tmpfs", dir+"/in", "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Unmount(dir+"/in", unix.MNT_DETACH) })
		seen := e.do("exec", name, "stat", "-fc", "%T", "/mnt/in").must(t) == "tmpfs"
		if seen != in {
			t.Errorf("the host's mount is seen in the container: %v, want %v", seen, in)
		}
		e.do("exec", name, "mount", "-t", "tmpfs", "tmpfs", "/mnt/out").must(t)
		seen = command(e.env, nil, "stat", "-fc", "%T", dir+"/out").must(t) == "tmpfs"
		t.Cleanup(func() { unix.Unmount(dir+"/out", unix.MNT_DETACH) })
		if seen != out {
			t.Errorf("the container's mount is seen on the host: %v, want %v", seen, out)
		}
	}
}

// networking: networks that others make.
func networking() []row {
	return []row{
		{"network host", func(t *testing.T, e *engine) {
			equal(t, "links", e.shell(flags("--network host"), "readlink /proc/self/ns/net").must(t), link(t, "/proc/self/ns/net"))
		}},
		{"network bridge", func(t *testing.T, e *engine) {
			name := e.box(t, flags("--network bridge -p 127.0.0.1:18080:80"), "nc", "-ll", "-p", "80", "-e", "echo", "from inside")
			address := e.do("exec", name, "sh", "-c", "ip -4 -o addr show eth0 | awk '{print $4}'").must(t)
			ip, _, _ := strings.Cut(address, "/")
			if e.owner == 0 { // the bridge of another user is in a namespace of theirs
				e.answers(t, ip+":80", "from inside")
			}
			e.answers(t, "127.0.0.1:18080", "from inside")
		}},
	}
}

// answers dials until somebody says want.
func (e *engine) answers(t *testing.T, address, want string) {
	t.Helper()
	eventually(t, 10*time.Second, address+" answers", func() (string, bool) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return err.Error(), false
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Second))
		line, _ := bufio.NewReader(conn).ReadString('\n')
		return line, line == want+"\n"
	})
}

func link(t *testing.T, path string) string {
	t.Helper()
	to, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// joining: namespaces of the host and of other containers.
func joining() []row {
	return []row{
		{"pid host", hostNamespace("pid", "--pid host")},
		{"ipc host", hostNamespace("ipc", "--ipc host")},
		{"uts host", hostNamespace("uts", "--uts host")},
		{"pid of a container", otherNamespace("pid", "--ipc private", "--pid container:")},
		{"ipc of a container", otherNamespace("ipc", "--ipc shareable", "--ipc container:")},
		{"network of a container", otherNamespace("net", "--ipc private", "--network container:")},
	}
}

func hostNamespace(kind, own string) func(*testing.T, *engine) {
	return func(t *testing.T, e *engine) {
		name := e.sleeper(t, flags(own)...)
		equal(t, kind, e.nsOf(t, name, kind), link(t, "/proc/self/ns/"+kind))
		e.do("stop", name).must(t) // with the host's PID namespace nobody dies with PID 1
		e.becomes(t, name, ".State.Status", "exited")
	}
}

func otherNamespace(kind, its, own string) func(*testing.T, *engine) {
	return func(t *testing.T, e *engine) {
		first := e.sleeper(t, flags(its)...)
		second := e.sleeper(t, flags(own+first)...)
		equal(t, kind, e.nsOf(t, second, kind), e.nsOf(t, first, kind))
		e.do("rm", "-f", second).must(t)
		e.do("exec", first, "true").must(t)
	}
}

// nsOf is a namespace of a container.
func (e *engine) nsOf(t *testing.T, name, kind string) string {
	t.Helper()
	return link(t, "/proc/"+e.inspect(t, name, ".State.Pid")+"/ns/"+kind)
}
