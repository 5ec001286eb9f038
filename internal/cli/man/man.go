// Package man writes the manual pages of rt and its commands, in the macros of man(7).
package man

import (
	"slices"
	"strings"

	"rt/internal/cli/topic"
)

// Edition is what all pages say about themselves.
type Edition struct {
	Date    string // YYYY-MM-DD
	Version string
}

// page is one manual page in the making.
type page struct {
	strings.Builder
	topic.Command
	extra topic.Manual
	names []string // placeholders, which are set in italics
}

// Name is the file of a command's page, of rt's own for "".
func Name(command string) string { return title(command) + ".8" }

func title(command string) string { return strings.TrimSuffix("rt-"+command, "-") }

// Page is the text of a page. Others are all commands, for rt's own page.
func Page(c topic.Command, extra topic.Manual, others []topic.Command, e Edition) string {
	p := &page{Command: c, extra: extra, names: placeholders(c)}
	p.line(`.TH `+quoted(strings.ToUpper(title(c.Name))), `8`, `"`+e.Date+`"`, quoted("rt "+e.Version), `"rt manual"`)
	p.nameAndSynopsis()
	p.description()
	p.commands(others)
	p.options()
	p.examples()
	p.items("EXIT STATUS", p.exits())
	p.items("ENVIRONMENT", extra.Environment)
	p.items("FILES", extra.Files)
	p.see(others)
	return p.String()
}

// placeholders are the words of the help that stand for something else.
func placeholders(c topic.Command) []string {
	var names []string
	for _, v := range c.Operands {
		names = append(names, v.Name)
	}
	for _, f := range c.Flags {
		names = append(names, f.Value.Name)
	}
	return append(names, "BUNDLE", "ROOT", "ID", "UID", "PREFIX")
}

func (p *page) line(words ...string) { p.WriteString(strings.Join(words, " ") + "\n") }

func (p *page) section(title string) { p.line(".SH", title) }

func (p *page) nameAndSynopsis() {
	p.section("NAME")
	p.line(escape(title(p.Name)), `\-`, escape(p.Usage))
	p.section("SYNOPSIS")
	line := `\fBrt\fR [\fIglobal options\fR]`
	if p.Name != "" {
		line += ` \fB` + escape(p.Name) + `\fR [\fIoptions\fR]`
	}
	if args := p.synopsis(); args != "" {
		line += " " + args
	}
	p.line(line)
}

// synopsis is the line of arguments: what is to be typed in bold, the rest in italics.
func (p *page) synopsis() string {
	var words []string
	for word := range strings.FieldsSeq(p.Args) {
		name := strings.Trim(word, "[].")
		font := `\fI`
		if strings.ToLower(name) == name {
			font = `\fB`
		}
		words = append(words, strings.Replace(escape(word), escape(name), font+escape(name)+`\fR`, 1))
	}
	return strings.Join(words, " ")
}

func (p *page) description() {
	p.section("DESCRIPTION")
	prose, _ := split(p.Text)
	more, _ := split(p.extra.Text)
	p.paragraphs(append(prose, more...))
	if p.Name != "" {
		p.line(".PP")
		p.line("The global options are those of", `\fBrt\fR(8).`)
	}
}

func (p *page) paragraphs(list []string) {
	for i, text := range list {
		if i > 0 {
			p.line(".PP")
		}
		p.line(p.prose(text))
	}
}

func (p *page) commands(others []topic.Command) {
	if p.Name != "" {
		return
	}
	p.section("COMMANDS")
	for _, c := range others {
		p.item(`\fB`+escape(title(c.Name))+`\fR(8)`, c.Usage)
	}
	p.item(`\fBrt help\fR [\fICOMMAND\fR]`, "print the help of rt or of a command")
}

func (p *page) options() {
	if p.Name == "" {
		p.section("GLOBAL OPTIONS")
	} else {
		p.section("OPTIONS")
	}
	for _, f := range p.Flags {
		p.item(p.flag(f), f.Usage)
	}
}

func (p *page) flag(f topic.Flag) string {
	text := `\fB` + escape("--"+f.Long) + `\fR`
	if f.Short != "" {
		text += `, \fB` + escape("-"+f.Short) + `\fR`
	}
	if f.Value.Name != "" {
		text += ` \fI` + escape(f.Value.Name) + `\fR`
	}
	return text
}

func (p *page) examples() {
	_, examples := split(p.Text)
	_, more := split(p.extra.Text)
	examples = append(examples, more...)
	if len(examples) == 0 {
		return
	}
	p.section("EXAMPLES")
	p.line(".EX")
	for i, text := range examples {
		if i > 0 {
			p.line(".sp")
		}
		p.line(escape(text))
	}
	p.line(".EE")
}

// exits are 0 and 1 unless the command says something else.
func (p *page) exits() []topic.Item {
	if p.extra.Exit != nil {
		return p.extra.Exit
	}
	return []topic.Item{{"0", "Success."}, {"1", "Failure; the reason is on standard error."}}
}

func (p *page) items(title string, list []topic.Item) {
	if len(list) == 0 {
		return
	}
	p.section(title)
	for _, i := range list {
		p.item(`\fB`+escape(i[0])+`\fR`, i[1])
	}
}

func (p *page) item(head, text string) {
	p.line(".TP")
	p.line(head)
	p.line(p.prose(text))
}

func (p *page) see(others []topic.Command) {
	list := slices.Clone(p.extra.See)
	if p.Name != "" {
		list = append([]string{"rt(8)"}, list...)
	} else {
		for _, c := range slices.Backward(others) {
			list = slices.Insert(list, 0, title(c.Name)+"(8)")
		}
	}
	for i, ref := range list {
		list[i] = p.prose(ref)
	}
	p.section("SEE ALSO")
	p.line(strings.Join(list, ",\n"))
}
