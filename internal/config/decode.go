package config

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds the nesting of arrays and objects; the specification needs 8.
const maxDepth = 64

// decoder reads a document in one pass of tokens. A value of a wrong type is noted and
// skipped, so that all of them are reported; a syntax error ends the pass.
type decoder struct {
	in       *jsontext.Decoder
	raw      []byte
	text     string // raw again, not a copy: strings without escapes are cut out of it
	faults   report
	warnings report
	stopped  bool
	lines    lineCounter
}

// newDecoder keeps raw: the strings of the result are parts of it.
func newDecoder(raw []byte) *decoder {
	in := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true))
	return &decoder{in: in, raw: raw, text: unsafe.String(unsafe.SliceData(raw), len(raw)), lines: lineCounter{raw: raw}}
}

// document reads one value with read, and the end of the input after it.
func document[T any](d *decoder, v *T, read func(*decoder, *T)) {
	if d.in.PeekKind() == 'n' {
		d.mismatch("an object")
	} else {
		read(d, v)
	}
	if d.stopped {
		return
	}
	switch _, err := d.in.ReadToken(); {
	case err == io.EOF:
	case err != nil:
		d.syntax(err)
	default:
		d.faults.add(Fault{Line: d.lines.at(int(d.in.InputOffset()) - 1), Msg: "data after the end of the document"})
	}
}

// members opens an object and yields the index in keys of each member found there, with
// the decoder at the member's value. Members that are null are absent; unknown ones are
// skipped with a warning.
func (d *decoder) members(keys []string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		var seen uint64
		for range d.inside('{', '}', "an object") {
			if i := d.key(keys, &seen); i >= 0 && !d.null() && !yield(i) {
				return
			}
		}
	}
}

// inside opens an array or object and yields until it is closed, or the pass has ended.
func (d *decoder) inside(open, end jsontext.Kind, want string) func(yield func() bool) {
	return func(yield func() bool) {
		if !d.is(open, want) {
			return
		}
		d.token()
		for !d.stopped && d.in.PeekKind() != end {
			if !yield() {
				return
			}
		}
		if !d.stopped {
			d.token()
		}
	}
}

// key reads a member's name and finds it in keys: -1 for one that is unknown, whose value
// is then skipped.
func (d *decoder) key(keys []string, seen *uint64) int {
	name, ok := d.name()
	if !ok {
		return -1
	}
	i := slices.Index(keys, name)
	if i < 0 {
		d.warn("unknown key "+quote(name)+" is ignored", suggest(name, keys))
		d.skip()
		return -1
	}
	if *seen&(1<<i) != 0 {
		d.warn("key "+quote(name)+" appears again; the last one counts", "")
	}
	*seen |= 1 << i
	return i
}

// name reads a member's name.
func (d *decoder) name() (string, bool) {
	if d.in.PeekKind() != '"' {
		d.token() // the tokenizer says what is wrong
		return "", false
	}
	return d.chars()
}

// chars reads a string.
func (d *decoder) chars() (string, bool) {
	value, err := d.in.ReadValue()
	if err != nil {
		d.syntax(err)
		return "", false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		end := int(d.in.InputOffset())
		return d.text[end-len(value)+1 : end-1], true
	}
	plain, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		d.syntax(err)
	}
	return string(plain), err == nil
}

func (d *decoder) token() {
	if _, err := d.in.ReadToken(); err != nil {
		d.syntax(err)
	}
}

// null reads a null, if the next value is one.
func (d *decoder) null() bool {
	if d.in.PeekKind() != 'n' {
		return false
	}
	d.token()
	return true
}

// is says whether the next value has the kind; if not, it is noted and skipped.
func (d *decoder) is(kind jsontext.Kind, want string) bool {
	if d.in.PeekKind() == kind {
		return true
	}
	d.mismatch(want)
	return false
}

// mismatch notes and skips a value that is not what it has to be.
func (d *decoder) mismatch(want string) {
	kind, start := d.in.PeekKind(), d.next()
	d.skip()
	if !d.stopped {
		d.fault(start, "expected "+want+", found "+kindName(kind))
	}
}

func kindName(k jsontext.Kind) string {
	switch k {
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	}
	return "null"
}

// skip reads over a value, however deep it is within maxDepth.
func (d *decoder) skip() {
	depth := d.in.StackDepth()
	for {
		d.token()
		if d.stopped {
			return
		}
		if d.in.StackDepth() > maxDepth {
			d.stop("nested deeper than " + strconv.Itoa(maxDepth) + " levels")
			return
		}
		if d.in.StackDepth() <= depth {
			return
		}
	}
}

// next is the offset of the next token.
func (d *decoder) next() int {
	i := int(d.in.InputOffset())
	for i < len(d.raw) && strings.IndexByte(" \t\r\n:,", d.raw[i]) >= 0 {
		i++
	}
	return i
}

// fault notes what is wrong with the value read last, which starts at offset.
func (d *decoder) fault(offset int, msg string) {
	d.faults.add(Fault{Where: string(d.in.StackPointer()), Line: d.lines.at(offset), Msg: msg})
}

func (d *decoder) warn(msg, hint string) {
	line := d.lines.at(int(d.in.InputOffset()))
	d.warnings.add(Fault{Where: string(d.in.StackPointer()), Line: line, Msg: msg, Hint: hint})
}

// stop notes a fault behind which nothing can be read.
func (d *decoder) stop(msg string) {
	d.fault(int(d.in.InputOffset()), msg)
	d.stopped = true
}

// syntax notes the tokenizer's error and ends the pass.
func (d *decoder) syntax(err error) {
	d.stopped = true
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		d.fault(len(d.raw), "the document ends too early")
		return
	}
	offset, where, why := int(d.in.InputOffset()), "", err
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		offset, where, why = int(e.ByteOffset), string(e.JSONPointer), e.Err
	}
	offset = min(offset, len(d.raw))
	column := offset - bytes.LastIndexByte(d.raw[:offset], '\n')
	line := d.lines.at(offset)
	d.faults.add(Fault{where, line, "syntax error in column " + strconv.Itoa(column) + ": " + why.Error(), trailingComma(d.raw[offset:])})
}

// trailingComma is a hint for the commonest slip.
func trailingComma(rest []byte) string {
	after, comma := bytes.CutPrefix(rest, []byte{','})
	after = bytes.TrimLeft(after, " \t\r\n")
	if comma && len(after) > 0 && (after[0] == '}' || after[0] == ']') {
		return "no comma before a closing bracket"
	}
	return ""
}
