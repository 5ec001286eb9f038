package cli

import (
	"strings"

	"rt/internal/errs"
)

const summary = "run containers from OCI bundles"

const description = `rt runs containers from OCI bundles: a directory with config.json and a root
file system. It needs no daemon; what it knows about a container lies below
--root.

   rt spec                            write a config.json to start from
   rt run web                         run this directory's bundle as "web"
   rt spec --rootless; rt run mine    the same without root
   rt create web; rt start web; rt kill web KILL; rt delete web

Each command tells more with --help, and so does its manual page, such as
"man rt-run".`

// help prints the help of the command that args names, or rt's.
func (s *session) help(args []string) error {
	topic := ""
	if len(args) > 0 {
		topic = args[0]
	}
	if topic == "" || isHelp(topic) {
		return emit(s.stdout, rtHelp())
	}
	e, ok := lookup(topic)
	if !ok {
		return exitError{exitUnknown, errs.New(errs.Usage, "No help topic for '"+topic+"'")}
	}
	return emit(s.stdout, e.help(e.make()))
}

// isHelp is true for the names of the help command.
func isHelp(name string) bool { return name == "help" || name == "h" }

func rtHelp() string {
	var list [][2]string
	for _, e := range commands {
		list = append(list, [2]string{e.name, e.usage})
	}
	list = append(list, [2]string{"help, h", "Shows a list of commands or help for one command"})
	return section("NAME", "rt - "+summary) +
		section("USAGE", "rt [global options] command [command options]") +
		section("VERSION", versionText()) +
		section("DESCRIPTION", description) +
		section("COMMANDS", table(list)) +
		lastSection("GLOBAL OPTIONS", optionTable(mainOptions(new(globals), new(bool), new(bool))))
}

func (e entry) help(cmd command) string {
	return section("NAME", "rt "+e.name+" - "+e.usage) +
		section("USAGE", strings.TrimSpace("rt "+e.name+" [command options] "+e.args)) +
		section("DESCRIPTION", cmd.text) +
		lastSection("OPTIONS", optionTable(append(cmd.flags, helpOption(new(bool)))))
}

func section(title, text string) string { return lastSection(title, text) + "\n" }

// lastSection is a section without the empty line that parts it from the next.
func lastSection(title, text string) string {
	s := title + ":\n"
	for line := range strings.Lines(text + "\n") {
		if line != "\n" {
			s += "   "
		}
		s += line
	}
	return s
}

func optionTable(options []*option) string {
	var rows [][2]string
	for _, o := range options {
		if o.usage != "" { // one without is accepted, and not advertised
			rows = append(rows, o.columns())
		}
	}
	return table(rows)
}

// screen is how long a line of help may be.
const screen = 80

// table sets two columns, of ASCII. The second is filled anew.
func table(rows [][2]string) string {
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		second := fill(row[1], screen-len("   ")-width-2)
		lines[i] = row[0] + strings.Repeat(" ", width-len(row[0])+2) +
			strings.ReplaceAll(second, "\n", "\n"+strings.Repeat(" ", width+2))
	}
	return strings.Join(lines, "\n")
}

// fill breaks text between words into lines of at most width bytes.
func fill(text string, width int) string {
	out, column := "", 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			out, column = out+"\n", 0
		default:
			out, column = out+" ", column+1
		}
		out, column = out+word, column+len(word)
	}
	return out
}
