package v1

import (
	"slices"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/devices"
	"rt/internal/errs"
)

// deviceWrites keeps the kernel's own state while it goes through the list: a default, and
// exceptions from it (Documentation/admin-guide/cgroup-v1/devices.rst). Only what is left at
// the end is written. The kernel has no exceptions from exceptions, so a list that needs one
// is refused rather than weakened.
func deviceWrites(l devices.List, s *cgroupfs.Settings) {
	if !l.Set {
		return
	}
	var except []devices.Rule
	for _, r := range l.Rules {
		if r.Allow != l.AllowAll {
			except = with(except, r)
			continue
		}
		left, ok := without(except, r)
		if ok {
			except = left
		} else if r.Where != "" {
			s.Err = cgroupfs.Refuse(errs.Unsupported, r.Where, "cgroup v1 cannot make an exception from the wider rule before it")
			return
		}
	}
	s.List = append(s.List, cgroupfs.Setting{Controller: "devices", File: file(l.AllowAll), Value: "a *:* rwm", Where: l.Where})
	for i, r := range except {
		if !redundant(except, i) {
			s.List = append(s.List, cgroupfs.Setting{Controller: "devices", File: file(!l.AllowAll), Value: r.String(), Where: r.Where})
		}
	}
}

func file(allow bool) string {
	if allow {
		return "devices.allow"
	}
	return "devices.deny"
}

// with adds r; the kernel merges the access of rules with the same numbers.
func with(except []devices.Rule, r devices.Rule) []devices.Rule {
	for i, e := range except {
		if e.Type == r.Type && e.Major == r.Major && e.Minor == r.Minor {
			except[i].Access |= r.Access
			return except
		}
	}
	return append(except, r)
}

// without takes r's access out of every exception; false: one of them is wider than r.
func without(except []devices.Rule, r devices.Rule) ([]devices.Rule, bool) {
	left := slices.Clone(except)
	for i, e := range left {
		if !r.Overlaps(e) || r.Access&e.Access == 0 {
			continue
		}
		if !r.Covers(e) {
			return nil, false
		}
		left[i].Access &^= r.Access
	}
	return slices.DeleteFunc(left, func(e devices.Rule) bool { return e.Access == 0 }), true
}

// redundant says whether another exception covers the one at i. Equal numbers occur once.
func redundant(except []devices.Rule, i int) bool {
	for j, o := range except {
		if i != j && o.Covers(except[i]) && except[i].Access&^o.Access == 0 {
			return true
		}
	}
	return false
}
