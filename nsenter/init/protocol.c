// What init says and hears: docs/protocol.md draws it.
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/uio.h>

#include "sys.h"

// <linux/socket.h> has none of these.
struct control {
	size_t len;
	int level, type;
	int fd, pad;
};

struct msghdr {
	void *name;
	u32 name_len;
	struct iovec *iov;
	size_t iov_len;
	void *control;
	size_t control_len;
	int flags;
};

enum { LEVEL_SOCKET = 1, RIGHTS = 1, CLOEXEC = 0x40000000, NOSIGNAL = 0x4000 };

void leave(int status)
{
	for (;;)
		sys1(__NR_exit_group, status);
}

// receive gives the length of a message and puts the fds that came along into fds.
static long receive(int sock, void *to, size_t size, int *fds, int *count)
{
	struct {
		size_t len;
		int level, type, fds[PASSED_MAX];
	} control = {0, 0, 0, {0}};
	struct iovec iov = {to, size};
	struct msghdr msg = {0, 0, &iov, 1, &control, sizeof(control), 0};
	long got = sys3(__NR_recvmsg, sock, &msg, CLOEXEC);

	*count = control.type != RIGHTS || control.len < 16 ? 0 : (int)((control.len - 16) / sizeof(int));
	if (*count > PASSED_MAX)
		*count = 0;
	for (int i = 0; i < PASSED_MAX; i++)
		fds[i] = control.fds[i];
	return got;
}

// A message with a plan, the fds that it names, and how many steps came before.
int hear_plan(int sock, int *fds, u32 *step)
{
	struct message m;
	int count;
	long got = receive(sock, &m, sizeof(m), fds, &count);

	if (got != (long)sizeof(m) || m.verb != VERB_PLAN || !count)
		return -EPROTO;
	*step = m.step;
	return count;
}

// say sends a message, and an fd with it if there is one.
static long say(const struct message *m, int fd)
{
	struct iovec iov = {(void *)m, sizeof(*m)};
	struct control control = {20, LEVEL_SOCKET, RIGHTS, fd, 0};
	struct msghdr msg = {0, 0, &iov, 1, &control, sizeof(control), 0};

	if (fd < 0) // write passes more seccomp profiles than sendmsg
		return sys3(__NR_write, init.slot[SLOT_SOCKET], m, sizeof(*m));
	return sys3(__NR_sendmsg, init.slot[SLOT_SOCKET], &msg, NOSIGNAL);
}

// The answer's text becomes the environment's reserved entries: one variable, or two with a
// NUL between them.
static void take_text(long len)
{
	u64 *entry = pointers() + init.head->args + 1 + init.head->env;
	char *from = init.text + sizeof(struct message), *end = from + len;

	*end = 0;
	entry[0] = entry[1] = 0;
	for (int i = 0; i < 2 && from < end; i++) {
		entry[i] = (u64)from;
		from += length(from) + 1;
	}
}

static int is_done(long got) { return got >= (long)sizeof(struct message) && ((struct message *)init.text)->verb == VERB_DONE; }

// ask makes a call and waits. It gives the length of the answer, and max fds at most in
// fds. No answer means that the parent is dead: so is this container.
long ask(long call, int fd, int *fds, int max)
{
	struct message m = {VERB_CALL, init.base + init.at, (int)call, 0};
	int came[PASSED_MAX], count = 0;
	long got;

	if (say(&m, fd) < 0)
		leave(1);
	// read passes more seccomp profiles than recvmsg
	got = max ? receive(init.slot[SLOT_SOCKET], init.text, sizeof(init.text) - 1, came, &count)
		  : sys3(__NR_read, init.slot[SLOT_SOCKET], init.text, sizeof(init.text) - 1);
	if (!is_done(got))
		leave(1);
	for (int i = 0; i < max; i++)
		fds[i] = i < count ? came[i] : -1;
	return got;
}

// do_call asks the parent to do its steps of call a.
long do_call(const struct step *s)
{
	int fd = -1;
	int keep = s->flags & CALL_FILES;
	long got = ask((long)s->a, init.slot[s->in], keep ? init.files : &fd, keep ? PASSED_MAX : s->out ? 1 : 0);

	init.kept |= keep;
	if (s->out)
		put(s->out, fd);
	if (s->flags & CALL_TEXT)
		take_text(got - (long)sizeof(struct message));
	return 0;
}

// tell says the pid of a forked child to the parent.
void tell(u32 pid)
{
	struct message m = {VERB_SPAWNED, init.base + init.at, (int)pid, 0};

	say(&m, -1);
}

// told: the one who forked tells the parent the pid and goes; the child, to whom fork gave
// 0, waits until the parent has done its part.
long told(u32 pid)
{
	if (pid) {
		tell(pid);
		leave(0);
	}
	if (!is_done(sys3(__NR_read, init.slot[SLOT_SOCKET], init.text, sizeof(init.text) - 1)))
		leave(1);
	return 0;
}

// do_wait waits for one byte. Init holds both ends of the fifo, so there is no end of file.
long do_wait(const struct step *s)
{
	char byte;
	long got = sys3(__NR_read, init.slot[s->in], &byte, 1);

	return got == 1 ? 0 : got < 0 ? got : -EPIPE;
}

// fail tells who listens: the parent, until it has let go; then the one who started us.
// The file system context goes along: the kernel's own text is in it.
void fail(long result)
{
	struct message m = {VERB_FAIL, init.base + init.at, (int)-result, init.detail};

	if (init.slot[SLOT_SOCKET] >= 0)
		say(&m, init.slot[SLOT_FS]);
	else if (init.slot[SLOT_STARTED] >= 0)
		sys3(__NR_write, init.slot[SLOT_STARTED], &m, sizeof(m));
	leave(1);
}
