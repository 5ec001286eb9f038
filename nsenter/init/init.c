// The init: carries a plan out, step by step, and becomes the workload. It never parses
// config.json, never allocates, never logs. It runs as PID 1 of a new container, or as
// the process that `exec` adds to one.
#include <asm/unistd.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/signal.h>

#include "sys.h"

struct init init;

const body bodies[KIND_COUNT] = {
	[KIND_CALL] = do_call,
	[KIND_FORK] = do_fork,
	[KIND_NEXT] = do_next,
	[KIND_UNSHARE] = do_unshare,
	[KIND_SETNS] = do_setns,
	[KIND_FSOPEN] = do_fsopen,
	[KIND_FSCONFIG] = do_fsconfig,
	[KIND_FSMOUNT] = do_fsmount,
	[KIND_OPEN_TREE] = do_open_tree,
	[KIND_MOUNT_SETATTR] = do_setattr,
	[KIND_ATTACH] = do_attach,
	[KIND_TREE] = do_tree,
	[KIND_COPY_MODE] = do_copy_mode,
	[KIND_COPY_UP] = do_copy_up,
	[KIND_MKDIR] = do_mkdir,
	[KIND_MKNOD] = do_mknod,
	[KIND_SYMLINK] = do_symlink,
	[KIND_OPEN] = do_open,
	[KIND_CLOSE] = do_close,
	[KIND_WRITE] = do_write,
	[KIND_JOIN] = do_join,
	[KIND_PIVOT_ROOT] = do_pivot,
	[KIND_MOVE_ROOT] = do_move_root,
	[KIND_DROP] = do_drop,
	[KIND_CHROOT] = do_chroot,
	[KIND_MASK] = do_mask,
	[KIND_READONLY] = do_readonly,
	[KIND_SETHOSTNAME] = do_hostname,
	[KIND_SETDOMAINNAME] = do_domainname,
	[KIND_LOOPBACK] = do_loopback,
	[KIND_SETSID] = do_setsid,
	[KIND_PTMX] = do_ptmx,
	[KIND_PTPEER] = do_ptpeer,
	[KIND_TTY] = do_tty,
	[KIND_UMASK] = do_umask,
	[KIND_OWN_STDIO] = do_own_stdio,
	[KIND_REOPEN_NULL] = do_reopen_null,
	[KIND_DUP] = do_dup,
	[KIND_SETRLIMIT] = do_rlimit,
	[KIND_BOUNDING] = do_bounding,
	[KIND_SETGROUPS] = do_groups,
	[KIND_SETGID] = do_gid,
	[KIND_SETUID] = do_uid,
	[KIND_PRCTL] = do_prctl,
	[KIND_RENEW] = do_renew,
	[KIND_CHDIR] = do_chdir,
	[KIND_FIND] = do_find,
	[KIND_CAPSET] = do_capset,
	[KIND_AMBIENT] = do_ambient,
	[KIND_SECCOMP] = do_filter,
	[KIND_WAIT] = do_wait,
	[KIND_EXECVE] = do_exec,
};

size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

// put leaves an fd in a slot; an fd that was there before is closed.
void put(int slot, long fd)
{
	if (init.slot[slot] >= 0)
		sys1(__NR_close, init.slot[slot]);
	init.slot[slot] = (int)fd;
}

// words is how many pointers there are: the two lists, their ends, and the reserved ones.
static u64 words(void) { return (u64)init.head->args + init.head->env + 4; }

// A string or blob lies behind the pointers, which execve's vectors overwrite, and a NUL ends it.
static int inside(u32 at, u32 len)
{
	u32 size = init.head->size;

	if (!at)
		return !len;
	return at >= init.head->pointers + 8 * words() && at < size && len < size - at && !init.plan[at + len];
}

static int step_ok(const struct step *s)
{
	return s->kind < KIND_COUNT && bodies[s->kind] && s->in < SLOT_COUNT && s->out < SLOT_COUNT &&
	       inside(s->s, s->s_len) && inside(s->t, s->t_len);
}

// A 0 ends both lists, and stands where an answer's text may come.
static int lists_ok(const struct header *h)
{
	const u64 *p = pointers();

	return !(p[h->args] | p[h->args + 1 + h->env] | p[h->args + 2 + h->env] | p[h->args + 3 + h->env]);
}

