package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const managedData = "testdata/managers"

// managedNames are the configurations that managers have written: testdata/managers/README.md.
func managedNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(managedData + "/*.json")
	if err != nil || len(files) < 80 {
		t.Fatalf("%d configurations, %v", len(files), err)
	}
	var names []string
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".json"); !strings.HasSuffix(name, ".exec") {
			names = append(names, name)
		}
	}
	return names
}

// managed is a manager's configuration, with paths of ours, and a workload that tells its facts.
type managed struct {
	*container
	name string
	spec *specs.Spec
	pod  *holder // whose namespaces it joins
}

// newManaged puts what the placeholders stand for into a bundle. Files and directories that
// the manager would have made are there; so are mount points, if container root may not make them.
func newManaged(t *testing.T, name, bin string) managed {
	t.Helper()
	m := managed{container: newContainer(t), name: name}
	m.bin = bin
	text := m.filled(managedText(t, name+".json"))
	if bin != "" && lacksCap(t) { // runc fails, rt warns
		text = strings.ReplaceAll(text, `"`+lackedCap+`",`, "")
	}
	if err := json.Unmarshal([]byte(text), &m.spec); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "@namespaces@") {
		m.joins(t)
		text = strings.ReplaceAll(text, "@namespaces@", fmt.Sprintf("/proc/%d/ns", m.pod.pid))
	}
	m.sources(t)
	m.belongings(t)
	m.write("config.json", m.adapted(t, text))
	return m
}

func managedText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(managedData, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (m managed) filled(text string) string {
	if _, rest, found := strings.Cut(text, `"@seccomp/`); found {
		name, _, _ := strings.Cut(rest, "@")
		text = strings.Replace(text, `"@seccomp/`+name+`@"`, managedText(m.t, "seccomp/"+name+".json"), 1)
	}
	return strings.NewReplacer("@rootfs@", m.rootfs(), "@files@", m.bundle+"/files", "@dirs@", m.bundle+"/dirs", "@hook@", "/bin/true").Replace(text)
}

// joins makes the namespaces of the pod, or of the manager, that have a path.
func (m *managed) joins(t *testing.T) {
	var kinds []specs.LinuxNamespaceType
	for _, ns := range m.spec.Linux.Namespaces {
		if ns.Path != "" {
			kinds = append(kinds, ns.Type)
		}
	}
	h := hold(t, kinds...)
	m.pod = &h
}

// sources makes what is bound, or lies below an overlay.
func (m managed) sources(t *testing.T) {
	for _, mount := range m.spec.Mounts {
		m.source(t, mount, mount.Source)
		for _, o := range mount.Options {
			if _, path, found := strings.Cut(o, "dir="); found {
				m.source(t, mount, path)
			}
		}
	}
}

// source: a manager that asks for propagation has made sure that the source's mount has some.
func (m managed) source(t *testing.T, mount specs.Mount, path string) {
	inside, ours := strings.CutPrefix(path, m.bundle+"/")
	if !ours {
		return
	}
	if strings.HasPrefix(inside, "files/") {
		os.MkdirAll(filepath.Dir(path), 0o755)
		m.write(inside, mount.Destination+"\n")
		return
	}
	os.MkdirAll(path, 0o755)
	propagates := func(o string) bool { return strings.HasSuffix(o, "shared") || strings.HasSuffix(o, "slave") }
	if slices.ContainsFunc(mount.Options, propagates) {
		m.mount(path, inside, "", unix.MS_BIND)
		if err := unix.Mount("", path, "", unix.MS_SHARED, ""); err != nil {
			t.Fatal(err)
		}
	}
}

// belongings: a manager has the root owned by the container's root, in whom it is mapped.
func (m managed) belongings(t *testing.T) {
	facts := filepath.Join(m.bundle, "facts")
	inside := filepath.Join(m.rootfs(), "facts")
	for _, dir := range []string{facts, inside} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	uid, gid := hostID(m.spec.Linux.UIDMappings), hostID(m.spec.Linux.GIDMappings)
	err := filepath.WalkDir(m.rootfs(), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chown(path, uid, gid)
		}
		return err
	})
	if err := firstOf(err, os.Chmod(facts, 0o777), os.Chmod(inside, 0o777)); err != nil {
		t.Fatal(err)
	}
	m.before = listTree(m.rootfs())
}

