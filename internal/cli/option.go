package cli

import (
	"errors"
	"strconv"
	"strings"
)

// option is a flag that is bound to a variable.
type option struct {
	value value
	long  string
	short string // one letter, or ""
	usage string // `NAME` is the value's name; a flag without one takes no value
}

// value is a variable's reader of what stands on the command line.
type value interface{ Set(string) error }

func text(v *string, long, short, usage string) *option {
	return &option{(*textValue)(v), long, short, usage}
}

func toggle(v *bool, long, short, usage string) *option {
	return &option{(*boolValue)(v), long, short, usage}
}

func list(v *[]string, long, short, usage string) *option {
	return &option{(*listValue)(v), long, short, usage + "; repeatable"}
}

// oneOf is a text that is one of words. Who reads it checks that: help comes before a wrong value.
func oneOf(v *string, words []string, long, short, usage string) *option {
	return &option{choiceValue{v, words}, long, short, usage}
}

func helpOption(v *bool) *option { return toggle(v, "help", "h", "print this text") }

func (o *option) has(name string) bool { return name == o.long || name == o.short }

// alone is true for a flag that needs no value.
func (o *option) alone() bool {
	_, ok := o.value.(*boolValue)
	return ok
}

// columns are the two of the help text.
func (o *option) columns() [2]string {
	left := "--" + o.long
	if o.short != "" {
		left += ", -" + o.short
	}
	placeholder, usage := o.split()
	if placeholder != "" {
		left += " " + placeholder
	}
	return [2]string{left, usage}
}

// split is the name of the value, "" if there is none, and the usage as it is printed.
func (o *option) split() (placeholder, usage string) {
	before, rest, _ := strings.Cut(o.usage, "`")
	placeholder, after, _ := strings.Cut(rest, "`")
	return placeholder, before + placeholder + after
}

type textValue string

func (v *textValue) Set(s string) error { *v = textValue(s); return nil }

// choiceValue is a text that is one of words.
type choiceValue struct {
	text  *string
	words []string
}

func (v choiceValue) Set(s string) error { *v.text = s; return nil }

// pathValue is a text that is not empty: "" would mean the working directory.
type pathValue string

func (v *pathValue) Set(s string) error {
	if s == "" {
		return errors.New("empty path")
	}
	*v = pathValue(s)
	return nil
}

type boolValue bool

func (v *boolValue) Set(s string) error {
	b, err := strconv.ParseBool(s)
	*v = boolValue(b)
	return reason(err)
}

// countValue is a number that is not negative.
type countValue int

func (v *countValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 31)
	*v = countValue(n)
	return reason(err)
}

// listValue takes a value as it is: exec -e A=1,2 is one variable.
type listValue []string

func (v *listValue) Set(s string) error { *v = append(*v, s); return nil }

// idsValue is a list of group ids.
type idsValue []uint32

func (v *idsValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 32)
	*v = append(*v, uint32(n))
	return reason(err)
}

// reason leaves out what option.set says itself: the value.
func reason(err error) error {
	if e, ok := err.(*strconv.NumError); ok {
		return e.Err
	}
	return err
}
