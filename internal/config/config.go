// Package config loads an OCI config.json, and finds everything that is wrong with it at
// once. The decoders are generated from the specification's Go types: one pass of tokens
// instead of reflection, which costs most in a fresh process.
package config

import (
	"errors"
	"path/filepath"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/internal/errs"
	"rt/internal/kernel"
)

//go:generate go run ./gen

// MaxSize is the largest configuration that is read, in bytes.
const MaxSize = 16 << 20

// Document is a decoded configuration.
type Document struct {
	Spec     *specs.Spec
	Raw      []byte // must not be changed: Spec's strings are parts of it
	Warnings Faults // unknown and duplicate keys; Validate adds its own

	path    string // "": unknown
	decoded int    // how many of the warnings come from decoding
}

// Load reads the regular file path and parses it. A missing file is errs.NotFound.
func Load(path string) (*Document, error) {
	raw, err := readFile(path)
	if errors.Is(err, unix.ENOENT) {
		return nil, errs.New(errs.NotFound, "JSON specification file "+filepath.Base(path)+" not found")
	}
	if err != nil {
		return nil, err
	}
	return parse(path, raw)
}

// Parse decodes a config.json without validating it, and keeps data as Raw. Its error is an errs.Error of the kind
// errs.Invalid around Faults.
func Parse(data []byte) (*Document, error) { return parse("", data) }

func parse(path string, raw []byte) (*Document, error) {
	spec := new(specs.Spec)
	warnings, err := decode(path, raw, spec, decodeSpec)
	if err != nil {
		return nil, err
	}
	return &Document{Spec: spec, Raw: raw, Warnings: warnings, path: path, decoded: len(warnings)}, nil
}

// Validate is nil, or an errs.Error of the kind errs.Invalid around Faults with every fault
// in Spec. It sets what Warnings holds beyond those of decoding.
func (d *Document) Validate() error {
	c := checker{spec: d.Spec}
	c.document()
	d.Warnings = append(d.Warnings[:d.decoded:d.decoded], inOrder(d.Raw, c.warnings.all())...)
	return invalid(d.path, inOrder(d.Raw, c.faults.all()))
}

// LoadProcess reads the regular file path as ParseProcess does its data.
func LoadProcess(path string) (*specs.Process, Faults, error) {
	raw, err := readFile(path)
	if err != nil {
		return nil, nil, err
	}
	return parseProcess(path, raw)
}

// ParseProcess decodes and validates a process object (config.md, "Process"), as exec
// takes it, and keeps data. The Faults are warnings; pointers are relative to the process object.
func ParseProcess(data []byte) (*specs.Process, Faults, error) { return parseProcess("", data) }

func parseProcess(path string, raw []byte) (*specs.Process, Faults, error) {
	process := new(specs.Process)
	warnings, err := decode(path, raw, process, decodeProcess)
	if err != nil {
		return nil, nil, err
	}
	c := checker{}
	c.process(nil, process)
	warnings = append(warnings, inOrder(raw, c.warnings.all())...)
	if err := invalid(path, inOrder(raw, c.faults.all())); err != nil {
		return nil, warnings, err
	}
	return process, warnings, nil
}

func decode[T any](path string, raw []byte, v *T, read func(*decoder, *T)) (Faults, error) {
	if len(raw) > MaxSize {
		return nil, invalid(path, Faults{{Msg: "larger than " + strconv.Itoa(MaxSize) + " bytes"}})
	}
	d := newDecoder(raw)
	document(d, v, read)
	return d.warnings.all(), invalid(path, d.faults.all())
}

func invalid(path string, faults Faults) error {
	if len(faults) == 0 {
		return nil
	}
	return &errs.Error{Path: path, Kind: errs.Invalid, Err: faults}
}

// readFile reads at most one byte more than MaxSize. O_NONBLOCK: a fifo without a writer
// would block the open.
func readFile(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err == unix.ENOENT {
		return nil, &errs.Error{Op: "open", Path: path, Kind: errs.NotFound, Err: err}
	}
	if err != nil {
		return nil, errs.Op("open", path, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, errs.Op("stat", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, &errs.Error{Op: "read", Path: path, Kind: errs.Invalid, Err: errors.New("not a regular file")}
	}
	raw, err := kernel.ReadAll(fd, int(min(st.Size, MaxSize))+1, MaxSize+1)
	return raw, errs.Op("read", path, err)
}
