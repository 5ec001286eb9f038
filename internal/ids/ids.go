// Package ids reads the names of containers and users.
package ids

import (
	"bytes"
	"strconv"
	"strings"

	"rt/internal/errs"
)

// MaxLength is the length of the longest container id, in bytes.
const MaxLength = 1024

// Check tells whether id can name a container: letters, digits and "_+.-", at most
// MaxLength of them, and never "." or "..", which name directories.
func Check(id string) error {
	if id == "" {
		return errs.New(errs.Usage, "container id cannot be empty")
	}
	bad := id == "." || id == ".." || len(id) > MaxLength
	for i := range len(id) {
		bad = bad || !allowed(id[i])
	}
	if bad {
		return errs.New(errs.Usage, "invalid container ID format: "+short(id))
	}
	return nil
}

func allowed(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_+.-", c) >= 0
}

func short(s string) string {
	if len(s) > 64 {
		return strconv.Quote(s[:64]) + "…"
	}
	return strconv.Quote(s)
}

// User reads UID[:GID]. Numbers only: a name would have to be looked up in a file of the
// image. hasGid tells whether a gid was given.
func User(s string) (uid, gid uint32, hasGid bool, err error) {
	first, second, hasGid := strings.Cut(s, ":")
	uid, err = id(first)
	if err == nil && hasGid {
		gid, err = id(second)
	}
	if err != nil {
		return 0, 0, false, &errs.Error{Op: "read the user", Path: strconv.Quote(s), Kind: errs.Usage, Err: err}
	}
	return uid, gid, hasGid, nil
}

var errID = errs.New(errs.Usage, "expected UID or UID:GID, whole numbers from 0 to 4294967294")

// id reads one number. 4294967295 is (uid_t)-1, "no change" for chown(2) and setresuid(2).
func id(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 1<<32-1 {
		return 0, errID
	}
	return uint32(n), nil
}

// Home is the home directory of uid in a passwd(5) file, "/" without an entry.
func Home(passwd []byte, uid uint32) string {
	if f := entry(passwd, uid); f != nil && f[5] != "" {
		return f[5]
	}
	return "/"
}

// Name is the name of uid in a passwd(5) file, the number without an entry.
func Name(passwd []byte, uid uint32) string {
	if f := entry(passwd, uid); f != nil {
		return f[0]
	}
	return strconv.FormatUint(uint64(uid), 10)
}

func entry(passwd []byte, uid uint32) []string {
	want := strconv.FormatUint(uint64(uid), 10)
	for line := range bytes.Lines(passwd) {
		f := strings.Split(strings.TrimRight(string(line), "\n"), ":")
		if len(f) >= 6 && f[2] == want {
			return f
		}
	}
	return nil
}
