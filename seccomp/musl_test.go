package seccomp

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// libseccomp.a is made for glibc. Linked against musl it must still emit, byte for byte, what
// it emits in this test, which is linked in the ordinary way.
func TestSameProgramByMusl(t *testing.T) {
	if _, err := exec.LookPath("musl-gcc"); err != nil {
		t.Skip("needs musl-gcc: ", err)
	}
	dir := t.TempDir()
	dump := filepath.Join(dir, "dump")
	cmd := exec.Command("../scripts/build.sh", dump, "./seccomp/testdata/dump")
	cmd.Env = append(os.Environ(), "LINK=musl")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, row := range append(verdictRows(t), muslRows()...) {
		t.Run(row.name, func(t *testing.T) {
			want := mustCompile(t, row.profile).Program
			file := filepath.Join(t.TempDir(), "profile.json")
			text, err := json.Marshal(row.profile)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := exec.Command(dump, file).Output()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes by musl, %d by glibc, or other content", len(got), len(want))
			}
		})
	}
}

func muslRows() []verdictRow {
	foreign := profile(specs.ActErrno, entry(specs.ActAllow, "socketcall", "socket", "mmap", "set_tls", "mseal"))
	foreign.Architectures = []specs.Arch{specs.ArchX86, specs.ArchARM, specs.ArchAARCH64, specs.ArchRISCV64, specs.ArchPPC64LE}
	compare := profile(specs.ActAllow)
	for i, op := range []specs.LinuxSeccompOperator{specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo,
		specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpMaskedEqual} {
		compare.Syscalls = append(compare.Syscalls, when(fails(uint(i), "ioctl"), arg(uint(i%6), op, uint64(i)<<31, 1<<40)))
	}
	return []verdictRow{{"five architectures", foreign, nil}, {"all operators", compare, nil}}
}
