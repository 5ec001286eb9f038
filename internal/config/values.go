package config

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// text reads a string.
func text[T ~string](d *decoder, v *T) {
	*v = ""
	if !d.is('"', "a string") {
		return
	}
	if s, ok := d.chars(); ok {
		*v = T(s)
	}
}

// boolean reads true or false.
func boolean(d *decoder, v *bool) {
	*v = d.in.PeekKind() == 't'
	if *v || d.is('f', "a boolean") {
		d.token()
	}
}

// signed reads a whole number that T can hold.
func signed[T ~int | ~int32 | ~int64](d *decoder, v *T) {
	*v = 0
	digits, start, ok := d.digits()
	if !ok {
		return
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err == nil && int64(T(n)) == n {
		*v = T(n)
		return
	}
	top := T(1)
	for top<<1 > 0 {
		top <<= 1
	}
	top += top - 1
	d.badNumber(digits, start, err, strconv.FormatInt(-int64(top)-1, 10)+" to "+strconv.FormatInt(int64(top), 10))
}

// unsigned reads a whole number from 0 that T can hold.
func unsigned[T ~uint | ~uint16 | ~uint32 | ~uint64](d *decoder, v *T) {
	*v = 0
	digits, start, ok := d.digits()
	if !ok {
		return
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err == nil && uint64(T(n)) == n {
		*v = T(n)
		return
	}
	d.badNumber(digits, start, err, "0 to "+strconv.FormatUint(uint64(^T(0)), 10))
}

// digits reads a number's text, and the offset it starts at.
func (d *decoder) digits() (string, int, bool) {
	if !d.is('0', "a whole number") {
		return "", 0, false
	}
	value, err := d.in.ReadValue()
	if err != nil {
		d.syntax(err)
		return "", 0, false
	}
	end := int(d.in.InputOffset())
	return d.text[end-len(value) : end], end - len(value), true
}

func (d *decoder) badNumber(digits string, start int, err error, limits string) {
	msg := " is out of range, " + limits
	if errors.Is(err, strconv.ErrSyntax) && !strings.HasPrefix(digits, "-") || strings.ContainsAny(digits, ".eE") {
		msg = " is not a whole number without fraction and exponent"
	}
	if len(digits) > maxQuote {
		digits = digits[:maxQuote] + "…"
	}
	d.fault(start, digits+msg)
}

// pointer reads a value that may be absent.
func pointer[T any](d *decoder, v **T, read func(*decoder, *T)) {
	*v = new(T)
	read(d, *v)
}

// list reads an array. Unlike a member, an element cannot be absent: null is a fault.
func list[T any](d *decoder, v *[]T, read func(*decoder, *T)) {
	*v = []T{}
	for range d.inside('[', ']', "an array") {
		if d.in.PeekKind() == 'n' {
			d.mismatch("an element")
			continue
		}
		if cap(*v) == 0 {
			*v = slices.Grow(*v, 4)
		}
		var zero T
		*v = append(*v, zero)
		read(d, &(*v)[len(*v)-1]) // in place: a variable would be one allocation for each element
	}
}

// table reads an object with any keys.
func table[T any](d *decoder, v *map[string]T, read func(*decoder, *T)) {
	*v = map[string]T{}
	var element T // one for all: every reader sets the whole of it
	for range d.inside('{', '}', "an object") {
		name, ok := d.name()
		if !ok {
			continue
		}
		if _, again := (*v)[name]; again {
			d.warn("key "+quote(name)+" appears again; the last one counts", "")
		}
		if d.in.PeekKind() == 'n' {
			d.mismatch("a value")
			continue
		}
		read(d, &element)
		(*v)[name] = element
	}
}

// foreign skips a member that only other platforms know.
func foreign(d *decoder) {
	d.warn("ignored on Linux", "")
	d.skip()
}
