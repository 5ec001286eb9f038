// Package errs is the one error type of rt. An Error is made at the lowest place
// that knows the path, wrapped only to add a fact, and printed once, in main.
package errs

import (
	"errors"
	"strings"
	"syscall"
)

// Kind says what a caller can do about an error. Its String is the stable word that
// machine-readable logs carry.
type Kind uint8

// The kinds of errors.
const (
	Internal    Kind = iota // a fault of rt itself, or one nobody classified
	Usage                   // the command line is wrong
	Invalid                 // config.json, or another input, is wrong
	Unsupported             // the input is right, but this build or this kernel cannot do it
	NotFound                // no such container, command or file
	Exists                  // the id is taken
	State                   // the container is in the wrong state for this command
	Permission              // the caller may not do it
	Kernel                  // a system call failed
	Timeout                 // a deadline passed
)

var kindNames = [...]string{"internal", "usage", "invalid", "unsupported", "not-found", "exists", "state", "permission", "kernel", "timeout"}

func (k Kind) String() string { return kindNames[k] }

// Error says what was being done (Op), to what (Path), where config.json asked for it
// (Where, a JSON pointer, RFC 6901), and why it failed (Err).
type Error struct {
	Op    string
	Path  string
	Where string
	In    string // the document that Where points into, "" for config.json
	Kind  Kind
	Err   error
}

// Error joins the fields that are set: "OP PATH: WHY (config.json: WHERE)".
func (e *Error) Error() string {
	var s strings.Builder
	s.WriteString(e.Op)
	if e.Path != "" {
		if e.Op != "" {
			s.WriteByte(' ')
		}
		s.WriteString(e.Path)
	}
	if e.Err != nil {
		if s.Len() > 0 {
			s.WriteString(": ")
		}
		s.WriteString(e.Err.Error())
	}
	if e.Where != "" {
		in := e.In
		if in == "" {
			in = "config.json"
		}
		s.WriteString(" (" + in + ": " + e.Where + ")")
	}
	return s.String()
}

func (e *Error) Unwrap() error { return e.Err }

// New is an error with no cause below it.
func New(kind Kind, text string) error { return &Error{Kind: kind, Err: errors.New(text)} }

// Op wraps a failed system call: what was being done, and to what. A nil err gives nil.
func Op(op, path string, err error) error { return At("", op, path, err) }

// At is Op for something that config.json asked for at the JSON pointer where.
func At(where, op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Path: path, Where: where, Kind: KindOf(err), Err: err}
}

// KindOf is the kind of the outermost Error in err's chain, or what its errno says.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return Internal
	}
	if errno == syscall.EPERM || errno == syscall.EACCES {
		return Permission
	}
	return Kernel
}
