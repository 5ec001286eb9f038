// Steps that make a process, or make the process new.
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>

#include "sys.h"

enum { O_WRONLY_ = 1, O_CLOEXEC_ = 02000000 };

static long clone(u64 namespaces, int group)
{
	struct clone_args args = {0};
	long result;

	args.flags = namespaces | CLONE_PARENT | (group >= 0 ? CLONE_INTO_CGROUP : 0);
	args.cgroup = (u64)group;
	result = sys2(__NR_clone3, &args, sizeof(args));
	if (result == -ENOSYS) { // a seccomp profile from before clone3, with its pointer to flags
		init.outside = 1;
		result = sys5(__NR_clone, namespaces | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	}
	return result;
}

static char *append(char *to, const char *from)
{
	while (*from)
		*to++ = *from++;
	*to = 0;
	return to;
}

// decimal writes a number of at most ten digits.
static char *decimal(char *to, u32 n)
{
	char digits[10];
	int i = 0;

	do
		digits[i++] = (char)('0' + n % 10);
	while (n /= 10);
	while (i)
		*to++ = digits[--i];
	*to = 0;
	return to;
}

static long write_map(u32 pid, const char *name, const char *map, u32 len)
{
	char path[32];
	long fd, got;

	append(append(decimal(append(path, "/proc/"), pid), "/"), name);
	fd = sys3(__NR_openat, AT_FDCWD, path, O_WRONLY_ | O_CLOEXEC_);
	if (fd < 0)
		return fd;
	got = in_proc((int)fd);
	if (got == 0)
		got = sys3(__NR_write, fd, map, len);
	sys1(__NR_close, fd);
	return got < 0 ? got : 0;
}

static long write_maps(const struct step *s, u32 pid)
{
	long result;

	init.detail = DETAIL_UID_MAP;
	result = write_map(pid, "uid_map", text(s), s->s_len);
	if (result < 0)
		return result;
	init.detail = DETAIL_GID_MAP;
	return write_map(pid, "gid_map", other(s), s->t_len);
}

// mapped: the child waits at the pipe until its maps are there, and is dead without them. The
// parent need not be asked, only told, and first: the child may fork, too.
static long mapped(const struct step *s, long pid, const int *pipe)
{
	char byte = 0;
	long result;

	if (pid) {
		result = write_maps(s, (u32)pid);
		if (result < 0)
			return result;
		tell((u32)pid);
		sys3(__NR_write, pipe[1], &byte, 1);
		leave(0);
	}
	sys1(__NR_close, pipe[1]);
	if (sys3(__NR_read, pipe[0], &byte, 1) != 1)
		leave(1);
	sys1(__NR_close, pipe[0]);
	return 0;
}

// do_fork goes on in a child of our parent: whoever waits for us will wait for it. Where the
// child may not be born into the cgroup (threaded, limited, not ours), it joins it later.
long do_fork(const struct step *s)
{
	int group = init.slot[s->in], pipe[2] = {-1, -1};
	long pid = 0;

	if (s->flags & FORK_TRACE)
		sys2(__NR_prctl, PR_SET_DUMPABLE, 1);
	if (s->s_len)
		pid = sys2(__NR_pipe2, pipe, O_CLOEXEC_);
	if (pid < 0)
		return pid;
	init.outside = group < 0;
	pid = clone(s->a, group);
	if (pid < 0 && group >= 0) {
		init.outside = 1;
		pid = clone(s->a, -1);
	}
	if (pid < 0)
		return pid;
	if (s->s_len)
		return mapped(s, pid, pipe);
	return pid || s->b ? told((u32)pid) : 0; // without a call there is nothing to wait for
}

// Capabilities get lost at an execve by a user other than root, unless they are ambient.
static long keep_all(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	long result = sys2(__NR_capget, &head, data);

	data[0].inheritable = data[0].permitted;
	data[1].inheritable = data[1].permitted;
	if (result == 0)
		result = sys2(__NR_capset, &head, data);
	for (u64 cap = 0; cap < 64 && result == 0; cap++)
		if (data[cap / 32].permitted >> cap % 32 & 1)
			result = sys5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	return result;
}

// do_renew: memory belongs to the user namespace in which it was executed. The owner of a new
// one has no right to a process that was executed outside and is not dumpable, and could not
// join its namespaces. The plan comes again, with the step after this one.
long do_renew(const struct step *s)
{
	int sock = init.slot[SLOT_SOCKET];
	char number[12] = {0};
	char *argv[] = {"rt-init", number, "0", 0};
	char *env[] = {0};
	long result = keep_all();

	(void)s;
	decimal(number, (u32)sock);
	if (result == 0)
		result = sys3(__NR_fcntl, sock, F_SETFD, 0);
	return result < 0 ? result : sys3(__NR_execve, "/proc/self/exe", argv, env);
}

// do_next waits for the steps that come after these: the parent was still at work on them.
long do_next(const struct step *s)
{
	int fds[PASSED_MAX], sock = init.slot[SLOT_SOCKET];
	u32 size = init.head->size;
	u8 *done = init.plan;
	int count = hear_plan(sock, fds, &init.base);

	(void)s;
	if (count < 0)
		leave(1);
	if (load(fds[0]) < 0 || adopt(sock, fds, count) < 0)
		leave(125);
	sys2(__NR_munmap, done, size);
	init.at = (u32)-1;
	return 0;
}

// do_join: who is root in a user namespace may not open the files of the host's cgroups; the
// right that counts is that of the one who opened them.
long do_join(const struct step *s)
{
	const int *files = init.files;
	long result = 0;

	if (s->flags & WRITE_OUTSIDE && !init.outside)
		return 0;
	if (s->a != CALL_JOIN || !init.kept)
		ask((long)s->a, -1, init.files, PASSED_MAX);
	for (int i = 0; i < PASSED_MAX && files[i] >= 0; i++) {
		long got = sys3(__NR_write, files[i], "0", 1);

		if (got < 0 && result == 0)
			result = got;
		sys1(__NR_close, files[i]);
	}
	return result;
}
