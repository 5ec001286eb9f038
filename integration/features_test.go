package integration

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"golang.org/x/sys/unix"
)

// listed is what `features` prints.
func listed(t *testing.T) features.Features {
	t.Helper()
	var f features.Features
	r := command{args: []string{it.bin, "features"}, dir: it.base, env: daemonEnv()}.run(t).must(t)
	if err := json.Unmarshal([]byte(r.stdout), &f); err != nil || f.Linux == nil || f.Linux.Seccomp == nil || f.Linux.Cgroup == nil {
		t.Fatalf("%v\n%v", err, r)
	}
	return f
}

// provenBy runs a row for each listed name. A name without a row is a claim that nobody has proved.
func provenBy(t *testing.T, names []string, rows map[string]row) {
	t.Helper()
	var list []row
	for _, name := range names {
		r, ok := rows[name]
		if !ok && it.kind == "rt" {
			t.Errorf("%s is listed, and no row shows that it works", name)
		}
		if ok {
			r.name = name
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		t.Error("nothing is listed")
	}
	runRows(t, list)
}

// TestFeatures: what is listed works. The rows are chosen by what the runtime says of itself.
func TestFeatures(t *testing.T) {
	needBinary(t, peers{crun: differs("1.8 has no features")})
	needRoot(t)
	f := listed(t)
	t.Run("namespaces", func(t *testing.T) { provenBy(t, f.Linux.Namespaces, namespaceRows()) })
	t.Run("hooks", func(t *testing.T) { provenBy(t, f.Hooks, hookListRows()) })
	t.Run("mount options", func(t *testing.T) { provenBy(t, f.MountOptions, mountOptionRows()) })
	t.Run("capabilities", func(t *testing.T) { provenBy(t, f.Linux.Capabilities, capabilityRows(t)) })
	t.Run("seccomp actions", func(t *testing.T) { provenBy(t, f.Linux.Seccomp.Actions, actionRows()) })
	t.Run("seccomp operators", func(t *testing.T) { provenBy(t, f.Linux.Seccomp.Operators, operatorRows()) })
	if flags := f.Linux.Seccomp.KnownFlags; len(flags) > 0 {
		t.Run("seccomp flags", func(t *testing.T) { provenBy(t, flags, flagRows(flags)) })
	}
	t.Run("seccomp architectures", func(t *testing.T) { provenBy(t, f.Linux.Seccomp.Archs, archRows(f.Linux.Seccomp.Archs)) })
}

// TestFeaturesAsManagers: the two questions of containerd 2 and docker 29, and that a yes is true.
func TestFeaturesAsManagers(t *testing.T) {
	needBinary(t, peers{runc: differs("1.1 knows no idmapped mounts, and no recursive options"), crun: differs("1.8 has no features")})
	f := listed(t)
	users := slices.Contains(f.Linux.Namespaces, "user")
	x := f.Linux.MountExtensions
	if !users || x == nil || x.IDMap == nil || x.IDMap.Enabled == nil || !*x.IDMap.Enabled {
		t.Errorf("user namespaces stay off: %v, %+v", users, x)
	}
	if !slices.Contains(f.MountOptions, "rro") {
		t.Error("recursive read-only stays off")
	}
	list := []specs.LinuxIDMapping{idRange(0, 100000, 65536)}
	same := func(s *specs.Spec) { s.Linux.GIDMappings = s.Linux.UIDMappings }
	runRows(t, []row{
		{name: "user namespace with idmapped volume", edit: edits(mapped, same, idmapped(list, "bind", "idmap")), prep: owned("tmpfs"), sh: "stat -c %u:%g /mnt/joe", want: is("1000:2000\n")},
		{name: "rro", prep: dataTree, edit: bind("/mnt", "rbind", "rro"), sh: "touch /mnt/sub/x 2>&1", code: 1, want: has("Read-only")},
	})
}

func namespaceRows() map[string]row {
	rows := map[string]row{}
	for name, file := range map[string]string{"cgroup": "cgroup", "ipc": "ipc", "mount": "mnt", "network": "net", "pid": "pid", "time": "time", "uts": "uts"} {
		kind := specs.LinuxNamespaceType(name)
		rows[name] = row{edit: edits(without(kind), addNamespace(kind, "")), sh: other(file)}
	}
	rows["user"] = row{edit: mapped, sh: other("user") + " && id -u", want: is("0\n")}
	return rows
}

// hookListRows: a hook of each kind leaves a line in the caller's file, or the image's volume.
func hookListRows() map[string]row {
	rows := map[string]row{}
	for _, k := range hookKinds {
		rows[k.name] = row{edit: func(*specs.Spec) {}, prep: func(c *container) {
			c.config(script("true"), c.shared(), k.set(k.sh(c, "cat >@/seen")))
			c.t.Cleanup(func() {
				if seen := c.sharedFile("seen"); !strings.Contains(seen, `"id":"`+c.id+`"`) {
					c.t.Errorf("%s: %q", k.name, seen)
				}
			})
		}}
	}
	return rows
}

// capabilityNames are in the order of their numbers, capabilities(7).
const capabilityNames = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST " +
	"NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME " +
	"SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"

// capabilityRows: each alone. Those that the tests do not have cannot be had in a container.
func capabilityRows(t *testing.T) map[string]row {
	t.Helper()
	ours := ownCaps(t)
	rows := map[string]row{}
	for i, name := range strings.Fields(capabilityNames) {
		name, bit := "CAP_"+name, uint64(1)<<i
		p := peers{}
		if ours&bit == 0 {
			p.runc = differs("fails where the caller lacks it")
		}
		rows[name] = row{peers: p, edit: func(s *specs.Spec) {
			one := []string{name}
			s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: one, Permitted: one, Effective: one, Inheritable: one, Ambient: one}
		}, sh: "grep -E '^Cap(Eff|Bnd|Amb)' /proc/self/status | cut -f2 | sort -u", want: is(hexCaps(ours & bit))}
	}
	return rows
}

func ownCaps(t *testing.T) uint64 {
	t.Helper()
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		t.Fatal(err)
	}
	return uint64(data[1].Permitted)<<32 | uint64(data[0].Permitted)
}
