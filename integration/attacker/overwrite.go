package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// overwrite opens the program of pid and tries to write to it: while it runs, and when
// nobody executes it any more.
func overwrite(pid string, ended *atomic.Bool) {
	fd, err := unix.Open("/proc/"+pid+"/exe", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		fmt.Println("not opened:", err)
		return
	}
	fmt.Println("opened", linkAt(unix.AT_FDCWD, fmt.Sprint("/proc/self/fd/", fd)))
	try(fd)
	for !ended.Load() {
		time.Sleep(time.Millisecond)
	}
	try(fd)
}

// try gives one line for each way to change the file.
func try(fd int) {
	path := fmt.Sprint("/proc/self/fd/", fd)
	fmt.Println("write:", change(path, func(w int) error { _, err := unix.Pwrite(w, []byte{0x7f}, 0); return err }))
	fmt.Println("grow:", change(path, func(w int) error { return unix.Ftruncate(w, 1<<20) }))
	fmt.Println("map:", change(path, func(w int) error {
		_, err := unix.Mmap(w, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		return err
	}))
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_FUTURE_WRITE)
	fmt.Println("seal:", text(err))
}

func change(path string, with func(int) error) string {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return text(err)
	}
	defer unix.Close(fd)
	return text(with(fd))
}

func text(err error) string {
	if err == nil {
		return "done"
	}
	return unix.ErrnoName(err.(unix.Errno))
}
