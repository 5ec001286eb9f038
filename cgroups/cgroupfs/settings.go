// Package cgroupfs is the cgroup file system: what is to be written to it, and the
// reading, writing, walking and waiting that v1 and v2 have in common.
package cgroupfs

import (
	"errors"
	"strconv"

	"rt/internal/errs"
)

// Setting is one decided write to a file of the container's group.
type Setting struct {
	Controller string // "memory"; in v2 "cgroup" for the core files
	File       string
	Value      string
	Where      string // JSON pointer, "" for what config.json does not name
}

// Resources is where the pointers of all settings begin.
const Resources = "/linux/resources"

// Settings collects decided writes, warnings and the first thing that cannot be done.
type Settings struct {
	List     []Setting
	Warnings []string
	Err      error
}

// Set adds a write; where is relative to Resources.
func (s *Settings) Set(controller, file, value, where string) {
	s.List = append(s.List, Setting{controller, file, value, Resources + where})
}

// Int adds a write of a number; nil and 0 mean unset, below 0 is written as -1: unlimited.
func (s *Settings) Int(controller, file string, v *int64, where string) {
	if Asks(v) {
		s.Set(controller, file, strconv.FormatInt(max(*v, -1), 10), where)
	}
}

// Uint adds a write of a number; nil and 0 mean unset.
func (s *Settings) Uint(controller, file string, v *uint64, where string) {
	if Asks(v) {
		s.Set(controller, file, strconv.FormatUint(*v, 10), where)
	}
}

// Text adds a write of a text; "" means unset.
func (s *Settings) Text(controller, file, v, where string) {
	if v != "" {
		s.Set(controller, file, v, where)
	}
}

// Warn adds a warning.
func (s *Settings) Warn(where, text string) {
	s.Warnings = append(s.Warnings, text+" (config.json: "+Resources+where+")")
}

// Unsupported notes that what where asks for cannot be done.
func (s *Settings) Unsupported(where, why string) { s.refuse(errs.Unsupported, where, why) }

// Invalid notes that what where says makes no sense.
func (s *Settings) Invalid(where, why string) { s.refuse(errs.Invalid, where, why) }

func (s *Settings) refuse(kind errs.Kind, where, why string) {
	if s.Err == nil {
		s.Err = Refuse(kind, Resources+where, why)
	}
}

// Refuse is the error for something in config.json at the JSON pointer where.
func Refuse(kind errs.Kind, where, why string) error {
	return &errs.Error{Where: where, Kind: kind, Err: errors.New(why)}
}

// Asks says whether a number is set. Managers write 0 for unset numbers.
func Asks[T int64 | uint64 | uint32 | uint16](v *T) bool { return v != nil && *v != 0 }

// Missing is the error for a setting whose controller the host does not offer.
func Missing(set Setting) error {
	return Refuse(errs.Unsupported, set.Where, "this host has no "+set.Controller+" cgroup controller")
}
