package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestSpecAsRunc compares with what runc writes on this host, but for the version and name.
func TestSpecAsRunc(t *testing.T) {
	runc, err := exec.LookPath("runc")
	if err != nil {
		t.Skip("runc is not installed: nothing to compare with")
	}
	for _, flags := range [][]string{{"spec"}, {"spec", "--rootless"}} {
		theirs, ours := t.TempDir(), t.TempDir()
		cmd := exec.Command(runc, flags...)
		cmd.Dir = theirs
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("runc %v: %v: %s", flags, err, out)
		}
		equal(t, "rt", (&recorder{}).rt(append(flags, "--bundle", ours)...), result{})
		want := readSpec(t, theirs)
		want["ociVersion"], want["hostname"] = specs.Version, "rt"
		if len(flags) > 1 { // runc leaves what lies below /sys as it is
			sys := want["mounts"].([]any)[5].(map[string]any)
			equal(t, "/sys", sys["options"], any([]any{"rbind", "nosuid", "noexec", "nodev", "ro"}))
			sys["options"].([]any)[4] = "rro"
		}
		equal(t, "spec", readSpec(t, ours), want)
	}
}

func readSpec(t *testing.T, dir string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestDefaultSpec has what depends on the host or the caller.
func TestDefaultSpec(t *testing.T) {
	rows := []struct {
		name     string
		cgroup2  bool
		rootless bool
		want     string
	}{
		{"v1", false, false, "pid network ipc uts mount"},
		{"v2", true, false, "pid network ipc uts mount cgroup"},
		{"rootless v1", false, true, "pid ipc uts mount user"},
		{"rootless v2", true, true, "pid ipc uts mount cgroup user"},
	}
	for _, row := range rows {
		spec := defaultSpec(row.cgroup2)
		if row.rootless {
			makeRootless(spec, 1000, 100)
			equal(t, "uid", spec.Linux.UIDMappings, []specs.LinuxIDMapping{{ContainerID: 0, HostID: 1000, Size: 1}})
			equal(t, "gid", spec.Linux.GIDMappings, []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100, Size: 1}})
		}
		got := ""
		for _, n := range spec.Linux.Namespaces {
			got += " " + string(n.Type)
		}
		equal(t, row.name, got, " "+row.want)
		if len(spec.Process.Capabilities.Inheritable) != 0 {
			t.Errorf("%s: inheritable capabilities", row.name)
		}
	}
}

// TestSpecKeeps what is there, a link that leads nowhere included, and leaves nothing
// behind where it cannot write.
func TestSpecKeeps(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.json")
	refused := result{code: 1, stderr: "rt: File config.json exists. Remove it first\n"}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	equal(t, "file", (&recorder{}).rt("spec", "-b", dir), refused)
	text, _ := os.ReadFile(path)
	equal(t, "content", string(text), "mine")

	os.Remove(path)
	if err := os.Symlink("nowhere", path); err != nil {
		t.Fatal(err)
	}
	equal(t, "link", (&recorder{}).rt("spec", "-b", dir), refused)
	equal(t, "no bundle", (&recorder{}).rt("spec", "-b", dir+"/no"),
		result{code: 1, stderr: "rt: create " + dir + "/no/config.json: no such file or directory\n"})
}
