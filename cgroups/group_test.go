package cgroups

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

func TestPids(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		g := create(t, testPath(t, host), nil, host)
		sub := nested(t, g, "sub")
		var want []int
		for _, in := range []Group{g, nested(t, sub, "x"), g, sub} {
			cmd, _ := process(t, in, "read x; exec sleep 1000")
			want = append(want, cmd.Process.Pid)
		}
		slices.Sort(want)
		if got, err := g.Pids(); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v %v, want %v", got, err, want)
		}
		check(t, g.Kill(enough))
		check(t, g.Destroy(enough))
		if got, err := g.Pids(); err != nil || len(got) != 0 {
			t.Errorf("of a group that is gone: %v %v", got, err)
		}
	})
}

func TestKill(t *testing.T) {
	rows := []struct {
		name  string
		setup func(t *testing.T, g Group)
	}{
		{"empty", func(t *testing.T, g Group) {}},
		{"one", func(t *testing.T, g Group) { sleeper(t, g) }},
		{"deaf", func(t *testing.T, g Group) { process(t, g, "trap '' TERM INT HUP; while :; do sleep 1000; done") }},
		{"sub-groups", func(t *testing.T, g Group) { sleeper(t, g); sleeper(t, nested(t, nested(t, g, "a"), "b")) }},
		{"frozen", func(t *testing.T, g Group) { sleeper(t, g); check(t, g.Freeze()) }},
		{"frozen sub-group", func(t *testing.T, g Group) {
			sub := nested(t, g, "a")
			sleeper(t, sub)
			check(t, sub.Freeze())
		}},
	}
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		for _, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				g := create(t, testPath(t, host), nil, host)
				r.setup(t, g)
				check(t, g.Kill(enough))
				if pids, err := g.Pids(); err != nil || len(pids) > 0 {
					t.Errorf("left: %v %v", pids, err)
				}
				check(t, g.Destroy(enough))
				if left := present(g); len(left) > 0 {
					t.Errorf("left: %v", left)
				}
				check(t, g.Kill(enough)) // gone is fine
			})
		}
	})
}

func sleeper(t *testing.T, g Group) *exec.Cmd {
	cmd, out := process(t, g, "echo up; exec sleep 1000")
	out.ReadString('\n')
	return cmd
}

// bomb writes a program that forks and exits, in parent and child over and over, so that no
// list of pids is right for long. A shell is too slow for that.
func bomb(t *testing.T) string {
	if runtime.GOARCH != "amd64" {
		t.Skip("the bomb is machine code for amd64")
	}
	code := []byte{
		0x41, 0xbc, 0x50, 0xc3, 0, 0, // r12 = 50000: it ends by itself when nobody kills it
		0x41, 0xff, 0xcc, 0x74, 0x0b, // again: exit when --r12 is 0
		0xb8, 57, 0, 0, 0, 0x0f, 0x05, // fork()
		0x85, 0xc0, 0x7e, 0xf0, // the child, or the limit is reached: goto again
		0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05, // exit(0)
	}
	const base, headers = 0x400000, 64 + 56
	size := uint64(headers + len(code))
	var file bytes.Buffer
	check(t, binary.Write(&file, binary.LittleEndian, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1,
		Entry: base + headers, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}))
	check(t, binary.Write(&file, binary.LittleEndian, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: base, Paddr: base, Filesz: size, Memsz: size, Align: 4096,
	}))
	name := filepath.Join(t.TempDir(), "bomb")
	check(t, os.WriteFile(name, append(file.Bytes(), code...), 0o755))
	return name
}

