// Command attacker is the hostile side of the security tests. It runs inside a container
// until its stdin ends, and then prints what it got.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

func main() {
	var ended atomic.Bool
	go func() {
		io.Copy(io.Discard, os.Stdin)
		ended.Store(true)
	}()
	fmt.Println("ready")
	switch os.Args[1] {
	case "swap":
		swap(os.Args[2:], &ended)
	case "look":
		look(os.Args[2:], &ended)
	case "overwrite":
		overwrite(os.Args[2], &ended)
	case "chroot":
		leave(chrootOut, os.Args[2])
	case "proc":
		leave(newProc, os.Args[2])
	case "peel":
		leave(peel, os.Args[2])
	case "unmount":
		leave(unmount, os.Args[2])
	case "mount-proc":
		leave(mountProc, os.Args[2])
	}
}

// swap exchanges the names of each pair "A:B", over and over.
func swap(pairs []string, ended *atomic.Bool) {
	n := 0
	for ; !ended.Load(); n++ {
		a, b, _ := strings.Cut(pairs[n%len(pairs)], ":")
		if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
			fmt.Println(a, err)
			os.Exit(1)
		}
	}
	fmt.Println("swaps", n)
}
