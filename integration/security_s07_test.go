package integration

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestS07: the container gets hold of the program that set it up, and writes to it
// (CVE-2019-5736). It is a memory file that nothing can change; the host's file is another.
// nsenter's TestImage looks at its seals, TestImageWithoutMemfd at what stands for it.
func TestS07(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	needRoot(t)
	before := fingerprint(t, it.bin)
	defer func() {
		if now := fingerprint(t, it.bin); now != before {
			t.Errorf("%s was %s, is %s", it.bin, before, now)
		}
	}()
	runRows(t, []row{
		{name: "the entrypoint is the init", edit: args("/proc/self/exe"), code: 125},
		{name: "with the init's own arguments", edit: args("/proc/self/exe", "0", "0"), code: 125},
		{name: "the entrypoint is its script", prep: exe("rootfs/script", "#!/proc/self/exe\n"), made: "/script", edit: args("/script"), code: 125},
		{name: "its script, with arguments", prep: exe("rootfs/script", "#!/proc/self/exe 3\n"), made: "/script", edit: args("/script", "0"), code: 125},
		{name: "the init is the interpreter", prep: interpreted, made: "/dynamic", edit: args("/dynamic"), code: 125},
		{name: "libraries of the image", prep: preload, edit: edits(args("/bin/true"), env("LD_PRELOAD=/evil.so", "LD_LIBRARY_PATH=/"))},
	})
	runScenes(t, []scene{
		{name: "exec", play: execItself},
		{name: "write to the init of a created container", play: overwriteInit},
		{name: "nothing is mapped into it but itself", play: loneProgram},
	})
}

func fingerprint(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	info, err := os.Stat(path)
	must(t, err)
	return fmt.Sprintf("%x, %v", sha256.Sum256(b), info.ModTime())
}

// interpreted is a dynamic program of the host that asks for the init as its loader.
func interpreted(c *container) {
	b, err := os.ReadFile("/bin/true")
	must(c.t, err)
	const loader = "/lib64/ld-linux-x86-64.so.2\x00"
	if !bytes.Contains(b, []byte(loader)) {
		skip(c.t, "/bin/true has another loader")
	}
	evil := "/proc/self/exe" + strings.Repeat("\x00", len(loader)-len("/proc/self/exe"))
	c.put("dynamic", string(bytes.Replace(b, []byte(loader), []byte(evil), 1)), 0o755)
}

func preload(c *container) {
	c.put("evil.so", "not a library: a loader that looks at it complains", 0o755)
	c.put("etc/ld.so.preload", "/evil.so\n", 0o644)
}

func execItself(t *testing.T) {
	c := newContainer(t, args("sleep", "300"))
	c.put("script", "#!/proc/self/exe\n", 0o755)
	c.create().must(t)
	for _, program := range []string{"/proc/self/exe", "/script", "/proc/1/exe"} {
		r := c.exec(nil, program)
		if r.code == 0 || crashed(r) {
			t.Error(r)
		}
	}
	c.delete("--force").must(t)
}

func tracing(s *specs.Spec) {
	caps := append(defaultCaps(), "CAP_SYS_PTRACE")
	s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps}
}

// overwriteInit: with CAP_SYS_PTRACE the attacker can open the waiting init's program. Neither
// while it runs nor when all that ran it is gone can it be written to.
func overwriteInit(t *testing.T) {
	c := newContainer(t, args("sleep", "300"), tracing)
	c.adopt(program(t, "attacker", "CGO_ENABLED=0"))
	c.create().must(t)
	e := &enemy{c: c}
	e.begin(t, c.command("exec", c.id, "/attacker", "overwrite", "1"))
	e.r.until(t, "the first try", func() bool { return strings.Contains(e.r.printed(), "seal:") })
	c.start().must(t)
	until(t, "the workload", func() bool { return !strings.HasPrefix(exeOf(c.state().Pid), "/memfd:") })
	out := e.stop(t)
	const tries = "opened /memfd:rt-init (deleted)\nwrite: ETXTBSY\ngrow: ETXTBSY\nmap: ETXTBSY\nseal: EPERM\nwrite: EPERM\ngrow: EPERM\nmap: EPERM\nseal: EPERM\n"
	if out != "ready\n"+tries {
		t.Errorf("got\n%s\nwant\n%s", out, tries)
	}
	c.delete("--force").must(t)
}

func exeOf(pid int) string {
	target, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return target
}

// loneProgram: no loader, no library, no environment that one would heed.
func loneProgram(t *testing.T) {
	c := newContainer(t, args("sleep", "300"), env("LD_PRELOAD=/evil.so"))
	preload(c)
	c.create().must(t)
	pid := c.state().Pid
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	must(t, err)
	for _, line := range strings.Split(string(maps), "\n") {
		if f := strings.Fields(line); len(f) > 5 && f[5][0] == '/' && !strings.HasPrefix(f[5], "/memfd:rt-") {
			t.Errorf("mapped: %s", line)
		}
	}
	if environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); len(environ) > 0 {
		t.Errorf("environment: %q", environ)
	}
	c.delete("--force").must(t)
}