func TestForkBomb(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		real, err := kernel.ReadCgroups()
		check(t, err)
		if host.Version == 2 && real.Version == 2 {
			host = real // with its pids controller
		}
		needs(t, host, "pids")
		program := bomb(t)
		for i := range 3 {
			g := create(t, testPath(t, host)+fmt.Sprint(i), parse(t, `{"pids":{"limit":2000}}`), host)
			_, out := process(t, g, "for i in 1 2 3 4 5 6 7 8; do "+program+" > /dev/null & done; echo up")
			out.ReadString('\n')
			time.Sleep(20 * time.Millisecond)
			pids, _ := g.Pids()
			if len(pids) == 0 {
				t.Fatal("the bomb has gone out")
			}
			start := time.Now()
			check(t, g.Kill(enough))
			t.Log(len(pids), "processes killed in", time.Since(start))
			if pids, err := g.Pids(); err != nil || len(pids) > 0 {
				t.Errorf("left: %v %v", pids, err)
			}
			check(t, g.Destroy(enough))
		}
	})
}

// SIGKILL as a signal is not waited for, but nothing escapes it.
func TestSignalKill(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		g := create(t, testPath(t, host), nil, host)
		sleeper(t, nested(t, g, "sub"))
		process(t, g, "while :; do sh -c :; done")
		check(t, g.Freeze())
		check(t, g.Signal(unix.SIGKILL))
		waitFor(t, "the group is empty", func() bool { pids, _ := g.Pids(); return len(pids) == 0 })
	})
}

func TestSignal(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		g := create(t, testPath(t, host), nil, host)
		var outs []*bufio.Reader
		for _, in := range []Group{g, nested(t, g, "sub")} {
			_, out := process(t, in, "trap 'echo usr1; exit' USR1; echo up; while :; do sleep 0.01; done")
			out.ReadString('\n')
			outs = append(outs, out)
		}
		check(t, g.Signal(unix.SIGUSR1))
		for _, out := range outs {
			if got, _ := out.ReadString('\n'); got != "usr1\n" {
				t.Errorf("got %q", got)
			}
		}
	})
}

func TestFreeze(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		g := create(t, testPath(t, host), nil, host)
		sub := nested(t, g, "sub")
		for range 8 {
			sleeper(t, g) // takes a while to freeze
		}
		// A file, since lines in a pipe may be read long after they were written.
		ticks := filepath.Join(t.TempDir(), "ticks")
		process(t, sub, "exec >"+ticks+"; while :; do echo tick; sleep 0.001; done")
		waitFor(t, "the first tick", func() bool { return size(ticks) > 0 })
		frozen(t, g, false)
		check(t, g.Freeze())
		stopped(t, g)
		frozen(t, g, true)
		frozen(t, sub, false) // by its parent only
		before := size(ticks)
		time.Sleep(50 * time.Millisecond)
		if after := size(ticks); after != before {
			t.Errorf("%d bytes while frozen", after-before)
		}
		check(t, g.Thaw())
		frozen(t, g, false)
		waitFor(t, "two more ticks", func() bool { return size(ticks) > before+9 })
	})
}

func size(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}

// stopped says that Freeze has really waited for the processes.
func stopped(t *testing.T, g Group) {
	t.Helper()
	file, want := "/freezer.state", "FROZEN"
	if g.V2 {
		file, want = "/cgroup.events", "populated 1\nfrozen 1"
	}
	if got := get(t, g.dir("freezer")+file); got != want {
		t.Errorf("%s: got %q, want %q", file, got, want)
	}
}

func frozen(t *testing.T, g Group, want bool) {
	t.Helper()
	if got, err := g.Frozen(); err != nil || got != want {
		t.Errorf("frozen: %v %v, want %v", got, err, want)
	}
}

// Destroy kills nothing. It waits for who is about to go, thaws, and names who stays.
func TestDestroy(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		t.Run("waits", func(t *testing.T) {
			g := create(t, testPath(t, host), nil, host)
			_, out := process(t, nested(t, g, "sub"), "echo up; sleep 0.05")
			out.ReadString('\n')
			check(t, g.Destroy(enough))
		})
		t.Run("frozen and killed", func(t *testing.T) {
			g := create(t, testPath(t, host), nil, host)
			cmd := sleeper(t, g)
			check(t, g.Freeze())
			cmd.Process.Kill()
			check(t, g.Destroy(enough))
		})
		t.Run("names what is left", func(t *testing.T) {
			g := create(t, testPath(t, host), nil, host)
			pid := strconv.Itoa(sleeper(t, g).Process.Pid)
			err := g.Destroy(50 * time.Millisecond)
			if errs.KindOf(err) != errs.Timeout || !strings.Contains(err.Error(), pid+" (sleep, ") || !strings.Contains(err.Error(), g.Dirs[0].Path) {
				t.Errorf("got %v", err)
			}
		})
	})
}

