package stat

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/internal/errs"
)

// Reader reads the files of the group at Dir. A file that this host does not have reads as
// empty, as 0; the first other error stays in Err.
type Reader struct {
	Dir string
	Err error
}

// Text is the text of a file.
func (r *Reader) Text(name string) string {
	text, err := cgroupfs.Read(r.Dir + "/" + name)
	// EOPNOTSUPP: *.pressure of a kernel that was started with psi=0.
	if !cgroupfs.Gone(err) && !errors.Is(err, unix.EOPNOTSUPP) {
		r.note(err)
	}
	return text
}

// Uint is a file with one number; "max" is the largest there is.
func (r *Reader) Uint(name string) uint64 {
	text := r.Text(name)
	switch text {
	case "":
		return 0
	case "max":
		return math.MaxUint64
	}
	return r.Number(name, text)
}

// Int is a file with one number that may be negative.
func (r *Reader) Int(name string) int64 {
	text := r.Text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	r.fault(name, err)
	return n
}

// Uints is a file with numbers between spaces.
func (r *Reader) Uints(name string) []uint64 {
	var list []uint64
	for field := range strings.FieldsSeq(r.Text(name)) {
		list = append(list, r.Number(name, field))
	}
	return list
}

// Keyed is a flat keyed file, with lines KEY NUMBER, such as memory.stat.
func (r *Reader) Keyed(name string) map[string]uint64 {
	m := map[string]uint64{}
	for line := range strings.Lines(r.Text(name)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			m[key] = r.Number(name, value)
		}
	}
	return m
}

// List is a file with a list such as 0-3,7: cpuset(7), "List format".
func (r *Reader) List(name string) []uint16 {
	text := r.Text(name)
	if text == "" {
		return nil
	}
	var list []uint16
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, err1 := strconv.ParseUint(low, 10, 16)
		last, err2 := strconv.ParseUint(high, 10, 16)
		r.fault(name, errors.Join(err1, err2))
		for n := first; n <= last && r.Err == nil; n++ {
			list = append(list, uint16(n))
		}
	}
	return list
}

// Pressure is a file of pressure stall information, nil without it.
func (r *Reader) Pressure(name string) *Pressure {
	text := r.Text(name)
	if text == "" {
		return nil
	}
	p := new(Pressure)
	for line := range strings.Lines(text) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch kind {
		case "some":
			p.Some = r.stall(name, rest)
		case "full":
			p.Full = r.stall(name, rest)
		}
	}
	return p
}

func (r *Reader) stall(name, fields string) (s Stall) {
	for field := range strings.FieldsSeq(fields) {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "avg10":
			s.Avg10 = r.percent(name, value)
		case "avg60":
			s.Avg60 = r.percent(name, value)
		case "avg300":
			s.Avg300 = r.percent(name, value)
		case "total":
			s.Total = r.Number(name, value)
		}
	}
	return s
}

func (r *Reader) percent(name, text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	r.fault(name, err)
	return v
}

// Pages are the sizes of huge pages there are files hugetlb.SIZE.LAST for.
func (r *Reader) Pages(last string) []string {
	entries, err := os.ReadDir(r.Dir)
	if !os.IsNotExist(err) {
		r.note(err)
	}
	var sizes []string
	for _, e := range entries {
		size, isPages := strings.CutPrefix(e.Name(), "hugetlb.")
		size, isLast := strings.CutSuffix(size, "."+last)
		if isPages && isLast && !strings.Contains(size, ".") {
			sizes = append(sizes, size)
		}
	}
	return sizes
}

// Device reads MAJOR:MINOR.
func (r *Reader) Device(name, text string) (major, minor uint64) {
	a, b, _ := strings.Cut(text, ":")
	return r.Number(name, a), r.Number(name, b)
}

// Number reads text, a part of the file called name.
func (r *Reader) Number(name, text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	r.fault(name, err)
	return n
}

// fault notes that the file called name holds something else than it should.
func (r *Reader) fault(name string, err error) {
	if err != nil {
		r.note(errs.Op("read", r.Dir+"/"+name, err))
	}
}

func (r *Reader) note(err error) {
	if r.Err == nil {
		r.Err = err
	}
}
