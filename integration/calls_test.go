package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// results of testdata/calls.c by "ABI NUMBER", as errno (negative), value or "none".
type results map[string]string

// an abi is one of those that a program on amd64 has.
type abi struct {
	name, header string
	ones         uint64 // what of an argument -1 a condition sees; libseccomp takes x32 for 32 bits
}

var abis = []abi{{"native", "unistd_64.h", 1<<64 - 1}, {"x86", "unistd_32.h", 1<<32 - 1}, {"x32", "unistd_x32.h", 1<<32 - 1}}

// sinceHeaders are the calls since Linux 6.5, the same number everywhere (x32 lacks
// map_shadow_stack): Debian 12's headers are older. From include/uapi/asm-generic/unistd.h of Linux 6.18.
var sinceHeaders = map[string]int{
	"cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453, "futex_wake": 454, "futex_wait": 455, "futex_requeue": 456,
	"statmount": 457, "listmount": 458, "lsm_get_self_attr": 459, "lsm_set_self_attr": 460, "lsm_list_modules": 461, "mseal": 462,
	"setxattrat": 463, "getxattrat": 464, "listxattrat": 465, "removexattrat": 466, "open_tree_attr": 467, "file_getattr": 468, "file_setattr": 469,
}

// numbers are those of the kernel's headers, which know neither libseccomp's table nor rt's.
func (a abi) numbers(t *testing.T) map[string]int {
	t.Helper()
	f, err := os.Open("/usr/include/x86_64-linux-gnu/asm/" + a.header)
	if err != nil {
		skip(t, "needs the kernel's headers (linux-libc-dev)")
	}
	defer f.Close()
	list := map[string]int{}
	for name, nr := range sinceHeaders {
		list[name] = nr
	}
	if a.name == "x32" {
		delete(list, "map_shadow_stack")
	}
	define := regexp.MustCompile(`^#define __NR_(\w+) (?:\(__X32_SYSCALL_BIT \+ )?(\d+)\)?`)
	for s := bufio.NewScanner(f); s.Scan(); {
		if m := define.FindStringSubmatch(s.Text()); m != nil {
			list[m[1]], _ = strconv.Atoi(m[2])
		}
	}
	if len(list) < 300 {
		t.Fatalf("%s: %d calls", a.header, len(list))
	}
	return list
}

// calling is a container that runs testdata/calls.c.
func calling(t *testing.T, bin string, edit func(*specs.Spec), extra []string) results {
	t.Helper()
	program := ofTestdata(t, "calls")
	c := newContainer(t, args(append([]string{"calls"}, extra...)...), edit)
	c.bin = bin
	if err := os.Link(program, c.rootfs()+"/bin/calls"); err != nil {
		t.Fatal(err)
	}
	c.before = listTree(c.rootfs())
	found := results{}
	for line := range strings.Lines(c.run().must(t).stdout) {
		i := strings.LastIndex(strings.TrimSpace(line), " ")
		found[line[:i]] = strings.TrimSpace(line[i:])
	}
	if len(found) < 1700 {
		t.Fatalf("%d results", len(found))
	}
	return found
}

// A judge tells what a profile says, by the specification alone.
type judge struct {
	profile *specs.LinuxSeccomp
	abi     abi
	numbers map[string]int
	newest  int
	rules   map[int][]specs.LinuxSyscall
}

func newJudge(t *testing.T, p *specs.LinuxSeccomp, a abi) judge {
	t.Helper()
	j := judge{profile: p, abi: a, numbers: a.numbers(t), rules: map[int][]specs.LinuxSyscall{}}
	for _, s := range p.Syscalls {
		for _, name := range s.Names {
			if nr, ok := j.numbers[name]; ok {
				j.rules[nr] = append(j.rules[nr], s)
				if a.name != "x32" || nr < 512 { // x32's own numbers are above those of later calls
					j.newest = max(j.newest, nr)
				}
			}
		}
	}
	return j
}

const enosys = 38

// errno is what the call with arguments -1 has to answer, 0 if it is let pass.
func (j judge) errno(nr int) int {
	for _, conditional := range []bool{false, true} {
		for _, s := range j.rules[nr] {
			if (len(s.Args) > 0) == conditional && j.holds(s.Args) {
				return verdictErrno(s.Action, s.ErrnoRet)
			}
		}
	}
	def := verdictErrno(j.profile.DefaultAction, j.profile.DefaultErrnoRet)
	own := j.abi.name == "x32" && nr >= 512 && nr < 548
	if nr > j.newest && def != 0 && !own {
		return enosys
	}
	return def
}

func verdictErrno(action specs.LinuxSeccompAction, errno *uint) int {
	switch {
	case action == specs.ActAllow:
		return 0
	case action != specs.ActErrno:
		panic(action)
	case errno == nil:
		return 1
	}
	return int(*errno)
}

// holds: several conditions on one argument are alternatives.
func (j judge) holds(args []specs.LinuxSeccompArg) bool {
	seen, all, some := map[uint]bool{}, true, len(args) == 0
	twice := false
	for _, a := range args {
		var hit bool
		switch a.Op {
		case specs.OpEqualTo:
			hit = j.abi.ones == a.Value
		case specs.OpNotEqual:
			hit = j.abi.ones != a.Value
		case specs.OpMaskedEqual:
			hit = j.abi.ones&a.Value == a.ValueTwo
		default:
			panic(a.Op)
		}
		twice = twice || seen[a.Index]
		seen[a.Index], all, some = true, all && hit, some || hit
	}
	return all || twice && some
}

// check compares with what the call gives without a filter.
func (j judge) check(t *testing.T, got, free results) (allowed, denied int) {
	t.Helper()
	for nr := range 601 {
		name := fmt.Sprintf("%s %d", j.abi.name, nr)
		was, made := free[name]
		if !made || unfiltered(name) || it.kind == "runc" && newOnX32(name) {
			continue
		}
		want := strconv.Itoa(-j.errno(nr))
		if want == "0" {
			want = was
			allowed++
		} else {
			denied++
		}
		if passed(want) != passed(got[name]) || !passed(want) && want != got[name] {
			t.Errorf("%s (%s): %s, want %s; without a filter %s", name, j.nameOf(nr), got[name], want, was)
		}
	}
	return allowed, denied
}

// unfiltered: the kernel lets uretprobe and uprobe (Linux 6.14, 6.18) pass every filter.
func unfiltered(call string) bool { return call == "native 335" || call == "native 336" }

func (j judge) nameOf(nr int) string {
	for name, n := range j.numbers {
		if n == nr {
			return name
		}
	}
	return "no call yet"
}

// passed: a pid or an fd is another each time.
func passed(result string) bool { return !strings.HasPrefix(result, "-") }

func readProfile(t *testing.T, name string) *specs.LinuxSeccomp {
	t.Helper()
	var p specs.LinuxSeccomp
	if err := json.Unmarshal([]byte(managedText(t, "seccomp/"+name+".json")), &p); err != nil {
		t.Fatal(err)
	}
	return &p
}

func needAMD64(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		skip(t, "needs amd64")
	}
}