// A container can nest groups so deep that their paths are too long for any system call.
func TestDestroyDeep(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		host = oneHierarchy(host)
		g := create(t, testPath(t, host), nil, host)
		name := strings.Repeat("x", 250)
		dir, err := unix.Open(g.Dirs[0].Path, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		check(t, err)
		for range 20 {
			check(t, unix.Mkdirat(dir, name, 0o755))
			check(t, unix.Mkdirat(dir, "beside", 0o755))
			next, err := unix.Openat(dir, name, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			unix.Close(dir)
			check(t, err)
			dir = next
		}
		unix.Close(dir)
		check(t, g.Destroy(enough))
		if g.Exists() {
			t.Error("it is still there")
		}
	})
}

// oneHierarchy keeps a v1 host's freezer alone.
func oneHierarchy(host kernel.Cgroups) kernel.Cgroups {
	host.V1 = slices.DeleteFunc(slices.Clone(host.V1), func(h kernel.Hierarchy) bool { return h.Controllers[0] != "freezer" })
	return host
}

// In v1 a process that is frozen by a group above does not die before that one is thawed.
func TestKillTimeout(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		top := testPath(t, host)
		parent := create(t, top, nil, host)
		g := create(t, top+"/a", nil, host)
		pid := strconv.Itoa(sleeper(t, g).Process.Pid)
		check(t, parent.Freeze())
		err := g.Kill(100 * time.Millisecond)
		if host.Version == 2 {
			check(t, err) // a frozen process dies here
		} else if errs.KindOf(err) != errs.Timeout || !strings.Contains(err.Error(), pid+" (") {
			t.Errorf("got %v", err)
		}
		check(t, parent.Thaw())
	})
}

func TestOOMKilled(t *testing.T) {
	eachHost(t, func(t *testing.T, host kernel.Cgroups) {
		real, err := kernel.ReadCgroups()
		check(t, err)
		if host.Version == 2 && real.Version == 2 {
			host = real
		}
		needs(t, host, "memory")
		g := create(t, testPath(t, host), parse(t, `{"memory":{"limit":4194304,"swap":4194304}}`), host)
		oom(t, g, false)
		cmd, _ := process(t, g, "x=0123456789abcdef; while :; do x=$x$x; done")
		cmd.Wait()
		oom(t, g, true)
		check(t, g.Destroy(enough))
		oom(t, g, false)
	})
}

func oom(t *testing.T, g Group, want bool) {
	t.Helper()
	if got, err := g.OOMKilled(); err != nil || got != want {
		t.Errorf("OOM-killed: %v %v, want %v", got, err, want)
	}
}

func TestNoGroups(t *testing.T) {
	var g Group
	for name, err := range map[string]error{"kill": g.Kill(enough), "signal": g.Signal(unix.SIGTERM), "destroy": g.Destroy(enough)} {
		if err != nil {
			t.Error(name, err)
		}
	}
	if err := g.Freeze(); errs.KindOf(err) != errs.Unsupported {
		t.Error(err)
	}
	frozen(t, g, false)
	oom(t, g, false)
}

func TestMain(m *testing.M) {
	code := m.Run()
	left, _ := filepath.Glob(fmt.Sprintf("/sys/fs/cgroup/*/rt-test-cg-%d-*", os.Getpid()))
	if len(left) > 0 {
		fmt.Println("left behind:", left)
		code = 1
	}
	os.Exit(code)
}
