package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// floor is the C program that makes the kernel calls alone.
type floor struct{ path string }

func (f *floor) name() string { return "floor" }

func (f *floor) describe() string { return "the kernel calls alone (bench/floor)" }

func (f *floor) run(b bundle, id string) []string { return f.command("run", b, id, "") }

func (f *floor) cycle(b bundle, id string) [][]string {
	return [][]string{f.command("cycle", b, id, "")}
}

func (f *floor) dropCache() error { return nil }

func (f *floor) command(mode string, b bundle, id, state string) []string {
	argv := []string{f.path, mode, "--group", id}
	if b.filter != "" {
		argv = append(argv, "--filter", b.filter)
	}
	if b.memory != 0 {
		argv = append(argv, "--memory", strconv.FormatInt(b.memory, 10))
	}
	if state != "" {
		argv = append(argv, "--hold", state)
	}
	argv = append(argv, b.rootfs)
	return append(append(argv, "/bin/busybox"), append([]string{filepath.Base(b.args[0])}, b.args[1:]...)...)
}

// hold starts a cycle that prints init's pid and goes on when its stdin ends.
func (f *floor) hold(b bundle, id, state string) (*held, error) {
	argv := f.command("cycle", b, id, state)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	release := func() error {
		stdin.Close()
		return cmd.Wait()
	}
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return nil, fmt.Errorf("floor gave no pid: %w (%v)", err, release())
	}
	run := func(args ...string) []string {
		return append([]string{f.path, "exec", strconv.Itoa(pid), id}, args...)
	}
	return &held{pid, run, release}, nil
}

// buildFloor compiles bench/floor with musl, whose programs start faster, or else with gcc.
func buildFloor(source, out string) error {
	sources, err := filepath.Glob(filepath.Join(source, "*.c"))
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		return fmt.Errorf("no C files in %s (run this from the top of the source tree)", source)
	}
	compiler := "musl-gcc"
	if _, err := findProgram(compiler); err != nil {
		compiler = "gcc"
	}
	args := append([]string{"-static", "-O2", "-Wall", "-Wextra", "-o", out}, sources...)
	if text, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", compiler, err, text)
	}
	return nil
}
