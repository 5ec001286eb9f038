// Command again does in one process, over and over, what the runtime does once in each: what
// an error path leaves open would die with the runtime, and nobody would see it.
//
//	again create ROOT TIMES BUNDLE...
//	again exec ROOT TIMES ID ARG...
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"rt/libcontainer"
)

func main() {
	root := libcontainer.Root{Dir: os.Args[2], Warn: func(string) {}}
	times, err := strconv.Atoi(os.Args[3])
	if err != nil {
		panic(err)
	}
	rest := os.Args[4:]
	if os.Args[1] == "exec" {
		repeat("exec", times, func() error {
			_, err := root.Exec(rest[0], libcontainer.ExecOptions{Args: rest[1:]})
			return err
		})
		return
	}
	for i, bundle := range rest {
		repeat(bundle, times, func() error {
			return root.Create(libcontainer.CreateOptions{ID: fmt.Sprint("again-", os.Getpid(), "-", i), Bundle: bundle})
		})
	}
}

// repeat prints what is open after many failures and was not after the first two. Each has a
// thread of its own, as exec needs it.
func repeat(name string, times int, do func() error) {
	var before []string
	for i := range times + 2 {
		done := make(chan error)
		go func() { done <- do() }()
		if err := <-done; err == nil {
			fmt.Println(name, "succeeded")
			return
		}
		if i == 1 {
			before = settled(nil)
		}
	}
	for _, fd := range settled(before) {
		if !slices.Contains(before, fd) {
			fmt.Println(name, "leaves", fd)
		}
	}
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
		fmt.Println(name, "leaves a child", pid, err)
	}
	fmt.Println(name, "done")
}

// settled lists the open fds; what goroutines still hold for a moment may take a second.
func settled(before []string) []string {
	var list []string
	for range 20 {
		list = descriptors()
		if before != nil && len(list) <= len(before) {
			return list
		}
		time.Sleep(50 * time.Millisecond)
		if before == nil {
			return descriptors()
		}
	}
	return list
}

func descriptors() []string {
	entries, _ := os.ReadDir("/proc/self/fd")
	var list []string
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			list = append(list, e.Name()+" "+target)
		}
	}
	return list
}
