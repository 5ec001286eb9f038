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

// block is a fenced shell block below a line "<!-- test -->", or "<!-- test: user -->" for one
// that a user without privileges runs.
type block struct {
	line int
	text string
	user bool
}

func markedBlocks(text string) []block {
	var blocks []block
	var next block
	marked, in := false, false
	for i, line := range strings.Split(text, "\n") {
		switch trimmed := strings.TrimSpace(line); {
		case in && trimmed == "```":
			in = false
		case in:
			blocks[len(blocks)-1].text += line + "\n"
		case trimmed == "<!-- test -->" || trimmed == "<!-- test: user -->":
			marked, next.user = true, strings.Contains(trimmed, "user")
		case marked && trimmed == "```sh":
			marked, in = false, true
			next.line = i + 1
			blocks = append(blocks, next)
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
	users := 0
	for _, b := range markedBlocks(string(b)) {
		run := b.asRoot
		if b.user {
			run = b.asUser
			users++
		}
		t.Run(fmt.Sprintf("line %d", b.line), run)
	}
	if users == 0 {
		t.Error("../README.md has no block marked <!-- test: user -->")
	}
}

const systemPath = ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func (b block) asRoot(t *testing.T) {
	watch(t)
	needNetwork(t, b)
	dir, work := t.TempDir(), t.TempDir()
	if err := os.Symlink(it.bin, filepath.Join(dir, "rt")); err != nil {
		t.Fatal(err)
	}
	c := command{args: outsideNetwork("sh", "-eu", "-c", b.text), dir: work, files: true, limit: 5 * time.Minute,
		env: []string{"PATH=" + dir + systemPath, "HOME=" + work, "XDG_RUNTIME_DIR=" + work}}
	c.run(t).must(t)
}

// asUser runs the block as ann, who has subordinate ids and a directory of her own.
func (b block) asUser(t *testing.T) {
	needIDTools(t)
	rootlessWorld(t)
	watch(t)
	work := filepath.Join(it.base, "ann")
	err := os.Mkdir(work, 0o755)
	if err == nil {
		err = os.Chown(work, annUID, annUID)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(work) })
	ann := newPlain(t, annUID)
	ann.env = []string{"PATH=" + filepath.Dir(ann.bin) + systemPath, "HOME=" + work, "XDG_RUNTIME_DIR=" + runtimeDir(t, annUID)}
	r := ann.command(command{args: []string{"sh", "-eu", "-c", b.text}, dir: work, files: true, limit: time.Minute}).run(t).must(t)
	t.Log(r.stdout)
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
	const text = "a\n<!-- test -->\n```sh\none\ntwo\n```\n```sh\nnot marked\n```\n<!-- test: user -->\nprose\n```sh\nno\n```\n" +
		"<!-- test: user -->\n\n```sh\nthree\n```\n<!-- test -->\n```sh\nfour\n```\n"
	got := fmt.Sprint(markedBlocks(text))
	if want := fmt.Sprint([]block{{3, "one\ntwo\n", false}, {17, "three\n", true}, {21, "four\n", false}}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
