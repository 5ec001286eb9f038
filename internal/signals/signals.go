// Package signals turns signals into bytes on a pipe, for one poll(2) with other fds.
// os/signal costs two thread switches for each signal that is asked for, 3 ms for all of
// them; signalfd(2) needs them blocked, and Go unblocks those that end a program.
package signals

/*
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static int ends[2] = {-1, -1};

static void note(int number)
{
	int kept = errno;
	unsigned char byte = (unsigned char)number;

	if (write(ends[1], &byte, 1) < 0) {
		// The pipe is full: 64 Ki signals wait already.
	}
	errno = kept;
}

// SA_ONSTACK: Go's threads have small stacks. A signal that the caller ignores stays ignored.
static int take(int number)
{
	struct sigaction old, action = {.sa_handler = note, .sa_flags = SA_ONSTACK | SA_RESTART};

	if (sigaction(number, NULL, &old) < 0)
		return -1;
	if (old.sa_handler == SIG_IGN)
		return 0;
	return sigaction(number, &action, NULL);
}

static int heed(const int *numbers, size_t count)
{
	if (ends[0] >= 0)
		return ends[0];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (take(numbers[i]) < 0)
			return -1;
	return ends[0];
}

static void forget(int number)
{
	struct sigaction old;

	if (sigaction(number, NULL, &old) == 0 && old.sa_handler == note)
		signal(number, SIG_DFL);
}

// raise(3) comes back when the process goes on; the default action of SIGTSTP is none where
// nobody could continue us.
static void stop(void)
{
	struct sigaction kept, action = {.sa_handler = SIG_DFL};

	if (sigaction(SIGTSTP, &action, &kept) < 0)
		return;
	raise(SIGTSTP);
	sigaction(SIGTSTP, &kept, NULL);
}
*/
import "C"

import (
	"os"

	"golang.org/x/sys/unix"
)

// heeded are the signals that a foreground command passes on to its workload.
var heeded = [...]C.int{
	C.SIGHUP, C.SIGINT, C.SIGQUIT, C.SIGUSR1, C.SIGUSR2, C.SIGALRM, C.SIGTERM, C.SIGCONT, C.SIGWINCH,
	C.SIGTSTP, C.SIGTTIN, C.SIGTTOU, C.SIGIO, C.SIGPWR, C.SIGVTALRM,
}

// Heed takes the signals from now on. It gives the fd that poll(2) finds readable when
// there is one; the fd belongs to the package, and a second call gives the same.
func Heed() (int, error) {
	fd, err := C.heed(&heeded[0], C.size_t(len(heeded)))
	if fd < 0 {
		return -1, os.NewSyscallError("sigaction", err)
	}
	return int(fd), nil
}

// Next is one signal that has come, 0 if there is none.
func Next(fd int) unix.Signal {
	var b [1]byte
	if n, err := unix.Read(fd, b[:]); err != nil || n != 1 {
		return 0
	}
	return unix.Signal(b[0])
}

// Forget gives signals their default action back, but those that the caller ignores.
func Forget(numbers ...unix.Signal) {
	for _, n := range numbers {
		C.forget(C.int(n))
	}
}

// Stop stops this process as SIGTSTP does, and comes back when it is continued.
func Stop() { C.stop() }

// Ends tells a signal that means to end a command.
func Ends(s unix.Signal) bool {
	return s == unix.SIGTERM || s == unix.SIGINT || s == unix.SIGHUP || s == unix.SIGQUIT
}
