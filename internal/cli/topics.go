package cli

import (
	"strings"

	"rt/internal/cli/topic"
	"rt/internal/kernel"
)

// Topics describes rt, the first, and every command, from the tables that the command line
// is parsed and helped by.
func Topics() []topic.Command { return topics(commands) }

func topics(table []entry) []topic.Command {
	list := []topic.Command{{
		Args:  "COMMAND [ARG...]",
		Usage: summary,
		Text:  description,
		Flags: describe(mainOptions(new(globals), new(bool), new(bool))),
	}}
	for _, e := range table {
		list = append(list, e.topic(e.make()))
	}
	return list
}

func (e entry) topic(cmd command) topic.Command {
	return topic.Command{
		Name:     e.name,
		Args:     e.args,
		Usage:    e.usage,
		Text:     cmd.text,
		Operands: operands(e.args, cmd.suits),
		Flags:    describe(append(cmd.flags, helpOption(new(bool)))),
	}
}

func describe(options []*option) []topic.Flag {
	var list []topic.Flag
	for _, o := range options {
		if o.usage == "" { // accepted for the sake of old callers
			continue
		}
		placeholder, usage := o.split()
		list = append(list, topic.Flag{Long: o.long, Short: o.short, Usage: usage,
			Value: topic.Value{Name: placeholder, Words: o.words(placeholder)}})
	}
	return list
}

// operands reads the arguments of a row of the table of commands: "CONTAINER [SIGNAL]".
func operands(args, suits string) []topic.Value {
	var list []topic.Value
	for name := range strings.FieldsSeq(strings.NewReplacer("[", "", "]", "", "...", "").Replace(args)) {
		v := topic.Value{Name: name, Words: wordsOf(name)}
		if name == "CONTAINER" {
			v.Suits = suits
		}
		list = append(list, v)
	}
	return list
}

// words are all values of a flag, nil if they are not known.
func (o *option) words(placeholder string) []string {
	if c, ok := o.value.(choiceValue); ok {
		return c.words
	}
	return wordsOf(placeholder)
}

// wordsOf are the words that a placeholder stands for wherever it is used.
func wordsOf(placeholder string) []string {
	switch {
	case placeholder == "CAP":
		return kernel.CapabilityNames()
	case placeholder == "SIGNAL":
		return signalNames()
	case strings.Contains(placeholder, "|"):
		return strings.Split(placeholder, "|")
	}
	return nil
}
