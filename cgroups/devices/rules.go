// Package devices is the list of device rules (config-linux.md, "Allowed Device list") as
// v1 writes and v2 programs need it. It decides only.
package devices

import (
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/errs"

	"rt/cgroups/cgroupfs"
)

// Access is a set of what can be done to a device, numbered as in <linux/bpf.h>.
type Access uint8

// BPF_DEVCG_ACC_*.
const (
	Mknod Access = 1 << iota
	Read
	Write
	All = Mknod | Read | Write
)

// Any stands for every major or minor number.
const Any = -1

// Rule allows or denies access to devices of one type.
type Rule struct {
	Allow        bool
	Type         byte // 'b' or 'c'
	Major, Minor int64
	Access       Access
	Where        string // JSON pointer, "" for a default rule
}

// List is a start, and rules of which the last that fits wins.
type List struct {
	Set      bool // false: config.json has no rules, and the group stays as its parent is
	AllowAll bool // what holds for devices that no rule names
	Where    string
	Rules    []Rule
}

// Covers says whether r's numbers include all of o's.
func (r Rule) Covers(o Rule) bool {
	return r.Type == o.Type && (r.Major == Any || r.Major == o.Major) && (r.Minor == Any || r.Minor == o.Minor)
}

// Overlaps says whether some device fits both r and o.
func (r Rule) Overlaps(o Rule) bool {
	return r.Type == o.Type && both(r.Major, o.Major) && both(r.Minor, o.Minor)
}

func both(a, b int64) bool { return a == b || a == Any || b == Any }

// String is the rule's devices and access as the v1 files take them.
func (r Rule) String() string {
	return string(r.Type) + " " + number(r.Major) + ":" + number(r.Minor) + " " + r.Access.String()
}

func (a Access) String() string {
	var s strings.Builder
	for _, bit := range []struct {
		is     Access
		letter byte
	}{{Read, 'r'}, {Write, 'w'}, {Mknod, 'm'}} {
		if a&bit.is != 0 {
			s.WriteByte(bit.letter)
		}
	}
	return s.String()
}

func number(n int64) string {
	if n == Any {
		return "*"
	}
	return strconv.FormatInt(n, 10)
}

// defaults are what every container needs: mknod of anything, null, zero, full, random,
// urandom, tty, ptmx, the pts devices and tun. /dev/console is a pts inside, never 5:1.
func defaults() []Rule {
	return []Rule{
		{true, 'c', Any, Any, Mknod, ""},
		{true, 'b', Any, Any, Mknod, ""},
		{true, 'c', 1, 3, All, ""},
		{true, 'c', 1, 5, All, ""},
		{true, 'c', 1, 7, All, ""},
		{true, 'c', 1, 8, All, ""},
		{true, 'c', 1, 9, All, ""},
		{true, 'c', 5, 0, All, ""},
		{true, 'c', 5, 2, All, ""},
		{true, 'c', 136, Any, All, ""},
		{true, 'c', 10, 200, All, ""},
	}
}

// Compile is the rules of config.json, then the defaults. A node of linux.devices is allowed
// by a rule or, as with runc, not at all. Nothing before the last rule for all devices matters;
// a list without such a rule starts from nothing allowed.
func Compile(list []specs.LinuxDeviceCgroup) (List, error) {
	var l List
	if len(list) == 0 {
		return l, nil
	}
	l.Set = true
	for i, d := range list {
		if err := l.add(d, cgroupfs.Resources+"/devices/"+strconv.Itoa(i)); err != nil {
			return List{}, err
		}
	}
	l.Rules = append(l.Rules, defaults()...)
	return l, nil
}

func (l *List) add(d specs.LinuxDeviceCgroup, where string) error {
	r, err := parse(d, where)
	if err != nil {
		return err
	}
	switch {
	case r.Type != 'a':
		l.Rules = append(l.Rules, r)
	case r.Major == Any && r.Minor == Any && r.Access == All:
		l.AllowAll, l.Where, l.Rules = r.Allow, where, nil
	default:
		b, c := r, r
		b.Type, c.Type = 'b', 'c'
		l.Rules = append(l.Rules, b, c)
	}
	return nil
}

func parse(d specs.LinuxDeviceCgroup, where string) (Rule, error) {
	r := Rule{Allow: d.Allow, Type: 'a', Major: Any, Minor: Any, Where: where}
	switch d.Type {
	case "", "a":
	case "b", "c":
		r.Type = d.Type[0]
	default:
		return r, cgroupfs.Refuse(errs.Invalid, where+"/type", "device type "+strconv.Quote(d.Type)+" is none of a, b, c")
	}
	for _, n := range []struct {
		from *int64
		to   *int64
		name string
	}{{d.Major, &r.Major, "/major"}, {d.Minor, &r.Minor, "/minor"}} {
		if n.from == nil {
			continue
		}
		if *n.from < Any || *n.from > 1<<32-1 {
			return r, cgroupfs.Refuse(errs.Invalid, where+n.name, "no device number: "+strconv.FormatInt(*n.from, 10))
		}
		*n.to = *n.from
	}
	return parseAccess(r, d.Access)
}

// parseAccess takes no letters as all of them when denying, and refuses that when allowing.
func parseAccess(r Rule, letters string) (Rule, error) {
	for _, c := range letters {
		i := strings.IndexRune("mrw", c)
		if i < 0 {
			return r, cgroupfs.Refuse(errs.Invalid, r.Where+"/access", "access "+strconv.Quote(letters)+" is not made of r, w, m")
		}
		r.Access |= 1 << i
	}
	if r.Access == 0 && r.Allow {
		return r, cgroupfs.Refuse(errs.Invalid, r.Where+"/access", "access is missing")
	}
	if r.Access == 0 {
		r.Access = All
	}
	return r, nil
}
