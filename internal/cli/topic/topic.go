// Package topic holds what is known about rt and each of its commands, for those who write it
// down: the manual and the shells' completions.
package topic

// Command is a command, or rt itself.
type Command struct {
	Name     string  // "" is rt
	Args     string  // as the usage line has them
	Usage    string  // one line
	Text     string  // description; lines that are indented are examples
	Operands []Value // what follows the flags
	Flags    []Flag
}

// Flag is an option of a command.
type Flag struct {
	Long, Short string // without dashes; Short may be ""
	Usage       string
	Value       Value // its Name is "" for a flag that takes none
}

// Value is what can stand for a word of the command line.
type Value struct {
	Name  string   // as help has it: CONTAINER, DIR
	Words []string // all that it can be; nil: not known
	Suits string   // of CONTAINER: the statuses that it can have; "": any
}

// Manual is what only the manual page of a command says. Texts are like Command.Text.
type Manual struct {
	Text        string // more of the description
	Exit        []Item
	Environment []Item
	Files       []Item
	See         []string // other pages: runc(8)
}

// Item is a row of a list: a name and what there is to say about it.
type Item [2]string
