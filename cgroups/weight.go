package cgroups

import (
	"errors"

	"golang.org/x/sys/unix"

	"rt/cgroups/v1"
	"rt/cgroups/v2"
	"rt/internal/errs"
)

// weigh puts each write of a weight of block I/O to the file that this kernel has: which one
// depends on its I/O schedulers, and shows only in a group that is there.
func (g Group) weigh(writes []Write) error {
	for i, w := range writes {
		if w.File != v1.WeightFile && w.File != v2.WeightFile || g.has(w) {
			continue
		}
		other := Write{w.Dir, v1.WeightFileBFQ, w.Value, w.Where}
		if w.File == v2.WeightFile {
			other.File, other.Value = v2.WeightFileCost, v2.CostWeight(w.Value)
		}
		if !g.has(other) {
			why := errors.New("no I/O scheduler of this kernel has weights: there is neither " + w.File + " nor " + other.File)
			return &errs.Error{Op: "set a weight for", Path: g.Dirs[w.Dir].Path, Where: w.Where, Kind: errs.Unsupported, Err: why}
		}
		writes[i] = other
	}
	return nil
}

func (g Group) has(w Write) bool { return unix.Access(g.path(w), unix.F_OK) == nil }
