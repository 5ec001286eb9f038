package rootfs

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// specOptions are the names of config.md, "Linux mount options".
const specOptions = `async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev
nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev
rdiratime relatime remount rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate
rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid
symfollow sync tmpcopyup unbindable idmap ridmap`

func TestOptionTable(t *testing.T) {
	names := OptionNames()
	for i := 1; i < len(names); i++ {
		if names[i-1] >= names[i] {
			t.Errorf("%s stands before %s: the look-up needs them sorted", names[i-1], names[i])
		}
	}
	for _, name := range strings.Fields(specOptions) {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range names {
		if LookupOption(name).Name != name {
			t.Errorf("%s is not found", name)
		}
	}
}

func TestLookupOption(t *testing.T) {
	for _, r := range []struct {
		name string
		want Option
	}{
		{"ro", Option{"ro", Attr, unix.MOUNT_ATTR_RDONLY, 0, ""}},
		{"rw", Option{"rw", Attr, 0, unix.MOUNT_ATTR_RDONLY, ""}},
		{"noatime", Option{"noatime", Attr, unix.MOUNT_ATTR_NOATIME, unix.MOUNT_ATTR__ATIME, ""}},
		{"rbind", Option{"rbind", Bind, unix.MS_REC, 0, ""}},
		{"rslave", Option{"rslave", Propagation, unix.MS_SLAVE | unix.MS_REC, 0, ""}},
		{"sync", Option{"sync", Super, 0, 0, "sync"}},
		{"size=64m", Option{"size=64m", Data, 0, 0, ""}},
		{"", Option{"", Data, 0, 0, ""}},
		{"RO", Option{"RO", Data, 0, 0, ""}},
		{"zzz", Option{"zzz", Data, 0, 0, ""}},
	} {
		if got := LookupOption(r.name); got != r.want {
			t.Errorf("%+v, expected %+v", got, r.want)
		}
	}
}

// TestOptionPairs: "noX" sets what X clears, and a recursive option is the plain one for a
// whole tree.
func TestOptionPairs(t *testing.T) {
	pairs := 0
	for _, o := range options {
		if plain := LookupOption(strings.TrimPrefix(o.Name, "r")); o.Class == Recursive {
			if plain.Class != Attr || plain.Set != o.Set || plain.Clear != o.Clear {
				t.Errorf("%+v, but %+v", o, plain)
			}
			pairs++
		}
		if o.Class == Attr && o.Set&unix.MOUNT_ATTR__ATIME|o.Clear&unix.MOUNT_ATTR__ATIME != 0 && o.Clear&unix.MOUNT_ATTR__ATIME != unix.MOUNT_ATTR__ATIME {
			t.Errorf("%s does not clear the whole atime field", o.Name)
		}
	}
	for _, name := range []string{"dev", "diratime", "exec", "suid", "symfollow"} {
		yes, no := LookupOption(name), LookupOption("no"+name)
		if yes.Clear == 0 || yes.Clear != no.Set || yes.Set != 0 || no.Clear != 0 {
			t.Errorf("%+v, but %+v", yes, no)
		}
	}
	if pairs != 18 {
		t.Errorf("%d recursive options", pairs)
	}
}
