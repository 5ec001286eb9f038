package v1

// WeightFile is the group's weight of block I/O where an I/O scheduler weighs by itself. The
// one that does so is BFQ, whose file has a name of its own, and the same range.
const (
	WeightFile    = "blkio.weight"
	WeightFileBFQ = "blkio.bfq.weight"
)
