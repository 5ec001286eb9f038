package man

import (
	"regexp"
	"slices"
	"strings"
)

// split parts a text into paragraphs and examples: an example is a paragraph that is indented.
func split(text string) (prose, examples []string) {
	for block := range strings.SplitSeq(text, "\n\n") {
		switch lines := strings.Split(block, "\n"); {
		case block == "":
		case strings.HasPrefix(block, "   "):
			for i, l := range lines {
				lines[i] = strings.TrimPrefix(l, "   ")
			}
			examples = append(examples, strings.Join(lines, "\n"))
		default:
			prose = append(prose, block)
		}
	}
	return prose, examples
}

// escape writes text as roff(7) has it: "-" and quotes as they are typed, and no line that
// begins like a request.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

func quoted(text string) string { return `"` + strings.ReplaceAll(escape(text), `"`, `\(dq`) + `"` }

// fonts is what is set apart in prose: a flag, a page of the manual, a placeholder.
func fonts() *regexp.Regexp {
	return regexp.MustCompile(`--[a-z][a-z-]*|[a-z0-9_-]+\([1-8]\)|[A-Z][A-Z-]*`)
}

// prose sets a paragraph. Its lines are filled anew.
func (p *page) prose(text string) string {
	out, rest := "", text
	for _, at := range fonts().FindAllStringIndex(text, -1) {
		begin := len(text) - len(rest)
		out += escape(text[begin:at[0]]) + p.font(text[at[0]:at[1]])
		rest = text[at[1]:]
	}
	return sentences(out + escape(rest))
}

func (p *page) font(word string) string {
	name, number, isPage := strings.Cut(word, "(")
	switch {
	case isPage:
		return `\fB` + escape(name) + `\fR(` + number
	case word[0] == '-':
		return `\fB` + escape(word) + `\fR`
	case slices.Contains(p.names, word):
		return `\fI` + escape(word) + `\fR`
	}
	return escape(word)
}

const width = 79

// sentences begins each on a line of its own, so that roff(7) sets the space behind it, and
// ends lines before they are too long to be read in the source.
func sentences(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\n", " "), ". ", ".\n")
	out, column := "", 0
	for word := range strings.SplitAfterSeq(text, " ") {
		last := word[strings.LastIndex(word, "\n")+1:]
		first, _, ends := strings.Cut(word, "\n")
		if column > 0 && column+len(strings.TrimSpace(first)) > width {
			out, column = strings.TrimSuffix(out, " ")+"\n", 0
		}
		out += word
		column += len(last)
		if ends {
			column = len(last)
		}
	}
	return strings.ReplaceAll("\n"+out, "\n.", "\n\\&.")[1:]
}
