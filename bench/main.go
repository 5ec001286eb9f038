// Bench measures rt beside crun, runc and the floor: the kernel calls that the default
// bundle needs, made by a C program with no configuration, state or checks.
//
// It runs as root, in a mount namespace of its own, and leaves nothing behind.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// insideVar marks the second start of this program, in its own mount namespace.
const insideVar = "RTBENCH_INSIDE"

// unifiedDir is where hybrid hosts mount cgroup2 beside the v1 hierarchies.
const unifiedDir = "/sys/fs/cgroup/unified"

type options struct {
	rt, stateDir, dir, profile, jsonFile string
	only, cases                          []string
	rounds                               int
	idles                                []time.Duration
}

func main() {
	runtime.LockOSThread() // children are forked and waited for on one thread
	opts := parseFlags()
	if os.Getenv(insideVar) == "" {
		fail(reenter())
	}
	fail(run(opts))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.rt, "rt", "./rt", "the rt to measure")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "where bundles and programs are made: a normal disk")
	flag.StringVar(&o.stateDir, "state-dir", "", "where the state roots (--root) are made, such as /run (default: --dir)")
	flag.StringVar(&o.profile, "profile", "seccomp/testdata/docker-size.json", "linux.seccomp of the seccomp cases")
	flag.StringVar(&o.jsonFile, "json", "", "also write the results to this file")
	flag.IntVar(&o.rounds, "rounds", 60, "samples per contestant and timed case")
	only := flag.String("only", "", "contestants, such as rt,crun (of rt,crun,runc,floor; default all)")
	cases := flag.String("case", "", "cases, such as run,exec (default all)")
	idle := flag.Int("idle", -1, "idle milliseconds before each sample (default: a table with 0 and one with 100)")
	flag.Usage = usage
	flag.Parse()
	o.only, o.cases = split(*only), split(*cases)
	o.idles = []time.Duration{0, 100 * time.Millisecond}
	if *idle >= 0 {
		o.idles = []time.Duration{time.Duration(*idle) * time.Millisecond}
	}
	if o.stateDir == "" {
		o.stateDir = o.dir
	}
	fail(checkNames(o))
	return o
}

func usage() {
	fmt.Fprintln(flag.CommandLine.Output(), "usage: bench [flags]   (as root, from the top of the source tree)")
	flag.PrintDefaults()
	fmt.Fprintln(flag.CommandLine.Output(), "cases:")
	for _, c := range allCases() {
		fmt.Fprintf(flag.CommandLine.Output(), "  %-14s %s\n", c.name, c.about)
	}
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func checkNames(o options) error {
	if o.rounds < 1 {
		return errors.New("--rounds has to be at least 1")
	}
	for _, name := range o.only {
		if !among([]string{"rt", "crun", "runc", "floor"}, name) {
			return fmt.Errorf("--only %s: no such contestant", name)
		}
	}
	for _, name := range o.cases {
		if !among(caseNames(), name) {
			return fmt.Errorf("--case %s: no such case", name)
		}
	}
	return nil
}

// reenter starts this program again in a new mount namespace, with the same pid.
func reenter() error {
	if os.Getuid() != 0 {
		return errors.New("needs root")
	}
	if err := ownMounts(); err != nil {
		return err
	}
	return syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), insideVar+"=1"))
}

// ownMounts gives the calling thread a mount namespace in which an empty tmpfs hides cgroup2's
// mount: crun 1.8 refuses hosts that mount it beside v1. It still makes a directory and a
// file there (some 20 µs), so the tmpfs has to be writable.
func ownMounts() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make / rprivate: %w", err)
	}
	if _, err := os.Stat(unifiedDir); err != nil {
		return nil
	}
	if err := unix.Mount("tmpfs", unifiedDir, "tmpfs", 0, "size=64m"); err != nil {
		return fmt.Errorf("hide %s: %w", unifiedDir, err)
	}
	return nil
}

// run measures every chosen case, prints, and fails if a contestant failed in one.
func run(o options) error {
	w, err := newWorld(o)
	if err != nil {
		return err
	}
	defer w.remove()
	printHost(w)
	results := runCases(w)
	printTable(os.Stdout, results)
	if o.jsonFile != "" {
		if err := writeJSON(o.jsonFile, w, results); err != nil {
			return err
		}
	}
	if w.stopped() {
		return errors.New("interrupted: the table is not complete")
	}
	return failures(results)
}
