package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"rt/internal/config"
	"rt/internal/errs"
)

// record is one line of the log. Managers read level, msg and time (RFC 3339).
type record struct {
	Error    *cause   `json:"error,omitempty"`
	Level    string   `json:"level"`
	Msg      string   `json:"msg"`
	Time     string   `json:"time"`
	Warnings []string `json:"warnings,omitempty"` // of a command that failed
}

// cause is an errs.Error for machines.
type cause struct {
	Kind   string  `json:"kind"`
	Op     string  `json:"op,omitempty"`
	Path   string  `json:"path,omitempty"`
	Where  string  `json:"where,omitempty"` // JSON pointer, RFC 6901
	In     string  `json:"in,omitempty"`    // what it points into, "" for config.json
	Faults []fault `json:"faults,omitempty"`
}

// fault is one of the things that are wrong with config.json.
type fault struct {
	Where string `json:"where"`
	Line  int    `json:"line,omitempty"`
	Msg   string `json:"msg"`
	Hint  string `json:"hint,omitempty"`
}

// faultsOf lists the faults of a config.json that is invalid.
func faultsOf(err error) []fault {
	found, _ := errors.AsType[config.Faults](err)
	var list []fault
	for _, f := range found {
		list = append(list, fault(f))
	}
	return list
}

func failed(err error, warnings []string) record {
	c := &cause{Kind: errs.KindOf(err).String(), Faults: faultsOf(err)}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if x, ok := e.(*errs.Error); ok {
			c.add(x)
		}
	}
	return record{Error: c, Level: "error", Msg: err.Error(), Warnings: warnings}
}

// add fills in what is still unknown: the outermost error knows best.
func (c *cause) add(e *errs.Error) {
	c.Op = first(c.Op, e.Op)
	c.Path = first(c.Path, e.Path)
	if c.Where == "" {
		c.Where, c.In = e.Where, e.In
	}
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// appendJSON adds the record as one line. The types cannot fail to encode.
func (r record) appendJSON(b []byte) []byte {
	buf := bytes.NewBuffer(b)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	enc.Encode(r)
	return buf.Bytes()
}

// appendText adds the record as one line of name=value fields; what is empty is left out.
func (r record) appendText(b []byte) []byte {
	b = append(b, "time="...)
	b = append(b, r.Time...)
	b = append(b, " level="+r.Level...)
	b = appendField(b, "msg", r.Msg)
	if r.Error != nil {
		b = r.Error.appendText(b)
	}
	for _, w := range r.Warnings {
		b = appendField(b, "warning", w)
	}
	return append(b, '\n')
}

func (c *cause) appendText(b []byte) []byte {
	b = append(b, " kind="+c.Kind...)
	b = appendField(b, "op", c.Op)
	b = appendField(b, "path", c.Path)
	b = appendField(b, "where", c.Where)
	b = appendField(b, "in", c.In)
	for _, f := range c.Faults {
		b = appendField(b, "fault", strings.TrimPrefix(f.Where+": "+f.Msg, ": "))
	}
	return b
}

func appendField(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, " "+name+"="...)
	return strconv.AppendQuote(b, value)
}
