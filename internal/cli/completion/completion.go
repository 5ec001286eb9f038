// Package completion writes the programs that complete rt's command lines in bash, zsh and
// fish. Each is a frame for its shell around one table.
package completion

import (
	_ "embed"
	"strings"

	"rt/internal/cli/topic"
)

var (
	//go:embed rt.bash
	bash string
	//go:embed rt.fish
	fish string
	//go:embed rt.zsh
	zsh string
)

// Script is the program for bash, zsh or fish, and "" for another shell.
func Script(shell string, topics []topic.Command) string {
	switch shell {
	case "bash":
		return fill(bash, topics, posix())
	case "zsh":
		return fill(zsh, topics, posix())
	case "fish":
		return fill(fish, topics, fishes())
	}
	return ""
}

// fill puts the table in the place of the frame's line "#TABLE".
func fill(frame string, topics []topic.Command, s syntax) string {
	return strings.Replace(frame, "#TABLE\n", table(topics, s), 1)
}

// syntax is how a shell writes a case, and how it adds to a list.
type syntax struct {
	label, close string // of a case
	add, end     string // around what is added
	quote        *strings.Replacer
}

func posix() syntax {
	return syntax{"    'NAME')\n", "        ;;\n", "        LIST+=('", ")\n", strings.NewReplacer("'", `'\''`)}
}

func fishes() syntax {
	return syntax{"        case 'NAME'\n", "", "            set -ga __rt_LIST '", "\n", strings.NewReplacer(`\`, `\\`, "'", `\'`)}
}

// table has a case for rt, for every command, and for help. What a case adds:
//
//	verbs     NAME|DESCRIPTION
//	flags     LONG [SHORT]|KIND|DESCRIPTION
//	operands  KIND, in the order of the command line
//
// and these are the kinds, what completes a value:
//
//	none       takes no value
//	any        a value that is not known here
//	dir file   a path of the host
//	command    a command of rt
//	container  [STATUS...]: a container, with one of these
//	words      WORD...: one of these
func table(topics []topic.Command, s syntax) string {
	text := s.root(topics)
	for _, c := range topics[1:] {
		text += s.open(c.Name) + s.rows(c) + s.close
	}
	return text + s.open("help") + s.row("operands", "command") + s.close
}

// root is the case of rt itself.
func (s syntax) root(topics []topic.Command) string {
	text := s.open("") + s.rows(topic.Command{Flags: topics[0].Flags}) + s.row("operands", "command")
	for _, c := range topics[1:] {
		text += s.row("verbs", c.Name, c.Usage)
	}
	return text + s.row("verbs", "help", "print help for rt or for a command") + s.close
}

func (s syntax) rows(c topic.Command) string {
	text := ""
	for _, f := range c.Flags {
		text += s.row("flags", strings.TrimSpace(f.Long+" "+f.Short), kind(f.Value), f.Usage)
	}
	for _, v := range c.Operands {
		text += s.row("operands", kind(v))
	}
	return text
}

func (s syntax) open(name string) string { return strings.Replace(s.label, "NAME", name, 1) }

func (s syntax) row(list string, fields ...string) string {
	return strings.Replace(s.add, "LIST", list, 1) + s.quote.Replace(strings.Join(fields, "|")) + "'" + s.end
}

// kind is what completes a value. Most follow from the placeholder that help shows.
func kind(v topic.Value) string {
	if v.Words != nil {
		return "words " + strings.Join(v.Words, " ")
	}
	switch v.Name {
	case "":
		return "none"
	case "DIR", "BUNDLE":
		return "dir"
	case "FILE", "PATH":
		return "file"
	case "CONTAINER":
		return strings.TrimSpace("container " + v.Suits)
	}
	return "any"
}