// check bounds everything once, so that no step needs to.
static int check(u64 size)
{
	struct header *h = init.head;

	if (h->magic != PLAN_MAGIC || h->version != PLAN_VERSION || h->size != size || init.plan[size - 1])
		return -EINVAL;
	if (!h->args)
		return -EINVAL;
	if (h->pointers % 8 || h->pointers < sizeof(*h) + h->steps * sizeof(struct step) || h->pointers > size)
		return -EINVAL;
	if (words() > (size - h->pointers) / 8 || !lists_ok(h))
		return -EINVAL;
	for (u32 i = 0; i < h->steps; i++)
		if (!step_ok(&init.steps[i]))
			return -EINVAL;
	return 0;
}

// load maps the plan privately: execve's vectors are filled in place.
int load(int fd)
{
	long size = sys3(__NR_lseek, fd, 0, 2);
	long at;

	if (size < (long)sizeof(struct header))
		return -EINVAL;
	at = sys6(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (at < 0 && at > -4096)
		return (int)at;
	init.plan = (u8 *)at;
	init.head = (struct header *)at;
	init.steps = (struct step *)(at + (long)sizeof(struct header));
	init.slot = init.head->slot;
	return check((u64)size);
}

// adopt gives the slots their fds.
int adopt(int sock, const int *fds, int count)
{
	for (int i = 0; i < SLOT_COUNT; i++) {
		int place = init.slot[i];

		if (place < -1 || place >= count)
			return -EINVAL;
		init.slot[i] = place < 0 ? -1 : fds[place];
	}
	sys1(__NR_close, fds[0]);
	init.slot[SLOT_SOCKET] = sock;
	return 0;
}

// run does the steps. It comes back only if the plan ends without an execve.
long run(void)
{
	for (init.at = 0; init.at < init.head->steps; init.at++) {
		const struct step *s = &init.steps[init.at];
		long result = bodies[s->kind](s);

		if (result < 0)
			fail(result);
	}
	return -EINVAL;
}

#ifndef FUZZ

struct action {
	void (*handler)(int);
	u64 flags;
	void (*restorer)(void);
	u64 mask;
};

void restore(void);
void enter(long *stack) __attribute__((noreturn, used));

static void die(int signal) { leave(128 + signal); }

// A PID 1 with default dispositions would ignore TERM, and `kill` of a created container
// would do nothing. What the caller ignored must not reach the workload.
static void dispositions(void)
{
	struct action action = {0, 0, 0, 0};
	u64 none = 0;

	for (int n = 1; n <= 64; n++)
		sys4(__NR_rt_sigaction, n, &action, 0, 8);
	action.handler = die;
	action.flags = 0x04000000; // SA_RESTORER; arm64 ignores it
	action.restorer = restore;
	sys4(__NR_rt_sigaction, SIGTERM, &action, 0, 8);
	sys4(__NR_rt_sigaction, SIGINT, &action, 0, 8);
	sys4(__NR_rt_sigaction, SIGHUP, &action, 0, 8);
	sys4(__NR_rt_sigaction, SIGQUIT, &action, 0, 8);
	sys4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
}

// Nothing that the caller leaked stays open, and nothing of ours outlives execve.
static void descriptors(int sock)
{
	sys3(__NR_close_range, sock + 1, ~0u, 0);
	sys3(__NR_close_range, sock, sock, CLOSE_RANGE_CLOEXEC);
}

static u64 number(const char *s)
{
	u64 n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = 10 * n + (u64)(*s - '0');
	return n;
}

// enter: argv[1] is the number of the socket, argv[2] the namespaces to make while the
// parent is still at work on the plan.
void enter(long *stack)
{
	int fds[PASSED_MAX], count, sock;

	sys2(__NR_prctl, PR_SET_DUMPABLE, 0);
	sys2(__NR_prctl, PR_SET_NAME, "rt-init");
	dispositions();
	if (stack[0] < 3)
		leave(125);
	sock = (int)number((const char *)stack[2]);
	descriptors(sock);
	sys1(__NR_umask, 0);
	init.early = number((const char *)stack[3]);
	if (init.early)
		init.early_result = sys1(__NR_unshare, init.early);
	count = hear_plan(sock, fds, &init.base);
	if (count < 0 || load(fds[0]) < 0 || adopt(sock, fds, count) < 0)
		leave(125);
	fail(run());
}

#endif