func firstOf(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

func hostID(maps []specs.LinuxIDMapping) int {
	for _, m := range maps {
		if m.ContainerID == 0 {
			return int(m.HostID)
		}
	}
	return 0
}

// adapted changes nothing but the arguments, the cgroup's name and, where this machine's /dev
// lacks what the manager's had, bind mounts; and adds the directory for the facts. Numbers
// stay as they are written.
func (m managed) adapted(t *testing.T, text string) string {
	t.Helper()
	var doc map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	process, linux := doc["process"].(map[string]any), doc["linux"].(map[string]any)
	process["args"] = m.arguments()
	if _, set := linux["cgroupsPath"]; set {
		linux["cgroupsPath"] = "/" + m.id
	}
	mounts := slices.DeleteFunc(doc["mounts"].([]any), func(x any) bool {
		source, _ := x.(map[string]any)["source"].(string)
		_, err := os.Stat(source)
		return filepath.IsAbs(source) && err != nil
	})
	doc["mounts"] = append(mounts, map[string]any{"destination": "/facts", "type": "bind", "source": m.bundle + "/facts", "options": []string{"bind", "rw"}})
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(doc); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// arguments keep the init that the manager has put in front.
func (m managed) arguments() []string {
	tell := []string{"sh", "-c", tellManaged + m.sysctls()}
	if args := m.spec.Process.Args; len(args) > 2 && args[1] == "--" {
		return append(slices.Clone(args[:2]), tell...)
	}
	return tell
}

func (m managed) sysctls() string {
	var s strings.Builder
	for name := range m.spec.Linux.Sysctl {
		path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
		fmt.Fprintf(&s, "echo sysctl %s = $(cat %s); ", name, path)
	}
	return s.String()
}

// tellManaged prints facts as NAME = VALUE.
const tellManaged = `exec >/facts/told 2>&1; ` +
	`echo cwd = $(pwd); env | sed 's/^/env /;s/=/ = /'; ` +
	`grep -E '^(Umask|Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap|Specul|Sig(Ign|Blk)|Cpus_allowed_list|Mems_allowed_list)' /proc/self/status | sed 's/:/ =/;s/^/status /'; ` +
	`sed 's/  \+/ = /;s/^/limit /' /proc/self/limits; ` +
	`awk '{o=""; for (i=7; $i!="-"; i++) { sub(/:.*/, "", $i); o=o" "$i }; n[$5]++; name=$5" "n[$5]" = "; print "mount "name$4" "$6" "$(i+1)" "$(i+3); print "propagation "name o}' /proc/self/mountinfo; ` +
	`for n in ipc mnt net pid user uts cgroup; do echo namespace $n = $(readlink /proc/self/ns/$n); done; ` +
	`find /dev ! -path '/dev/pts/*' ! -path '/dev/mqueue/*' ! -path '/dev/shm/*' -exec stat -c 'node %n = %F %a %u:%g %t,%T %N' {} +; ` +
	`echo hostname = $(hostname) $(cat /proc/sys/kernel/domainname); echo score = $(cat /proc/self/oom_score_adj); ` +
	`echo terminal = $(tty) $(stty size 2>&1); echo fds = $(ls /proc/self/fd | wc -l); sed 's/^[0-9]*:/group /;s/:/ = /' /proc/self/cgroup; [ $(cut -d' ' -f6 /proc/self/stat) = $$ ] && echo session = leader; `

// lackedCap is a capability that this machine may not give, and the managers' hosts had.
const lackedCap = "CAP_SYS_RESOURCE"

// lacksCap: only the caller's own can be given.
func lacksCap(t *testing.T) bool {
	bits, err := strconv.ParseUint(readFacts(statusOf(t))["CapEff"], 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return bits&(1<<unix.CAP_SYS_RESOURCE) == 0
}

// live takes the container through its life and gives its facts. An error is what the
// runtime said.
func (m managed) live(t *testing.T) (told []string, err error) {
	t.Helper()
	started, err := m.created(t)
	if err != nil {
		return nil, err
	}
	told = m.groups(t)
	if r := m.start(); r.code != 0 {
		return nil, fmt.Errorf("%v", r)
	}
	started()
	m.untilStatus("stopped")
	m.rt("delete", m.id).must(t)
	return append(told, append(m.told(t), m.changes()...)...), nil
}

// created makes the container. What it returns reads the terminal to its end, if it has one.
func (m managed) created(t *testing.T) (started func(), err error) {
	flags, started := m.onConsole(m.spec.Process.Terminal)
	if r := m.create(flags...); r.code != 0 {
		m.changes()
		return nil, fmt.Errorf("%v", r)
	}
	return started, nil
}

func (m managed) onConsole(terminal bool) (flags []string, started func()) {
	if !terminal {
		return nil, func() {}
	}
	path, accept := m.console()
	return []string{"--console-socket", path}, func() { readTTY(accept()) }
}

// lifeOfExec is live for an exec by a manager's process file, in a container that is created.
func (m managed) lifeOfExec(t *testing.T, name string) (told []string, err error) {
	t.Helper()
	text := managedText(t, name+".exec.json")
	var p specs.Process
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	if _, err := m.created(t); err != nil {
		return nil, err
	}
	if m.bin != "" && lacksCap(t) {
		text = strings.ReplaceAll(text, `"`+lackedCap+`",`, "")
	}
	file := m.write("process.json", replaceArgs(t, text, m.arguments()))
	os.Remove(m.bundle + "/tty.sock") // the container's own, if it has a terminal
	flags, started := m.onConsole(p.Terminal)
	flags = append(flags, "--detach", "--process", file, "--pid-file", m.bundle+"/pid")
	if r := m.exec(flags); r.code != 0 {
		m.delete("--force").must(t)
		m.changes()
		return nil, fmt.Errorf("%v", r)
	}
	started()
	until(t, "end of exec", func() bool { return !alive(pidFile(t, m.bundle+"/pid")) })
	told = m.told(t)
	m.delete("--force").must(t)
	m.changes()
	return told, nil
}

func replaceArgs(t *testing.T, text string, args []string) string {
	t.Helper()
	doc := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	doc["args"], _ = json.Marshal(args)
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// told is what the workload has said.
func (m managed) told(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(m.bundle, "facts/told"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(m.neutral(t, string(b))), "\n")
}

// changes are what the runtime has made in the root, or changed there.
func (m managed) changes() (told []string) {
	after := listTree(m.rootfs())
	for _, f := range faults(m.before, after) {
		sign, line, _ := strings.Cut(f, " ")
		path, is, _ := strings.Cut(line, " ")
		told = append(told, "root "+path+" "+sign+" = "+is)
	}
	m.container.before = after
	return told
}

// neutral takes out what differs from one run to the next: names, and numbers of namespaces.
func (m managed) neutral(t *testing.T, text string) string {
	for _, k := range nsKinds {
		own, _ := os.Readlink("/proc/self/ns/" + k.file)
		text = strings.ReplaceAll(text, own, "the caller's")
		if m.pod != nil {
			theirs, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", m.pod.pid, k.file))
			text = strings.ReplaceAll(text, theirs, "the pod's")
		}
	}
	text = strings.NewReplacer(m.id, "ID").Replace(text)
	var lines []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "namespace ") {
			line, _, _ = strings.Cut(line, ":[")
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

// groups are the settings of the container's cgroups, and its device list.
func (m managed) groups(t *testing.T) (told []string) {
	files := "memory.limit_in_bytes memory.memsw.limit_in_bytes memory.soft_limit_in_bytes memory.swappiness memory.oom_control " +
		"cpu.shares cpu.cfs_quota_us cpu.cfs_period_us cpuset.cpus cpuset.mems pids.max devices.list blkio.throttle.read_bps_device"
	if hasV2() {
		files = "memory.max memory.low memory.swap.max cpu.weight cpu.max cpuset.cpus pids.max"
	}
	pid := m.state().Pid
	for _, f := range strings.Fields(files) {
		controller, _, _ := strings.Cut(f, ".")
		_, dir := groupPath(t, pid, controller)
		told = append(told, readSetting(dir, f))
	}
	return told
}

func readSetting(dir, file string) string {
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return "setting " + file + " = " + err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	slices.Sort(lines)
	return "setting " + file + " = " + strconv.Quote(strings.Join(lines, "|"))
}
