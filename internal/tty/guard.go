package tty

/*
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// As TCGETS has it, which is not always the libc's struct termios.
struct settings {
	unsigned input, output, control, local;
	unsigned char line, keys[19];
};

// The kernel may change control flags, for a pty for instance.
static int same(const struct settings *a, const struct settings *b)
{
	return a->input == b->input && a->output == b->output && a->local == b->local && !memcmp(a->keys, b->keys, sizeof(a->keys));
}

// What is not raw any more belongs to somebody else by now: to the shell, at its prompt.
static void restore(int tty, const struct settings *saved, const struct settings *raw)
{
	struct settings now;

	if (ioctl(tty, TCGETS, &now) == 0 && same(&now, raw))
		ioctl(tty, TCSETS, saved);
}

// In the background a change would stop us; who is at the terminal then has not noticed
// that it is raw.
static void restore_quietly(int tty, const void *saved, const void *raw)
{
	sigset_t one, old;

	sigemptyset(&one);
	sigaddset(&one, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &one, &old);
	restore(tty, saved, raw);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

// Its own session, and no signal but SIGKILL: what ends or stops our process group does
// not reach it. It holds nothing but the terminal and the pipe's end.
static void stand(int tty, int life, const struct settings *saved, const struct settings *raw)
{
	char byte;

	setsid();
	prctl(PR_SET_NAME, "rt-guard");
	dup2(tty, 0);
	dup2(life, 1);
	syscall(SYS_close_range, 2, ~0U, 0);
	while (read(1, &byte, 1) < 0 && errno == EINTR)
		;
	restore(0, saved, raw);
	_exit(0);
}

// All signals are blocked over the fork: a handler of ours must not run in the child.
static int guard(int tty, int life, const void *saved, const void *raw, int *error)
{
	sigset_t all, old;
	int pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	*error = errno;
	if (pid == 0)
		stand(tty, life, saved, raw);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return pid;
}
*/
import "C"

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"rt/internal/errs"
)

// guard is a process that outlives a SIGKILL of this one: the end of file of a pipe, of
// which only this process has the other end, tells it to restore the terminal.
type guard struct {
	saved, raw unix.Termios
	tty, life  int
	pid        int
}

func startGuard(tty int, saved, raw unix.Termios) (*guard, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, errs.Op("make a pipe for", "the terminal's guard", err)
	}
	defer unix.Close(ends[0])
	g := &guard{saved: saved, raw: raw, tty: tty, life: ends[1]}
	if err := g.fork(ends[0]); err != nil {
		unix.Close(g.life)
		return nil, errs.Op("fork", "the terminal's guard", err)
	}
	return g, nil
}

func (g *guard) fork(life int) error {
	var errno C.int
	g.pid = int(C.guard(C.int(g.tty), C.int(life), unsafe.Pointer(&g.saved), unsafe.Pointer(&g.raw), &errno))
	if g.pid < 0 {
		return syscall.Errno(errno)
	}
	return nil
}

// set tells whether the terminal is as we have set it.
func (g *guard) set(now *unix.Termios) bool {
	return now.Iflag == g.raw.Iflag && now.Oflag == g.raw.Oflag && now.Lflag == g.raw.Lflag && now.Cc == g.raw.Cc
}

func (g *guard) restore() {
	C.restore_quietly(C.int(g.tty), unsafe.Pointer(&g.saved), unsafe.Pointer(&g.raw))
}

// end lets the guard go, which finds nothing to restore.
func (g *guard) end() {
	unix.Close(g.life)
	for {
		if _, err := unix.Wait4(g.pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}
