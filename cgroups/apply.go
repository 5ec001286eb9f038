package cgroups

import (
	"golang.org/x/sys/unix"

	"rt/cgroups/cgroupfs"
	"rt/internal/errs"
)

// Apply does the writes, in their order. One that is refused with EINVAL is tried again
// after the others, because the right order of limits that bound each other (memory and
// memory+swap, period and quota) depends on their old values.
func (g Group) Apply(writes []Write) error {
	if err := g.weigh(writes); err != nil {
		return err
	}
	for {
		refused, err := g.pass(writes)
		if err != nil || len(refused) == 0 {
			return err
		}
		if len(refused) == len(writes) {
			return g.last(refused[0])
		}
		writes = refused
	}
}

// last tries a refused write once more. An unlimited memory limit needs an unlimited
// memory+swap limit, which config.json need not name.
func (g Group) last(w Write) error {
	if w.File == "memory.limit_in_bytes" && w.Value == "-1" {
		swap := w
		swap.File = "memory.memsw.limit_in_bytes"
		if err := g.write(swap); err != nil {
			return err
		}
		return g.write(w)
	}
	return g.fault(w, unix.EINVAL)
}

func (g Group) write(w Write) error {
	err := cgroupfs.Write(g.path(w), w.Value)
	if e, ok := err.(*errs.Error); ok {
		e.Where = w.Where
	}
	return err
}

func (g Group) path(w Write) string { return g.Dirs[w.Dir].Path + "/" + w.File }

func (g Group) fault(w Write, err error) error {
	return errs.At(w.Where, cgroupfs.WriteOp(w.Value), g.path(w), err)
}

// pass does all writes once and gives those refused with EINVAL. The file stays open from
// one write to the next: device rules are a dozen writes to the same one.
func (g Group) pass(writes []Write) (refused []Write, err error) {
	fd, name := -1, ""
	defer func() { unix.Close(fd) }()
	for _, w := range writes {
		if p := g.path(w); p != name {
			unix.Close(fd)
			fd, err = cgroupfs.Open(p)
			name = p
		}
		if err == nil {
			err = cgroupfs.WriteFd(fd, w.Value)
		}
		switch {
		case err == nil, tolerable(w, err):
		case err == unix.EINVAL:
			refused = append(refused, w)
		default:
			return nil, g.fault(w, err)
		}
		if fd < 0 {
			name = ""
		}
		err = nil
	}
	return refused, nil
}

// tolerable says that a failed write asked for what is so anyway.
func tolerable(w Write, err error) bool {
	switch w.File {
	case "memory.swap.max": // without swap in the kernel there is none to be limited
		return err == unix.ENOENT && (w.Value == "max" || w.Value == "0")
	case "devices.allow": // a default device that we, in a container ourselves, do not have
		return err == unix.EPERM && w.Where == ""
	}
	return false
}
