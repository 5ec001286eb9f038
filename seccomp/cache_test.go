package seccomp

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const (
	keyA = "aaaa"
	keyB = "bbbb"
)

func sample() Filter { return Filter{Program: []byte("12345678abcdefgh"), Flags: 6} }

// stored is a cache with sample under keyA, and the path of its file.
func stored(t *testing.T) (Cache, string) {
	t.Helper()
	c := Cache{Dir: filepath.Join(t.TempDir(), "made", "here")}
	if err := c.Store(keyA, sample()); err != nil {
		t.Fatal(err)
	}
	return c, c.path(keyA)
}

func TestCacheHit(t *testing.T) {
	defer unix.Umask(unix.Umask(0))
	c, path := stored(t)
	f, ok := c.Load(keyA)
	if !ok || !bytes.Equal(f.Program, sample().Program) || f.Flags != sample().Flags {
		t.Errorf("loaded %v, %v", f, ok)
	}
	for _, row := range []struct {
		path string
		mode os.FileMode
	}{{path, 0o600}, {c.Dir, 0o700 | os.ModeDir}, {filepath.Dir(c.Dir), 0o700 | os.ModeDir}} {
		if info, err := os.Stat(row.path); err != nil || info.Mode() != row.mode {
			t.Errorf("%s: %v, %v; want %v", row.path, info.Mode(), err, row.mode)
		}
	}
	if err := c.Store(keyA, Filter{Program: make([]byte, 8)}); err != nil {
		t.Fatal(err)
	}
	if f, ok := c.Load(keyA); !ok || len(f.Program) != 8 {
		t.Errorf("not replaced: %v, %v", f, ok)
	}
	if entries, _ := os.ReadDir(c.Dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestCacheMiss(t *testing.T) {
	rows := []struct {
		name string
		harm func(path string) error
	}{
		{"absent", os.Remove},
		{"empty", func(p string) error { return os.Truncate(p, 0) }},
		{"cut to the head", func(p string) error { return os.Truncate(p, headSize) }},
		{"cut by an instruction", func(p string) error { return os.Truncate(p, headSize+8) }},
		{"longer", func(p string) error { return os.Truncate(p, headSize+24) }},
		{"too long", func(p string) error { return os.Truncate(p, maxFile+8) }},
		{"changed checksum", func(p string) error { return flip(p, 0) }},
		{"changed flags", func(p string) error { return flip(p, sumSize) }},
		{"changed program", func(p string) error { return flip(p, headSize+3) }},
		{"group may write", func(p string) error { return os.Chmod(p, 0o620) }},
		{"others may write", func(p string) error { return os.Chmod(p, 0o602) }},
		{"foreign owner", func(p string) error { return os.Chown(p, 65534, -1) }},
		{"symbolic link", func(p string) error {
			if err := os.Rename(p, p+".real"); err != nil {
				return err
			}
			return os.Symlink(p+".real", p)
		}},
		{"fifo", func(p string) error { os.Remove(p); return unix.Mkfifo(p, 0o600) }},
		{"directory", func(p string) error { os.Remove(p); return os.Mkdir(p, 0o700) }},
		{"intact, but half an instruction", func(p string) error {
			return Cache{Dir: filepath.Dir(p)}.Store(keyA, Filter{Program: make([]byte, 12)})
		}},
		{"intact, but more than the kernel takes", func(p string) error {
			return Cache{Dir: filepath.Dir(p)}.Store(keyA, Filter{Program: make([]byte, maxProgram+8)})
		}},
		{"of another key", func(p string) error {
			c := Cache{Dir: filepath.Dir(p)}
			if err := c.Store(keyB, sample()); err != nil {
				return err
			}
			return os.Rename(c.path(keyB), p)
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.name == "foreign owner" && os.Geteuid() != 0 {
				t.Skip("needs root")
			}
			c, path := stored(t)
			if err := row.harm(path); err != nil {
				t.Fatal(err)
			}
			if f, ok := c.Load(keyA); ok {
				t.Errorf("loaded %v", f)
			}
		})
	}
}

func flip(path string, at int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		return err
	}
	b[0] ^= 1
	_, err = f.WriteAt(b, at)
	return err
}

func TestCacheIsBounded(t *testing.T) {
	c := Cache{Dir: t.TempDir()}
	long := time.Now().Add(-time.Hour)
	for i := range maxEntries + 6 {
		key := strconv.Itoa(i)
		if err := c.Store(key, sample()); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(c.path(key), long, long.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil || len(entries) != maxEntries {
		t.Errorf("%d entries, %v", len(entries), err)
	}
	for _, row := range []struct {
		key string
		hit bool
	}{{"0", false}, {"5", false}, {"6", true}, {strconv.Itoa(maxEntries + 5), true}} {
		if _, ok := c.Load(row.key); ok != row.hit {
			t.Errorf("%s: hit %v", row.key, ok)
		}
	}
}

func TestStoreWithoutPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (Cache{Dir: filepath.Join(file, "x")}).Store(keyA, sample()); err == nil {
		t.Error("stored below a file")
	}
}

// Every field of the profile that Compile reads changes the key; so does moving a border.
func TestKey(t *testing.T) {
	base := Key(keyProfile())
	if again := Key(keyProfile()); again != base || len(base) != 64 {
		t.Fatalf("%s, then %s", base, again)
	}
	ignored := []string{"ListenerPath", "ListenerMetadata"}
	seen := map[string]string{base: "the unchanged one"}
	check := func(name string, p *specs.LinuxSeccomp) {
		key := Key(p)
		if other, twice := seen[key]; twice {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[key] = name
	}
	for _, pick := range []func(*specs.LinuxSeccomp) reflect.Value{
		func(p *specs.LinuxSeccomp) reflect.Value { return reflect.ValueOf(p).Elem() },
		func(p *specs.LinuxSeccomp) reflect.Value { return reflect.ValueOf(&p.Syscalls[0]).Elem() },
		func(p *specs.LinuxSeccomp) reflect.Value { return reflect.ValueOf(&p.Syscalls[0].Args[0]).Elem() },
	} {
		for i := range pick(keyProfile()).NumField() {
			p := keyProfile()
			v := pick(p)
			name := v.Type().Field(i).Name
			alter(t, v.Field(i))
			if name == ignored[0] || name == ignored[1] {
				if Key(p) != base {
					t.Errorf("%s changes the key", name)
				}
				continue
			}
			check(v.Type().Name()+"."+name, p)
		}
	}
	for _, names := range [][]string{{"ab", "c"}, {"abc"}, {"bc", "a"}, {"a", "bc", ""}, nil} {
		p := keyProfile()
		p.Syscalls[0].Names = names
		check(fmt.Sprintf("%q", names), p)
	}
	zero := uint(0)
	p := keyProfile()
	p.DefaultErrnoRet = &zero
	check("errno 0", p)
}

func keyProfile() *specs.LinuxSeccomp {
	one := uint(1)
	e := when(fails(1, "a", "bc"), arg(1, specs.OpEqualTo, 2, 3))
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, DefaultErrnoRet: &one, Architectures: []specs.Arch{specs.ArchX86},
		Flags: []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog}, ListenerPath: "/a", ListenerMetadata: "m",
		Syscalls: []specs.LinuxSyscall{e},
	}
}

// alter gives a field another value, whatever its type.
func alter(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Uint, reflect.Uint64:
		v.SetUint(v.Uint() + 10)
	case reflect.Pointer:
		v.SetZero()
	case reflect.Slice:
		alter(t, v.Index(0))
	case reflect.Struct:
		v.SetZero()
	default:
		t.Fatalf("a field of kind %s", v.Kind())
	}
}
