package cli

import (
	"errors"
	"flag"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// option is a flag that is bound to a variable, and a cli.Flag. The library's own flags
// take 0.2 ms more for exec (a regular expression for every use of a name, squared by the
// number of flags), refuse -e together with --env, and send -e through JSON, which alters
// values that are not UTF-8.
type option struct {
	value flag.Value
	long  string
	short string // one letter, or ""
	usage string // `NAME` is the value's name; a flag without one takes no value
}

var _ cli.VisibleFlag = (*option)(nil)

func text(v *string, long, short, usage string) *option {
	return &option{(*textValue)(v), long, short, usage}
}

func toggle(v *bool, long, short, usage string) *option {
	return &option{(*boolValue)(v), long, short, usage}
}

func list(v *[]string, long, short, usage string) *option {
	return &option{(*listValue)(v), long, short, usage + "; repeatable"}
}

// Apply makes set know both names. They share the value, so either can be used, and both.
func (o *option) Apply(set *flag.FlagSet) error {
	set.Var(o.value, o.long, o.usage)
	if o.short != "" {
		set.Var(o.value, o.short, o.usage)
	}
	return nil
}

// Names leaves out the short name: the library would copy the value from one to the other.
func (o *option) Names() []string { return []string{o.long} }

// IsSet is for values from the environment, which there are none of.
func (o *option) IsSet() bool { return false }

// IsVisible puts the flag into the help text.
func (o *option) IsVisible() bool { return true }

// String is the line of the help text, in two columns.
func (o *option) String() string {
	s := "--" + o.long
	if o.short != "" {
		s += ", -" + o.short
	}
	before, rest, _ := strings.Cut(o.usage, "`")
	placeholder, after, found := strings.Cut(rest, "`")
	if found {
		s += " " + placeholder
	}
	return s + "\t" + before + placeholder + after
}

// takesValue is false for the flags that may stand alone.
func (o *option) takesValue() bool {
	_, alone := o.value.(*boolValue)
	return !alone
}

type textValue string

func (v *textValue) String() string     { return string(*v) }
func (v *textValue) Set(s string) error { *v = textValue(s); return nil }

// pathValue is a text that is not empty: "" would mean the working directory.
type pathValue string

func (v *pathValue) String() string { return string(*v) }
func (v *pathValue) Set(s string) error {
	if s == "" {
		return errors.New("empty path")
	}
	*v = pathValue(s)
	return nil
}

type boolValue bool

func (v *boolValue) String() string   { return strconv.FormatBool(bool(*v)) }
func (v *boolValue) IsBoolFlag() bool { return true } // package flag: no argument needed
func (v *boolValue) Set(s string) error {
	b, err := strconv.ParseBool(s)
	*v = boolValue(b)
	return reason(err)
}

// countValue is a number that is not negative.
type countValue int

func (v *countValue) String() string { return strconv.Itoa(int(*v)) }
func (v *countValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 31)
	*v = countValue(n)
	return reason(err)
}

// listValue takes a value as it is: exec -e A=1,2 is one variable.
type listValue []string

func (v *listValue) String() string     { return strings.Join(*v, " ") }
func (v *listValue) Set(s string) error { *v = append(*v, s); return nil }

// idsValue is a list of group ids.
type idsValue []uint32

func (v *idsValue) String() string { return "" }
func (v *idsValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 32)
	*v = append(*v, uint32(n))
	return reason(err)
}

// reason leaves out what package flag says itself: the value.
func reason(err error) error {
	if e, ok := err.(*strconv.NumError); ok {
		return e.Err
	}
	return err
}
