//go:build managers

package managers

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// cell is how one row ended.
type cell struct{ manager, runtime, row, result string }

// cannot skips a row that is among the lacks. The reason is printed below the table.
func cannot(t *testing.T, lacks []lack, row string) {
	for _, l := range lacks {
		if l.row == row {
			it.reasons = append(it.reasons, l)
			t.Skip(l.reason)
		}
	}
}

// printReasons says once for each reason which rows it took.
func printReasons(w io.Writer, reasons []lack) {
	var said []string
	for _, l := range reasons {
		if slices.Contains(said, l.reason) {
			continue
		}
		said = append(said, l.reason)
		var rows []string
		for _, other := range reasons {
			if other.reason == l.reason && !slices.Contains(rows, other.row) {
				rows = append(rows, other.row)
			}
		}
		fmt.Fprintf(w, "– %s: %s\n", strings.Join(rows, ", "), l.reason)
	}
}

// note records a row's end; it is deferred, so that a row that failed counts as well.
func note(t *testing.T, manager, runtime, row string) {
	result := "ok"
	switch {
	case t.Failed():
		result = "FAIL"
	case t.Skipped():
		result = "–"
	}
	it.cells = append(it.cells, cell{manager, runtime, row, result})
}

// printTable prints a line for each row and a column for each manager: rt, and runc beside it.
func printTable(w io.Writer, cells []cell) {
	var columns, rows []string
	found := map[[2]string]map[string]string{}
	for _, c := range cells {
		if !slices.Contains(columns, c.manager) {
			columns = append(columns, c.manager)
		}
		if !slices.Contains(rows, c.row) {
			rows = append(rows, c.row)
		}
		key := [2]string{c.row, c.manager}
		if found[key] == nil {
			found[key] = map[string]string{}
		}
		found[key][c.runtime] = c.result
	}
	width := 10
	for _, r := range rows {
		width = max(width, len(r))
	}
	line := func(first string, cell func(column string) string) {
		text := fmt.Sprintf("%-*s", width, first)
		for _, c := range columns {
			text += fmt.Sprintf("  %-*s", max(len(c), 9), cell(c))
		}
		fmt.Fprintln(w, strings.TrimRight(text, " "))
	}
	line("rt/runc", func(c string) string { return c })
	for _, r := range rows {
		line(r, func(c string) string { return pair(found[[2]string{r, c}]) })
	}
}

// pair is the two results of a row; a manager that lacks it shows nothing.
func pair(of map[string]string) string {
	if of == nil {
		return "–"
	}
	show := func(s string) string {
		if s == "" {
			return "–"
		}
		return s
	}
	return show(of["rt"]) + "/" + show(of["runc"])
}
