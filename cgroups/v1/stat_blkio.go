package v1

import (
	"strings"

	"rt/cgroups/stat"
)

// blkioStat: a device counts for the I/O scheduler BFQ if it uses that, and else for
// throttling, which has fewer numbers.
func blkioStat(r *stat.Reader, s *stat.Stats) {
	s.IO = stat.IO{
		Bytes:       blkioEntries(r, "bfq.io_service_bytes"),
		Count:       blkioEntries(r, "bfq.io_serviced"),
		Queued:      blkioEntries(r, "bfq.io_queued"),
		ServiceTime: blkioEntries(r, "bfq.io_service_time"),
		WaitTime:    blkioEntries(r, "bfq.io_wait_time"),
		Merged:      blkioEntries(r, "bfq.io_merged"),
		Time:        blkioEntries(r, "bfq.time"),
		Sectors:     blkioEntries(r, "bfq.sectors"),
	}
	if len(s.IO.Count) == 0 {
		s.IO.Bytes = blkioEntries(r, "throttle.io_service_bytes")
		s.IO.Count = blkioEntries(r, "throttle.io_serviced")
	}
}

// blkioEntries reads lines MAJOR:MINOR [OP] NUMBER. A last line is the total of all devices.
func blkioEntries(r *stat.Reader, name string) (list []stat.IOEntry) {
	file := "blkio." + name + "_recursive"
	for line := range strings.Lines(r.Text(file)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] == "Total" {
			continue
		}
		e := stat.IOEntry{Value: r.Number(file, f[len(f)-1])}
		e.Major, e.Minor = r.Device(file, f[0])
		if len(f) == 3 {
			e.Op = f[1]
		}
		list = append(list, e)
	}
	return list
}
