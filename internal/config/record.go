package config

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Record is what rt writes down about a container, in `intent` before anything is made
// and in state.json once it is created: nothing that could be found out again.
type Record struct {
	Version   int
	ID        string
	Bundle    string // absolute
	Rootfs    string // absolute
	Created   time.Time
	BootID    string // of the boot that Pid belongs to
	Creator   int    // pid of the rt that makes it
	Pid       int    // of the init, 0 if it is not known yet
	PidStart  uint64 // its start time, proc_pid_stat(5), in clock ticks since boot
	SharedPid bool   // the init has no pid namespace of its own
	CgroupV2  bool
	Cgroup    []CgroupDir
	Hooks     bool // config.json has some: who has none need not read it again
}

// CgroupDir is the container's group in one hierarchy.
type CgroupDir struct {
	Controller string
	Path       string // absolute
	Mount      string // mount point
}

// RecordVersion is the version that this rt writes.
const RecordVersion = 1

var keysRecord = []string{"version", "id", "bundle", "rootfs", "created", "bootId", "creator", "pid", "pidStart", "sharedPid", "cgroupV2", "cgroup", "hooks"}

var keysCgroupDir = []string{"controller", "path", "mount"}

// Append writes the record as one line of JSON.
func (r *Record) Append(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"version":`...), int64(r.Version), 10)
	b = member(b, "id", r.ID)
	b = member(b, "bundle", r.Bundle)
	b = member(b, "rootfs", r.Rootfs)
	b = member(b, "created", r.Created.UTC().Format(time.RFC3339Nano))
	b = member(b, "bootId", r.BootID)
	b = strconv.AppendInt(append(b, `,"creator":`...), int64(r.Creator), 10)
	b = strconv.AppendInt(append(b, `,"pid":`...), int64(r.Pid), 10)
	b = strconv.AppendUint(append(b, `,"pidStart":`...), r.PidStart, 10)
	b = strconv.AppendBool(append(b, `,"sharedPid":`...), r.SharedPid)
	b = strconv.AppendBool(append(b, `,"cgroupV2":`...), r.CgroupV2)
	b = append(b, `,"cgroup":[`...)
	for i, d := range r.Cgroup {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"controller":`...), d.Controller)
		b = member(b, "path", d.Path)
		b = append(member(b, "mount", d.Mount), '}')
	}
	b = append(b, ']')
	if r.Hooks {
		b = append(b, `,"hooks":true`...)
	}
	return append(b, "}\n"...)
}

func member(b []byte, key, value string) []byte {
	b = append(append(append(b, `,"`...), key...), `":`...)
	return appendText(b, value)
}

// appendText quotes s for JSON. What is not UTF-8 becomes U+FFFD.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// ParseRecord reads what Append wrote.
func ParseRecord(raw []byte) (*Record, error) {
	r := new(Record)
	_, err := decode("", raw, r, decodeRecord)
	return r, err
}

func decodeRecord(d *decoder, v *Record) {
	for i := range d.members(keysRecord) {
		switch i {
		case 0:
			signed(d, &v.Version)
		case 1:
			text(d, &v.ID)
		case 2:
			text(d, &v.Bundle)
		case 3:
			text(d, &v.Rootfs)
		case 4:
			instant(d, &v.Created)
		case 5:
			text(d, &v.BootID)
		case 6:
			signed(d, &v.Creator)
		case 7:
			signed(d, &v.Pid)
		case 8:
			unsigned(d, &v.PidStart)
		case 9:
			boolean(d, &v.SharedPid)
		case 10:
			boolean(d, &v.CgroupV2)
		case 11:
			list(d, &v.Cgroup, decodeCgroupDir)
		case 12:
			boolean(d, &v.Hooks)
		}
	}
}

func decodeCgroupDir(d *decoder, v *CgroupDir) {
	for i := range d.members(keysCgroupDir) {
		switch i {
		case 0:
			text(d, &v.Controller)
		case 1:
			text(d, &v.Path)
		case 2:
			text(d, &v.Mount)
		}
	}
}

func instant(d *decoder, v *time.Time) {
	var s string
	text(d, &s)
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		d.fault(0, "expected a time, found "+quote(s))
	}
	*v = t
}
