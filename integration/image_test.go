package integration

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
)

const applets = "sh cat ls id sleep true false mount stat hostname env test [ ps kill touch dd grep sed head tail wc " +
	"readlink mkdir rm rmdir ln echo ifconfig awk cut sort tr find mknod chmod chown cp nc umount seq setsid nohup printf od uname pwd cmp stty tty md5sum"

// buildImage makes the rootfs that each container gets a copy of: busybox, two users, and
// the usual empty directories.
func buildImage(dir string) error {
	for _, d := range []string{"bin", "proc", "dev", "sys", "tmp", "etc", "root", "home/joe", "mnt", "var"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	box, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return fmt.Errorf("%w (apt-get install busybox-static)", err)
	}
	files := []struct {
		name string
		data []byte
		mode os.FileMode
	}{
		{"bin/busybox", box, 0o755},
		{"etc/passwd", []byte("root:x:0:0:root:/root:/bin/sh\njoe:x:1000:1000:joe:/home/joe:/bin/sh\n"), 0o644},
		{"etc/group", []byte("root:x:0:\njoe:x:1000:\nextra:x:2000:joe\n"), 0o644},
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.data, f.mode); err != nil {
			return err
		}
	}
	for _, a := range strings.Fields(applets) {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", a)); err != nil {
			return err
		}
	}
	return finishImage(dir)
}

func finishImage(dir string) error {
	if os.Geteuid() == 0 {
		if err := os.Chown(filepath.Join(dir, "home/joe"), 1000, 1000); err != nil {
			return err
		}
	}
	return os.Chmod(filepath.Join(dir, "tmp"), 0o777|os.ModeSticky)
}

// copyImage copies directories and links, and hard-links regular files.
func copyImage(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		dst := filepath.Join(to, strings.TrimPrefix(path, from))
		switch d.Type() {
		case fs.ModeDir:
			return copyDir(dst, d)
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, dst)
		}
		return os.Link(path, dst)
	})
}

func copyDir(dst string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	if err := os.Mkdir(dst, 0o755); err != nil {
		return err
	}
	st := info.Sys().(*syscall.Stat_t)
	if err := os.Lchown(dst, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	return os.Chmod(dst, info.Mode())
}

// listTree is one line per file: path, mode, owner, size of regular files, link target.
func listTree(dir string) []string {
	var lines []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			lines = append(lines, err.Error())
			return nil
		}
		lines = append(lines, describe(dir, path))
		return nil
	})
	sort.Strings(lines)
	return lines
}

func describe(dir, path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return err.Error()
	}
	st := info.Sys().(*syscall.Stat_t)
	line := fmt.Sprintf("/%s %v %d:%d", strings.TrimPrefix(strings.TrimPrefix(path, dir), "/"), info.Mode(), st.Uid, st.Gid)
	if info.Mode().IsRegular() {
		line += fmt.Sprintf(" %d bytes", info.Size())
	}
	if target, err := os.Readlink(path); err == nil {
		line += " -> " + target
	}
	return line
}

// ofTestdata is the program of testdata/NAME.c, built once; one that is there already is taken
// where there is no compiler: scripts/vm/test.sh.
func ofTestdata(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(it.base, name)
	if _, err := os.Stat(program); err == nil {
		return program
	}
	if err := copyExecutable("testdata/"+name, program); err == nil {
		return program
	}
	out, err := exec.Command("gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, "testdata/"+name+".c").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}
