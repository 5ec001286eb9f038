package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// bundle is a directory with config.json, and what the floor needs to do the same.
type bundle struct {
	dir, rootfs string
	args        []string
	filter      string // file with the raw filter, for the floor
	memory      int64  // bytes; 0 is no limit
}

// makeRootfs makes a root file system of busybox alone.
func makeRootfs(dir string) error {
	for _, name := range []string{"bin", "dev", "etc", "proc", "sys", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	busybox, err := findProgram("busybox")
	if err != nil {
		return err
	}
	if err := copyFile(busybox, filepath.Join(dir, "bin/busybox")); err != nil {
		return err
	}
	for _, applet := range []string{"sh", "sleep", "true"} {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", applet)); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// newBundle writes the default config with args, after edit (may be nil) has changed it.
func (w *world) newBundle(name string, edit func(*specs.Spec), args ...string) (bundle, error) {
	b := bundle{dir: filepath.Join(w.dir, name), rootfs: w.rootfs, args: args}
	spec := defaultSpec(w.rootfs, args)
	if edit != nil {
		edit(spec)
	}
	data, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return b, err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return b, err
	}
	return b, os.WriteFile(filepath.Join(b.dir, "config.json"), data, 0o644)
}

// defaultSpec says what "runc spec" says on a v1 host, without a terminal. Made here, so
// that every contestant, of any version, is given the same.
func defaultSpec(rootfs string, args []string) *specs.Spec {
	caps := []string{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
	return &specs.Spec{
		Version:  "1.0.2",
		Hostname: "runc",
		Root:     &specs.Root{Path: rootfs, Readonly: true},
		Mounts:   defaultMounts(),
		Linux:    defaultLinux(),
		Process: &specs.Process{
			Args:            args,
			Cwd:             "/",
			Env:             []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"},
			Capabilities:    &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps, Ambient: caps},
			Rlimits:         []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Hard: 1024, Soft: 1024}},
			NoNewPrivileges: true,
		},
	}
}

func defaultMounts() []specs.Mount {
	row := func(destination, kind, source string, options ...string) specs.Mount {
		return specs.Mount{Destination: destination, Type: kind, Source: source, Options: options}
	}
	return []specs.Mount{
		row("/proc", "proc", "proc"),
		row("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
		row("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
		row("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
		row("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
		row("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
		row("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
	}
}

func defaultLinux() *specs.Linux {
	linux := &specs.Linux{
		Resources: &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}},
		MaskedPaths: []string{
			"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
			"/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
		},
		ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
	}
	for _, kind := range []specs.LinuxNamespaceType{"pid", "network", "ipc", "uts", "mount"} {
		linux.Namespaces = append(linux.Namespaces, specs.LinuxNamespace{Type: kind})
	}
	return linux
}
