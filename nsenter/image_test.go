package nsenter

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// runHelper runs this test binary again, in helper.
func runHelper(t *testing.T, job string, out io.Writer) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "RT_NSENTER_HELPER="+job)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.ExtraFiles = []*os.File{os.Stderr} // fd 3
	if job == "noexec" {
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWPID | unix.CLONE_NEWNS
	}
	if job == "unprivileged" {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", job, err, stderr.Bytes())
	}
}

func helper(job string) {
	var err error
	switch job {
	case "dispositions":
		err = helpDispositions()
	case "stray":
		err = helpStray()
	case "noexec":
		err = helpNoexec()
	case "unprivileged":
		err = helpUnprivileged()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// spawn is for helpers: the init has their standard streams.
func spawn(p *plan.Plan) (*Child, error) {
	c, err := Spawn(Start{Preserve: p.Preserve})
	if err == nil {
		err = c.Do(p, nil, 0)
	}
	return c, err
}

// helpDispositions ignores SIGPIPE and blocks two signals before it spawns.
func helpDispositions() error {
	return onThread(func() error {
		ignore := [4]uint64{1} // SIG_IGN
		for _, n := range []uintptr{uintptr(unix.SIGPIPE), uintptr(unix.SIGUSR1)} {
			if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, n, addr(&ignore), 0, 8, 0, 0); errno != 0 {
				return errno
			}
		}
		block := unix.Sigset_t{}
		block.Val[0] = 1<<(unix.SIGUSR2-1) | 1<<(unix.SIGTERM-1)
		if err := unix.PthreadSigmask(unix.SIG_BLOCK, &block, nil); err != nil {
			return err
		}
		b := &plan.Builder{Plan: plan.Plan{Args: []string{"sed", "-n", "/^Sig[BIC]/p", "/proc/self/status"}}}
		b.Find("", "/bin/sed")
		b.Exec("sed")
		c, err := spawn(&b.Plan)
		if err == nil {
			_, err = c.Wait()
		}
		return err
	})
}

// TestImage: /proc/PID/exe of the init is a memory file that nothing can change (CVE-2019-5736).
func TestImage(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.stop()
	p := w.run()
	p.called()
	target, _ := os.Readlink(p.path("exe"))
	equal(t, "exe", target, "/memfd:rt-init (deleted)")
	unwritable(t, p, unix.ETXTBSY)
	fd, err := unix.Open(p.path("exe"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	got, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	equal(t, "error", err, nil)
	equal(t, "seals", got, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	// What is left after the init's end cannot be written either.
	unix.PidfdSendSignal(p.Pidfd, unix.SIGKILL, nil, 0)
	p.wait()
	again, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = unix.Write(again, []byte("x"))
		unix.Close(again)
	}
	equal(t, "write after the end", err, error(unix.EPERM))
}

func unwritable(t *testing.T, p *probe, want error) {
	t.Helper()
	fd, err := unix.Open(p.path("exe"), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	equal(t, "open for writing", err, want)
}

// TestImageWithoutMemfd: where memory files may not be executed (vm.memfd_noexec=2, which
// counts for one pid namespace), the init is a file of a tmpfs that is mounted nowhere.
func TestImageWithoutMemfd(t *testing.T) {
	needRoot(t)
	if _, err := os.Stat("/proc/sys/vm/memfd_noexec"); err != nil {
		t.Skip("this kernel has no vm.memfd_noexec")
	}
	var out bytes.Buffer
	runHelper(t, "noexec", &out)
	equal(t, "output", out.String(), "memfd: permission denied\nexe: /rt-init\nwrite: text file busy\nran\nafter: read-only file system\n")
	raw, _ := os.ReadFile("/proc/sys/vm/memfd_noexec")
	equal(t, "the host's setting", strings.TrimSpace(string(raw)), "0")
}

// helpNoexec is PID 1 of its own namespace.
func helpNoexec() error {
	if os.Getpid() != 1 {
		return fmt.Errorf("pid %d: this is not a pid namespace of our own", os.Getpid())
	}
	for _, err := range []error{
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("proc", "/proc", "proc", 0, ""),
		os.WriteFile("/proc/sys/vm/memfd_noexec", []byte("2"), 0o600),
	} {
		if err != nil {
			return err
		}
	}
	_, err := unix.MemfdCreate("x", unix.MFD_EXEC)
	fmt.Println("memfd:", err)
	b := &plan.Builder{Plan: plan.Plan{Args: []string{"echo", "ran"}}}
	b.Find("", "/bin/echo")
	b.Call(plan.CallReady, 0, plan.SlotNone, plan.SlotNone)
	b.Exec("echo")
	c, err := spawn(&b.Plan)
	if err != nil {
		return err
	}
	if _, _, err := c.Recv(); err != nil {
		return err
	}
	exe := fmt.Sprintf("/proc/%d/exe", c.Pid)
	target, _ := os.Readlink(exe)
	fmt.Println("exe:", target)
	_, err = unix.Open(exe, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	fmt.Println("write:", err)
	fd, err := unix.Open(exe, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	c.Done("")
	if _, err = c.Wait(); err != nil {
		return err
	}
	_, err = unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	fmt.Println("after:", err)
	return nil
}

// TestNotDumpable: nobody but the host's root looks into the init or attaches to it, not
// even the same user (CVE-2016-9962).
func TestNotDumpable(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.Number(plan.KindGid, 1000)
	w.Number(plan.KindUid, 1000)
	w.stop()
	p := w.run()
	p.called()
	var st unix.Stat_t
	unix.Stat(p.path("fd"), &st)
	equal(t, "owner of /proc/PID/fd", st.Uid, 0)
	equal(t, "attach to the init", attach(p.Pid), error(unix.EPERM))

	// The same attack on an ordinary process of that user works.
	cmd := exec.Command("/bin/sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	equal(t, "attach to another process", attach(cmd.Process.Pid), nil)
}

// TestNotDumpableAtFirst: it is so before any step, and whoever starts it.
func TestNotDumpableAtFirst(t *testing.T) {
	needRoot(t)
	var out bytes.Buffer
	runHelper(t, "unprivileged", &out)
	equal(t, "owners of /proc/self and of the init's", out.String(), "1000 0\n")
}

func helpUnprivileged() error {
	b := &plan.Builder{Plan: plan.Plan{Args: []string{""}}}
	b.Call(plan.CallReady, 0, plan.SlotNone, plan.SlotNone)
	c, err := spawn(&b.Plan)
	if err != nil {
		return err
	}
	defer c.Kill()
	if _, _, err := c.Recv(); err != nil {
		return err
	}
	var own, theirs unix.Stat_t
	unix.Stat("/proc/self/fd", &own)
	unix.Stat(fmt.Sprintf("/proc/%d/fd", c.Pid), &theirs)
	fmt.Println(own.Uid, theirs.Uid)
	return nil
}

// attach tries ptrace(2) as the user 1000.
func attach(pid int) error {
	return onThread(func() error {
		for _, call := range []uintptr{unix.SYS_SETRESGID, unix.SYS_SETRESUID} {
			if _, _, errno := unix.RawSyscall(call, 1000, 1000, 1000); errno != 0 {
				return errno
			}
		}
		return unix.PtraceAttach(pid)
	})
}

// TestSmall: what waits between create and start holds a few pages.
func TestSmall(t *testing.T) {
	needRoot(t)
	w := newWorld(t)
	w.stop()
	p := w.run()
	p.called()
	var kib int
	fmt.Sscanf(p.status("VmRSS"), "%d kB", &kib)
	t.Logf("resident: %d KiB", kib)
	if kib > 64 {
		t.Errorf("%d KiB are resident", kib)
	}
	for line := range strings.Lines(p.proc("maps")) {
		if mode := strings.Fields(line)[1]; mode[1] == 'w' && mode[2] == 'x' {
			t.Errorf("writable and executable: %s", line)
		}
	}
}

// TestSegments: neither architecture's init has a part that can be both written and executed.
func TestSegments(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		f, err := elf.Open("bin/init-" + arch)
		if os.IsNotExist(err) {
			t.Logf("init-%s is not built", arch)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		loads := 0
		for _, p := range f.Progs {
			if p.Type != elf.PT_LOAD && p.Type != elf.PT_GNU_STACK {
				continue
			}
			loads++
			if p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0 || p.Filesz > 64<<10 {
				t.Errorf("init-%s: %s %s, %d bytes", arch, p.Type, p.Flags, p.Filesz)
			}
		}
		if loads < 2 {
			t.Errorf("init-%s has %d segments", arch, loads)
		}
		f.Close()
	}
}
