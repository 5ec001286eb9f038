package config

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// lineCounter turns offsets into 1-based lines. Rising offsets cost one pass over raw in all.
type lineCounter struct {
	raw    []byte
	offset int
	breaks int
}

func (c *lineCounter) at(offset int) int {
	offset = min(offset, len(c.raw))
	if offset < c.offset {
		c.offset, c.breaks = 0, 0
	}
	c.breaks += bytes.Count(c.raw[c.offset:offset], []byte{'\n'})
	c.offset = offset
	return c.breaks + 1
}

// Line is the line of the value at the JSON pointer, or of the nearest value around it that
// is there. It reads Raw again. 0 is unknown: there is no Raw, or it is not JSON.
func (d *Document) Line(pointer string) int { return lines(d.Raw, []string{pointer})[0] }

// lines is Line for many pointers, in one pass.
func lines(raw []byte, pointers []string) []int {
	found := map[string]int{}
	for _, p := range pointers {
		for ; found[p] == 0; p = parent(p) {
			found[p] = -1
			if p == "" {
				break
			}
		}
	}
	locate(raw, found)
	out := make([]int, len(pointers))
	for i, p := range pointers {
		for ; found[p] < 0 && p != ""; p = parent(p) {
		}
		out[i] = max(found[p], 0)
	}
	return out
}

func parent(pointer string) string { return pointer[:max(strings.LastIndexByte(pointer, '/'), 0)] }

// locate fills in the line where the value of each pointer in found starts. Where a key
// appears twice, the last one is what was decoded.
func locate(raw []byte, found map[string]int) {
	in := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true))
	count := lineCounter{raw: raw}
	var where []byte
	for {
		token, err := in.ReadToken()
		if err != nil {
			return
		}
		if kind := token.Kind(); kind == '}' || kind == ']' {
			continue
		}
		where = append(where[:0], in.StackPointer()...)
		if found[string(where)] != 0 {
			found[string(where)] = count.at(int(in.InputOffset()))
		}
	}
}

// inOrder sorts faults by line and fills the lines in.
func inOrder(raw []byte, faults Faults) Faults {
	if len(faults) == 0 {
		return faults
	}
	pointers := make([]string, len(faults))
	for i, f := range faults {
		pointers[i] = f.Where
	}
	for i, line := range lines(raw, pointers) {
		faults[i].Line = line
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return a.Line - b.Line })
	return faults
}
