/*
 * calls: makes the system calls 0 to 600 of each ABI, all arguments -1, each in a process of
 * its own, and prints "ABI NUMBER RESULT". A call that takes its process along, or does not
 * return, has the result "none". Further arguments are calls ABI:NUMBER:ARG....
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NATIVE, X86, X32 };
static const char *const names[] = { "native", "x86", "x32" };
static const long none = 0x5555555555;

static long make(int abi, long nr, const long *a)
{
	long r;
#ifdef __x86_64__
	register long r10 asm("r10") = a[3];
	register long r8 asm("r8") = a[4];
	register long r9 asm("r9") = a[5];

	if (abi == X86) {
		int low;
		asm volatile("int $0x80" : "=a"(low)
			     : "a"((int)nr), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
			     : "memory", "r8", "r9", "r10", "r11");
		return low;
	}
	if (abi == X32)
		nr |= 0x40000000;
	asm volatile("syscall" : "=a"(r)
		     : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
		     : "memory", "rcx", "r11");
#else
	r = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
#endif
	return r;
}

/* The call may block all signals, so that it is the parent that looks at the clock. */
static void reap(pid_t child)
{
	const struct timespec limit = { .tv_sec = 5 };
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	while (waitpid(child, NULL, WNOHANG) == 0)
		if (sigtimedwait(&ends, NULL, &limit) < 0)
			kill(child, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0) /* of a fork, and ours: we are PID 1 */
		;
}

static void try(volatile long *result, int abi, long nr, const long *a)
{
	*result = none;
	pid_t child = fork();
	if (child == 0) {
		*result = make(abi, nr, a);
		_exit(0);
	}
	if (child < 0)
		exit(100);
	reap(child);
}

/* pause and sigsuspend would wait, and sync for all of the host. */
static int skipped(int abi, long nr)
{
	if (abi == X86)
		return nr == 29 || nr == 72 || nr == 36;
	return nr == SYS_sync
#ifdef SYS_pause
	    || nr == SYS_pause
#endif
	    ;
}

static void say(const char *what, long result)
{
	if (result == none)
		printf("%s none\n", what);
	else
		printf("%s %ld\n", what, result);
}

static void named(volatile long *result, char *text)
{
	char what[200], *save, *word = strcpy(what, text);
	int abi = 0;
	long v[7] = { 0 };

	for (word = strtok_r(text, ":", &save); abi < X32 && strcmp(word, names[abi]); abi++)
		;
	for (int i = 0; i < 7 && (word = strtok_r(NULL, ":", &save)); i++)
		v[i] = (long)strtoull(word, NULL, 0);
	try(result, abi, v[0], v + 1);
	say(what, *result);
}

int main(int argc, char **argv)
{
	static const long ones[6] = { -1, -1, -1, -1, -1, -1 };
	volatile long *result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char what[40];
	sigset_t ends;

	if (result == MAP_FAILED)
		return 101;
	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (int abi = NATIVE; abi <= X32; abi++)
		for (long nr = 0; nr <= 600; nr++) {
			if (skipped(abi, nr))
				continue;
			try(result, abi, nr, ones);
			snprintf(what, sizeof what, "%s %ld", names[abi], nr);
			say(what, *result);
		}
	for (int i = 1; i < argc; i++)
		named(result, argv[i]);
	return 0;
}
