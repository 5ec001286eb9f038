package cgroupfs

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Weight adds the weight of block I/O, 10 … 1000; 0 means unset.
func (s *Settings) Weight(controller, file string, b *specs.LinuxBlockIO) {
	if b != nil && Asks(b.Weight) {
		s.Set(controller, file, Decimal(uint64(*b.Weight)), "/blockIO/weight")
	}
}
