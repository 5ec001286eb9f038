package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// result is one line of the table.
type result struct {
	Case    string  `json:"case"`
	IdleMS  int64   `json:"idleMs"`
	Subject string  `json:"subject"`
	Unit    string  `json:"unit,omitempty"` // ms or KiB
	N       int     `json:"n"`
	P25     float64 `json:"p25"`
	P50     float64 `json:"p50"`
	P75     float64 `json:"p75"`
	Ratio   float64 `json:"ratioToCrun,omitempty"` // of the medians; 0 without crun
	Note    string  `json:"note,omitempty"`
	Error   string  `json:"error,omitempty"`
}

// quartiles sorts values in place.
func quartiles(subject, unit string, values []float64) result {
	slices.Sort(values)
	return result{
		Subject: subject, Unit: unit, N: len(values),
		P25: quantile(values, 0.25), P50: quantile(values, 0.5), P75: quantile(values, 0.75),
	}
}

// quantile interpolates between the two nearest of the sorted values; 0 for none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

func withRatios(results []result) []result {
	for i, r := range results {
		for _, other := range results {
			if other.Subject == "crun" && other.Case == r.Case && other.IdleMS == r.IdleMS && other.P50 > 0 {
				results[i].Ratio = r.P50 / other.P50
			}
		}
	}
	return results
}

func printHost(w *world) {
	host := hostFacts()
	fmt.Printf("Linux %s, %d CPUs, load %s, state in %s\n", host.Kernel, host.CPUs, host.Load, w.stateDir)
	for _, c := range w.contestants {
		fmt.Printf("%s: %s\n", c.name(), c.describe())
	}
	for _, reason := range w.missing {
		fmt.Println("LEFT OUT:", reason)
	}
}

// printTable prints one block per case and idle time, and below it what went wrong.
func printTable(out io.Writer, results []result) {
	fmt.Fprintf(out, "\n%-15s %4s  %-11s %4s %9s %9s %9s  %-4s %6s\n", "case", "idle", "who", "n", "p25", "p50", "p75", "unit", "× crun")
	last := ""
	for _, r := range results {
		if block := fmt.Sprint(r.Case, r.IdleMS); block != last {
			fmt.Fprintln(out)
			last = block
		}
		fmt.Fprintln(out, line(r))
	}
	fmt.Fprintln(out)
	for _, r := range results {
		if text := r.Note + r.Error; text != "" {
			fmt.Fprintf(out, "%s, idle %d, %s: %s\n", r.Case, r.IdleMS, r.Subject, text)
		}
	}
}

func line(r result) string {
	text := fmt.Sprintf("%-15s %4d  %-11s %4d", r.Case, r.IdleMS, r.Subject, r.N)
	decimals := 2
	if r.Unit == "KiB" {
		decimals = 0
	}
	if r.N > 0 {
		text += fmt.Sprintf(" %9.*f %9.*f %9.*f  %-4s %6s", decimals, r.P25, decimals, r.P50, decimals, r.P75, r.Unit, ratio(r.Ratio))
	}
	switch {
	case r.Error != "":
		text += "  FAILED"
	case r.Note != "":
		text += "  LEFT OUT"
	}
	return text
}

func ratio(value float64) string {
	if value == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", value)
}

func failures(results []result) error {
	var errs []error
	for _, r := range results {
		if r.Error != "" {
			errs = append(errs, fmt.Errorf("%s of %s: %s", r.Case, r.Subject, r.Error))
		}
	}
	return errors.Join(errs...)
}

type facts struct {
	Kernel string    `json:"kernel"`
	CPUs   int       `json:"cpus"`
	Load   string    `json:"load"`
	Time   time.Time `json:"time"`
}

func hostFacts() facts {
	var name unix.Utsname
	kernel := "unknown"
	if unix.Uname(&name) == nil {
		kernel = unix.ByteSliceToString(name.Release[:])
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		load = []byte("unknown")
	}
	return facts{kernel, runtime.NumCPU(), strings.TrimSpace(string(load)), time.Now().UTC()}
}

func writeJSON(path string, w *world, results []result) error {
	data, err := json.MarshalIndent(struct {
		Host    facts    `json:"host"`
		Missing []string `json:"leftOut"`
		Results []result `json:"results"`
	}{hostFacts(), w.missing, results}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
