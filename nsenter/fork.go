package nsenter

/*
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct start {
	int flags;   // CLONE_NEW*
	int program; // fd of the init
	int kept;    // fds 0 to kept-1 stay what they are
	int sock;    // becomes fd kept
	char **argv;
	int pidfd, error;
};

// What the caller of this program has: Go raises its own soft limit of open files at the start.
static struct rlimit nofile;

__attribute__((constructor)) static void remember_limit(void)
{
	getrlimit(RLIMIT_NOFILE, &nofile);
}

// Shares the parent's memory until execveat, and must not touch it but for error.
static int become(void *arg)
{
	struct start *s = arg;
	char *const env[] = {NULL};

	setrlimit(RLIMIT_NOFILE, &nofile);
	for (int fd = 0; fd < s->kept; fd++)
		fcntl(fd, F_SETFD, 0);
	if (dup3(s->sock, s->kept, 0) >= 0)
		syscall(SYS_execveat, s->program, "", s->argv, env, AT_EMPTY_PATH);
	s->error = errno;
	_exit(1);
}

// No handler of the parent may run in the child: all signals are blocked until the init
// empties the mask.
static int start(struct start *s)
{
	char stack[16384] __attribute__((aligned(16)));
	sigset_t all, old;
	int pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = clone(become, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | s->flags, s, &s->pidfd);
	if (pid < 0)
		s->error = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return pid;
}

static int spawn(int flags, int program, int kept, int sock, char *number, char *unshare, int *pidfd, int *error)
{
	char *argv[] = {"rt-init", number, unshare, NULL};
	struct start s = {flags, program, kept, sock, argv, -1, 0};
	int pid = start(&s);

	*pidfd = s.pidfd;
	*error = s.error;
	return pid;
}
*/
import "C"

import (
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// fork starts the program in a child that borrows our memory until it has executed it, as
// vfork(2) does. syscall.ForkExec does the same in 0.25 ms instead of 0.1: it makes a pipe
// for the error, and finds the program by a path in /proc. The init's fds are 0, 1, 2, those
// that belong to the workload, and the socket.
func (c *Child) fork(s Start, program, sock int) error {
	kept := 3 + s.Preserve
	high, err := above(kept, program, sock)
	if err != nil {
		return errs.Op("duplicate an fd for the init", "", err)
	}
	defer unix.Close(high[0])
	defer unix.Close(high[1])
	number, _ := unix.BytePtrFromString(strconv.Itoa(kept))
	unshare, _ := unix.BytePtrFromString(strconv.FormatUint(s.Unshare, 10))
	var pidfd, errno C.int
	pid := C.spawn(C.int(s.Namespaces), C.int(high[0]), C.int(kept), C.int(high[1]),
		(*C.char)(unsafe.Pointer(number)), (*C.char)(unsafe.Pointer(unshare)), &pidfd, &errno)
	c.Pid, c.Pidfd = int(pid), int(pidfd)
	if errno == 0 {
		return nil
	}
	if pid > 0 { // it could not execute the init
		unix.Wait4(c.Pid, nil, 0, nil)
		unix.Close(c.Pidfd)
	}
	return errs.Op("start the init", "", syscall.Errno(errno))
}

// above duplicates fds to numbers that the init's own will not overwrite.
func above(kept int, fds ...int) (high [2]int, err error) {
	for i, fd := range fds {
		if high[i], err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, kept+1); err != nil {
			for _, made := range high[:i] {
				unix.Close(made)
			}
			return high, err
		}
	}
	return high, nil
}
