package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const rssSamples = 5

// rssResults: resident memory of init while it waits for start, in KiB.
func rssResults(w *world) []result {
	b, err := w.newBundle("sleep", nil, "/bin/sleep", "1000")
	if err != nil {
		return []result{{Subject: "all", Error: err.Error()}}
	}
	var results []result
	for _, c := range w.contestants {
		var values []float64
		for n := 0; n < rssSamples && err == nil; n++ {
			var kib float64
			kib, err = createdRSS(c, b, w.id(c, "rss", n))
			values = append(values, kib)
		}
		r := quartiles(c.name(), "KiB", values)
		if err != nil {
			r.Error = err.Error()
		}
		err = nil
		results = append(results, r)
	}
	return results
}

func createdRSS(c contestant, b bundle, id string) (kib float64, err error) {
	h, err := c.hold(b, id, "created")
	if err != nil {
		return 0, err
	}
	defer func() {
		if failed := h.release(); err == nil {
			err = failed
		}
	}()
	path := fmt.Sprintf("/proc/%d/smaps_rollup", h.pid)
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Rss:" {
			return strconv.ParseFloat(fields[1], 64)
		}
	}
	return 0, fmt.Errorf("no Rss in %s", path)
}
