package integration

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// A profileRow is a manager's profile in a container with or without no_new_privs and CAP_SYS_ADMIN.
type profileRow struct {
	profile string
	nnp     bool
	admin   bool
}

func (r profileRow) name() string {
	name := r.profile
	if r.nnp {
		name += " with no_new_privs"
	}
	return name
}

func (r profileRow) edit(p *specs.LinuxSeccomp) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Process.NoNewPrivileges = r.nnp
		s.Linux.Seccomp = p
		if r.admin {
			caps := append(defaultCaps(), "CAP_SYS_ADMIN")
			s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps}
		}
	}
}

// TestProfiles makes every system call, in all three ABIs, under the profiles that managers
// write, and compares with what the profile says, and with runc.
func TestProfiles(t *testing.T) {
	needAMD64(t)
	free := map[profileRow]results{}
	for _, row := range profileRows(t) {
		t.Run(row.name(), func(t *testing.T) {
			needBinary(t, peers{})
			watch(t)
			key := profileRow{"", row.nnp, row.admin}
			if free[key] == nil {
				free[key] = calling(t, "", row.edit(nil), withArguments)
			}
			row.check(t, free[key])
		})
	}
}

// TestNewerCalls: calls that libseccomp 2.5.4 has no name for are allowed by number, and the
// numbers above them are too new again.
func TestNewerCalls(t *testing.T) {
	needAMD64(t)
	runScenes(t, []scene{{name: "docker's profile with later names", play: allowNewer, peers: peers{runc: differs("its libseccomp does not know them, they are left out")}}})
}

func allowNewer(t *testing.T) {
	p := readProfile(t, "docker")
	names := slices.Collect(maps.Keys(sinceHeaders))
	odd := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return sinceHeaders[n]%2 == 0 })
	p.Syscalls = append(p.Syscalls, specs.LinuxSyscall{Names: odd, Action: specs.ActAllow},
		specs.LinuxSyscall{Names: []string{"openat2", "frobnicate"}, Action: specs.ActAllow})
	row := profileRow{"docker", true, false}
	free, got := calling(t, "", row.edit(nil), nil), calling(t, "", row.edit(p), nil)
	for _, a := range abis {
		j := newJudge(t, p, a)
		if j.newest != 469 || j.errno(468) != 1 || j.errno(470) != enosys {
			t.Errorf("%s: newest %d", a.name, j.newest)
		}
		j.check(t, got, free)
	}
}

func profileRows(t *testing.T) (rows []profileRow) {
	files, err := filepath.Glob(managedData + "/seccomp/*.json")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		admin := strings.Contains(name, "-cap-")
		rows = append(rows, profileRow{name, false, admin})
		if name == "docker" || name == "podman-cap-sysadmin" {
			rows = append(rows, profileRow{name, true, admin})
		}
	}
	return rows
}

// Calls whose arguments decide, in docker's profile.
const (
	socketUnix  = "native:41:1:1"         // AF_UNIX, SOCK_STREAM
	socketVSock = "native:41:40:1"        // AF_VSOCK
	personality = "native:135:0xffffffff" // asks only
	linux32     = "native:135:8"
	cloneUser   = "native:56:0x10000011:0:0:0:0" // CLONE_NEWUSER|SIGCHLD
	clone       = "native:56:0x11:0:0:0:0"       // SIGCHLD
	cloneX86    = "x86:120:0x10000011"
)

var withArguments = []string{socketUnix, socketVSock, personality, linux32, cloneUser, clone, cloneX86}

func (r profileRow) check(t *testing.T, free results) {
	p := readProfile(t, r.profile)
	got := calling(t, "", r.edit(p), withArguments)
	for _, a := range abis {
		if a.name != "native" && free[a.name+" 20"] == "none" {
			skip(t, "needs 32-bit emulation")
		}
		allowed, denied := newJudge(t, p, a).check(t, got, free)
		if allowed < 250 || denied < 100 {
			t.Errorf("%s: %d calls are allowed, %d are not", a.name, allowed, denied)
		}
	}
	if !r.admin && !strings.HasPrefix(r.profile, "podman") { // that one lets clone make user namespaces
		r.checkArguments(t, got)
	}
	r.compare(t, p, got)
}

// checkArguments: what docker's profile and containerd's say to an unprivileged container.
func (r profileRow) checkArguments(t *testing.T, got results) {
	t.Helper()
	for _, row := range []struct {
		call string
		pass bool
	}{{socketUnix, true}, {personality, true}, {linux32, true}, {clone, true}, {cloneUser, false}, {cloneX86, false}} {
		if passed(got[row.call]) != row.pass {
			t.Errorf("%s: %s", row.call, got[row.call])
		}
	}
}

// compare makes the same calls under runc.
func (r profileRow) compare(t *testing.T, p *specs.LinuxSeccomp, got results) {
	t.Helper()
	runc, err := exec.LookPath("runc")
	if it.kind != "rt" || err != nil {
		return
	}
	theirs := calling(t, runc, r.edit(p), withArguments)
	for call, result := range got {
		if newOnX32(call) {
			continue
		}
		if passed(result) != passed(theirs[call]) || !passed(result) && result != theirs[call] {
			t.Errorf("%s: %s, under runc %s", call, result, theirs[call])
		}
	}
}

// newOnX32 are numbers without a call that runc takes for old, and answers with the profile's
// errno: x32 has calls of its own above them.
func newOnX32(call string) bool {
	text, found := strings.CutPrefix(call, "x32 ")
	nr, err := strconv.Atoi(text)
	return found && err == nil && nr > 448 && nr < 512
}
