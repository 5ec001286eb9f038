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

// A message with the plan and the fds that it names.
int hear_plan(int sock, int *fds)
{
	struct {
		size_t len;
		int level, type, fds[PASSED_MAX];
	} control = {0, 0, 0, {0}};
	struct message m;
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr msg = {0, 0, &iov, 1, &control, sizeof(control), 0};
	long got = sys3(__NR_recvmsg, sock, &msg, CLOEXEC);
	int count = (int)(control.len < 16 ? 0 : (control.len - 16) / sizeof(int));

	if (got != (long)sizeof(m) || m.verb != VERB_PLAN || control.type != RIGHTS || count < 1 || count > PASSED_MAX)
		return -EPROTO;
	for (int i = 0; i < count; i++)
		fds[i] = control.fds[i];
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

static long hear(int *fd)
{
	struct iovec iov = {init.text, sizeof(init.text) - 1};
	struct control control = {0, 0, 0, -1, 0};
	struct msghdr msg = {0, 0, &iov, 1, &control, sizeof(control), 0};
	long got = sys3(__NR_recvmsg, init.slot[SLOT_SOCKET], &msg, CLOEXEC);

	*fd = control.type == RIGHTS && control.len == 20 ? control.fd : -1;
	return got;
}

// The answer's text becomes the environment's reserved entry.
static void take_text(long len)
{
	init.text[sizeof(struct message) + len] = 0;
	pointers()[init.head->args + 1 + init.head->env] = len ? (u64)(init.text + sizeof(struct message)) : 0;
}

// do_call asks the parent to do its steps of call a, and waits. No answer means that the
// parent is dead: so is this container.
long do_call(const struct step *s)
{
	struct message m = {VERB_CALL, init.at, (int)s->a, 0};
	int fd = -1;
	long got;

	got = say(&m, init.slot[s->in]);
	if (got < 0)
		leave(1);
	got = s->out ? hear(&fd) : sys3(__NR_read, init.slot[SLOT_SOCKET], init.text, sizeof(init.text) - 1);
	if (got < (long)sizeof(m) || ((struct message *)init.text)->verb != VERB_DONE)
		leave(1);
	if (s->out)
		put(s->out, fd);
	if (s->flags & CALL_TEXT)
		take_text(got - (long)sizeof(m));
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
	struct message m = {VERB_FAIL, init.at, (int)-result, init.detail};

	if (init.slot[SLOT_SOCKET] >= 0)
		say(&m, init.slot[SLOT_FS]);
	else if (init.slot[SLOT_STARTED] >= 0)
		sys3(__NR_write, init.slot[SLOT_STARTED], &m, sizeof(m));
	leave(1);
}
