package config

import "rt/rootfs"

// flags are bits that options have set, or cleared in so many words.
type flags struct{ set, cleared uint64 }

// options is what the options of one mount amount to so far.
type options struct {
	attr, recursive flags
	super           []string
	bind            string
	propagation     string
}

// add is the option, or "an earlier option", that o contradicts; "" if it fits.
func (e *options) add(o rootfs.Option) string {
	switch o.Class {
	case rootfs.Attr:
		return e.attr.add(o)
	case rootfs.Recursive:
		return e.recursive.add(o)
	case rootfs.Super:
		return e.addSuper(o.Name)
	case rootfs.Bind:
		return replace(&e.bind, o.Name)
	case rootfs.Propagation:
		return replace(&e.propagation, o.Name)
	}
	return ""
}

func (f *flags) add(o rootfs.Option) string {
	const marker = rootfs.Recurse // says how to apply the bits, is none of them
	set := o.Set &^ marker
	after := f.set&^o.Clear | set
	contradicts := f.set&^after != 0 || f.cleared&set != 0
	f.set, f.cleared = after, (f.cleared|o.Clear)&^set
	if contradicts {
		return "an earlier option"
	}
	return ""
}

func replace(old *string, name string) string {
	previous := *old
	*old = name
	if previous == "" || previous == name {
		return ""
	}
	return quote(previous)
}

func (e *options) addSuper(name string) string {
	for _, other := range e.super {
		if opposite(name, other) || opposite(other, name) {
			return quote(other)
		}
	}
	e.super = append(e.super, name)
	return ""
}

func opposite(a, b string) bool { return a == "no"+b || a == "async" && b == "sync" }
