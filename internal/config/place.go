package config

import (
	"strconv"
	"strings"
)

// place is a spot in the document. It becomes a JSON pointer only when a fault needs one,
// so a configuration without faults costs no strings. nil is the whole document.
type place struct {
	up    *place
	name  string
	index int // -1: a member, by name
}

func (p *place) key(name string) *place { return &place{p, name, -1} }

func (p *place) item(i int) *place { return &place{p, "", i} }

// String is the JSON pointer, RFC 6901.
func (p *place) String() string {
	if p == nil {
		return ""
	}
	if p.index >= 0 {
		return p.up.String() + "/" + strconv.Itoa(p.index)
	}
	return p.up.String() + "/" + strings.ReplaceAll(strings.ReplaceAll(p.name, "~", "~0"), "/", "~1")
}
