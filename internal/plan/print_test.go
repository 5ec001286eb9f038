package plan

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStepArgs has the steps that no golden plan of package compile shows.
func TestStepArgs(t *testing.T) {
	for _, r := range []struct {
		name  string
		build func(*Builder)
		want  string
	}{
		{"nothing", func(b *Builder) { b.Number(KindSetsid) }, "init  setsid"},
		{"flag of a file system", func(b *Builder) { b.Fsconfig(unix.FSCONFIG_SET_FLAG, "ro", "") }, "init  fsconfig      ro"},
		{"private and recursive", func(b *Builder) {
			b.Setattr(SlotTree, "", Attr{Propagation: unix.MS_PRIVATE, At: uint16(unix.AT_RECURSIVE)})
		}, "init  mount_setattr [tree] private recursive"},
		{"set and clear", func(b *Builder) {
			b.Setattr(SlotNone, "/x", Attr{Set: unix.MOUNT_ATTR_RDONLY, Clear: unix.MOUNT_ATTR__ATIME})
		},
			"init  mount_setattr /x +ro -atime"},
		{"a relaxed atime is no name", func(b *Builder) { b.Fsmount(unix.MOUNT_ATTR_RELATIME, SlotTree, "/m") }, "init  fsmount       /m →[tree]"},
		{"call with everything", func(b *Builder) { b.Call(CallFilter, CallText, SlotRoot, SlotFilter) }, "init  call          filter [root] ←variables →[filter]"},
		{"setns", func(b *Builder) { b.Setns(SlotTmp, unix.CLONE_NEWTIME|unix.CLONE_NEWUSER, "/ns") }, "init  setns         /ns user|time"},
		{"block device", func(b *Builder) {
			b.Mknod(SlotDev, "sda", Node{Mode: unix.S_IFBLK | 0o640, Dev: unix.Mkdev(259, 70000), Uid: 1, Gid: 2})
		}, "init  mknod         [dev] sda b 259:70000 mode=0640 uid=1 gid=2"},
		{"copy_mode", func(b *Builder) { b.CopyMode(SlotTree, "/t") }, "init  copy_mode     /t [tree]"},
		{"write", func(b *Builder) { b.Write(SlotProc, "sys/a", "1\n", 0) }, `init  write         [proc] "1\n" sys/a`},
		{"groups", func(b *Builder) { b.Groups([]uint32{0, 4294967294}, 0) }, "init  setgroups     0,4294967294"},
		{"no groups", func(b *Builder) { b.Groups(nil, 0) }, "init  setgroups"},
		{"limit", func(b *Builder) { b.Rlimit("RLIMIT_CORE", 4, 0, unix.RLIM_INFINITY) }, "init  setrlimit     RLIMIT_CORE soft=0 hard=unlimited"},
		{"filter", func(b *Builder) { b.Filter(strings.Repeat("12345678", 3), 2) }, "init  seccomp       3 instructions flags=0x2"},
		{"filter to come", func(b *Builder) { b.Filter("", 0) }, "init  seccomp       from the parent flags=0x0"},
		{"prctl", func(b *Builder) { b.Number(KindPrctl, unix.PR_SET_KEEPCAPS, 1) }, "init  prctl         keep_caps 1"},
		{"find", func(b *Builder) { b.Find("/bin", `a"b`) }, `init  find          "a\"b" in "/bin"`},
		{"pid file", func(b *Builder) { b.Host(HostStep{Act: ActPidFile, S: "/run/pid"}) }, "host  pid_file      /run/pid"},
		{"below zero", func(b *Builder) { n := int64(-999); b.Host(HostStep{Act: ActOOMScoreAdj, A: uint64(n)}) }, "host  oom_score_adj -999"},
		{"where it comes from", func(b *Builder) { b.From("/hostname").Text(KindHostname, "web") },
			fmt.Sprintf("%-92s /hostname", "init  sethostname   web")},
	} {
		t.Run(r.name, func(t *testing.T) {
			var b Builder
			r.build(&b)
			var got strings.Builder
			Print(&got, b.Plan.Lines())
			if got.String() != r.want+"\n" {
				t.Errorf("%q\nexpected %q", got.String(), r.want)
			}
		})
	}
}

// TestLines: host steps stand before the call that waits for them, those that wait for no
// call at the top.
func TestLines(t *testing.T) {
	var b Builder
	b.Number(KindSetsid)
	b.Call(CallCgroup, 0, SlotNone, SlotNone)
	b.Call(CallReady, 0, SlotNone, SlotNone)
	b.Host(HostStep{Act: ActState, Call: CallReady})
	b.Host(HostStep{Act: ActSpawn})
	b.Host(HostStep{Act: ActHome, Call: CallCgroup})
	b.Plan.Namespaces = unix.CLONE_NEWPID
	var got []string
	for _, l := range b.Plan.Lines() {
		got = append(got, strings.TrimSpace(l.Lane+" "+l.Step+" "+l.Args))
	}
	const want = "host spawn pid, init setsid, host home uid=0, init call cgroup, host state, init call ready"
	if strings.Join(got, ", ") != want {
		t.Errorf("%s\nexpected %s", strings.Join(got, ", "), want)
	}
}

func TestExplain(t *testing.T) {
	lines := []Line{{Where: "/mounts/1"}, {Where: "/mounts/10"}, {Where: "/mounts/1/options/0"}, {Where: ""}, {Where: "/mounts"}}
	for _, r := range []struct{ where, want string }{
		{"/mounts/1", "/mounts/1 /mounts/1/options/0"},
		{"/mounts", "/mounts/1 /mounts/10 /mounts/1/options/0 /mounts"},
		{"/mounts/", "/mounts/1 /mounts/10 /mounts/1/options/0"},
		{"/mount", ""},
		{"/hostname", ""},
	} {
		var got []string
		for _, l := range Explain(lines, r.where) {
			got = append(got, l.Where)
		}
		if strings.Join(got, " ") != r.want {
			t.Errorf("%s: %v, expected %s", r.where, got, r.want)
		}
	}
}
