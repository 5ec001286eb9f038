package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// block is a fenced shell block below a line "<!-- test -->".
type block struct {
	line int
	text string
}

func markedBlocks(text string) []block {
	var blocks []block
	marked, in := false, false
	for i, line := range strings.Split(text, "\n") {
		switch trimmed := strings.TrimSpace(line); {
		case in && trimmed == "```":
			in = false
		case in:
			blocks[len(blocks)-1].text += line + "\n"
		case trimmed == "<!-- test -->":
			marked = true
		case marked && trimmed == "```sh":
			marked, in = false, true
			blocks = append(blocks, block{line: i + 1})
		case trimmed != "":
			marked = false
		}
	}
	return blocks
}

// TestReadme runs what the README shows, as it stands there, with the binary as `rt` on PATH.
func TestReadme(t *testing.T) {
	needBinary(t, peers{runc: rtOnly, crun: rtOnly})
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	privateState(t)
	blocks := markedBlocks(string(b))
	if len(blocks) == 0 {
		t.Fatal("../README.md has no block marked <!-- test -->")
	}
	for _, b := range blocks {
		t.Run(fmt.Sprintf("line %d", b.line), func(t *testing.T) {
			watch(t)
			needNetwork(t, b)
			dir := t.TempDir()
			if err := os.Symlink(it.bin, filepath.Join(dir, "rt")); err != nil {
				t.Fatal(err)
			}
			work := t.TempDir()
			c := command{args: outsideNetwork("sh", "-eu", "-c", b.text), dir: work, files: true, limit: 5 * time.Minute,
				env: []string{"PATH=" + dir + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + work, "XDG_RUNTIME_DIR=" + work}}
			c.run(t).must(t)
		})
	}
}

// outsideNetwork runs a command in the network that the tests were started in.
func outsideNetwork(args ...string) []string {
	return append([]string{"nsenter", fmt.Sprintf("--net=/proc/%d/fd/%d", os.Getpid(), hostNetwork)}, args...)
}

// needNetwork skips a block that downloads where there is nowhere to download from.
func needNetwork(t *testing.T, b block) {
	t.Helper()
	if !strings.Contains(b.text, "http") {
		return
	}
	devices := command{args: outsideNetwork("grep", "-o", "[^ ]*:", "/proc/net/dev")}.run(t).must(t)
	if strings.TrimSpace(devices.stdout) == "lo:" {
		skip(t, "needs a network")
	}
}

// privateState covers the default state directory, which the README's commands use: other
// containers of this machine may have the same names.
func privateState(t *testing.T) {
	const dir = "/run/rt"
	needRoot(t)
	made := os.Mkdir(dir, 0o700) == nil
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Unmount(dir, unix.MNT_DETACH)
		if made {
			os.Remove(dir)
		}
	})
}

func TestMarkedBlocks(t *testing.T) {
	const text = "a\n<!-- test -->\n```sh\none\ntwo\n```\n```sh\nnot marked\n```\n<!-- test -->\nprose\n```sh\nno\n```\n<!-- test -->\n\n```sh\nthree\n```\n"
	got := fmt.Sprint(markedBlocks(text))
	if want := fmt.Sprint([]block{{3, "one\ntwo\n"}, {17, "three\n"}}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
