package v2

import (
	"strconv"

	"rt/cgroups/cgroupfs"
)

// WeightFile is the group's weight for BFQ, in config.json's range, 10 … 1000. Without BFQ
// there may be WeightFileCost, of the I/O cost model, in v2's range of weights, 1 … 10000.
const (
	WeightFile     = "io.bfq.weight"
	WeightFileCost = "io.weight"
)

// CostWeight maps 10 … 1000 to 1 … 10000, end to end on a straight line.
func CostWeight(weight string) string {
	n, _ := strconv.ParseUint(weight, 10, 16)
	return cgroupfs.Decimal(1 + (max(n, 10)-10)*9999/990)
}
