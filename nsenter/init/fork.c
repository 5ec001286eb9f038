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

// do_fork goes on in a child of our parent: whoever waits for us will wait for it. Where the
// child may not be born into the cgroup (threaded, limited, not ours), it joins it later.
long do_fork(const struct step *s)
{
	int group = init.slot[s->in];
	long pid;

	if (s->flags & FORK_TRACE)
		sys2(__NR_prctl, PR_SET_DUMPABLE, 1);
	init.outside = group < 0;
	pid = clone(s->a, group);
	if (pid < 0 && group >= 0) {
		init.outside = 1;
		pid = clone(s->a, -1);
	}
	return pid < 0 ? pid : told((u32)pid);
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
	number[0] = (char)('0' + sock / 1000 % 10);
	number[1] = (char)('0' + sock / 100 % 10);
	number[2] = (char)('0' + sock / 10 % 10);
	number[3] = (char)('0' + sock % 10);
	if (result == 0)
		result = sys3(__NR_fcntl, sock, F_SETFD, 0);
	return result < 0 ? result : sys3(__NR_execve, "/proc/self/exe", argv, env);
}

// do_join: who is root in a user namespace may not open the files of the host's cgroups; the
// right that counts is that of the one who opened them.
long do_join(const struct step *s)
{
	int files[PASSED_MAX];
	long result = 0;

	if (s->flags & WRITE_OUTSIDE && !init.outside)
		return 0;
	ask(CALL_JOIN, -1, files, PASSED_MAX);
	for (int i = 0; i < PASSED_MAX && files[i] >= 0; i++) {
		long got = sys3(__NR_write, files[i], "0", 1);

		if (got < 0 && result == 0)
			result = got;
		sys1(__NR_close, files[i]);
	}
	return result;
}
