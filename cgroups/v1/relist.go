package v1

import (
	"strings"

	"rt/cgroups/cgroupfs"
	"rt/cgroups/devices"
)

// DeviceWrite is one step on the way from one device list to another.
type DeviceWrite struct {
	Set  cgroupfs.Setting
	Back []cgroupfs.Setting // what takes it back
}

// Relist turns the writes that settings makes for a new group into those for one whose
// devices.list is current, so that on the way nothing is allowed that neither list allows, and
// what both allow always is. It gives the other settings, and the steps.
//
// The kernel does not show the exceptions of a group that may use everything else. Such a group
// may use nothing for a moment, and denying it everything cannot be taken back.
func Relist(settings []cgroupfs.Setting, current string) (others []cgroupfs.Setting, steps []DeviceWrite) {
	var start *cgroupfs.Setting
	var target []cgroupfs.Setting
	for _, s := range settings {
		switch {
		case s.Controller != "devices":
			others = append(others, s)
		case start == nil:
			start = &s
		default:
			target = append(target, s)
		}
	}
	if start == nil {
		return others, nil
	}
	have, everything := listed(current)
	allowAll := start.File == file(true)
	if allowAll || everything {
		return others, restart(*start, target, have, everything)
	}
	return others, difference(have, target)
}

// listed reads devices.list: the exceptions of a group that may use nothing else, or that it
// may use everything.
func listed(text string) (have []cgroupfs.Setting, everything bool) {
	for l := range strings.Lines(text) {
		entry := strings.TrimSpace(l)
		if strings.HasPrefix(entry, "a ") {
			return nil, true
		}
		have = append(have, cgroupfs.Setting{Controller: "devices", File: file(true), Value: entry})
	}
	return have, false
}

// restart begins with all devices. Taken back, a group is denied everything first, and then
// gets what it had.
func restart(start cgroupfs.Setting, target, have []cgroupfs.Setting, everything bool) []DeviceWrite {
	first := DeviceWrite{Set: start}
	if !everything {
		nothing := cgroupfs.Setting{Controller: "devices", File: file(false), Value: start.Value}
		first.Back = append([]cgroupfs.Setting{nothing}, have...)
	}
	steps := []DeviceWrite{first}
	for _, s := range target {
		steps = append(steps, DeviceWrite{Set: s}) // the first one's Back is for all
	}
	return steps
}

// difference allows what is missing, and then denies what is too much, letter by letter.
func difference(have, target []cgroupfs.Setting) []DeviceWrite {
	steps := append(missing(target, have, true), missing(have, target, false)...)
	for i, s := range steps {
		back := s.Set
		back.File = opposite(back.File)
		steps[i].Back = []cgroupfs.Setting{back}
	}
	return steps
}

// missing is what the entries of a have beyond those of b.
func missing(a, b []cgroupfs.Setting, allow bool) []DeviceWrite {
	var steps []DeviceWrite
	for _, s := range a {
		device, letters := split(s.Value)
		for _, o := range b {
			if d, l := split(o.Value); d == device {
				letters = strings.Map(func(r rune) rune { return drop(r, l) }, letters)
			}
		}
		if letters != "" {
			s.File, s.Value = file(allow), device+" "+letters
			steps = append(steps, DeviceWrite{Set: s})
		}
	}
	return steps
}

func drop(r rune, letters string) rune {
	if strings.ContainsRune(letters, r) {
		return -1
	}
	return r
}

func split(entry string) (device, letters string) {
	i := strings.LastIndexByte(entry, ' ')
	return entry[:i], entry[i+1:]
}

func opposite(name string) string { return file(name != file(true)) }

// Opens says whether l, written to a group, opens on the way what it denies at its end: v1
// takes exceptions from everything only after everything is allowed.
func Opens(l devices.List) bool {
	for _, r := range l.Rules {
		if l.AllowAll && !r.Allow {
			return true
		}
	}
	return false
}
