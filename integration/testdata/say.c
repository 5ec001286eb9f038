// What busybox has no applet for: says ARG... by sd_notify(3), one datagram each.
//
//   -b       a barrier: BARRIER=1 with a pipe, then waits until its other end is closed
//   -n SIZE  READY=1 in a datagram of SIZE bytes
//   -f TEXT  TEXT with an fd
//   -e       an empty datagram
//   -x       READY=1 without end
//   -l       no message: takes a connection from the socket that is fd 3, and greets it
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un to = {.sun_family = AF_UNIX};
static int sock;

static void send_with(const char *text, size_t len, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec iov = {(char *)text, len};
	struct msghdr msg = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0) {
		perror("say");
		exit(1);
	}
}

static void barrier(void)
{
	int ends[2];
	struct pollfd end;

	if (pipe(ends) < 0)
		exit(1);
	send_with("BARRIER=1", 9, ends[1]);
	close(ends[1]);
	end = (struct pollfd){ends[0], 0, 0};
	poll(&end, 1, -1);
	puts("passed");
}

static void padded(size_t size)
{
	char *text = malloc(size);

	memset(text, 'x', size);
	memcpy(text, "READY=1\n", 8);
	send_with(text, size, -1);
}

static void greet(void)
{
	int peer = accept(3, NULL, NULL);

	if (peer < 0 || write(peer, "hello", 5) != 5)
		perror("greet");
}

static void option(const char *arg, const char *value)
{
	switch (arg[1]) {
	case 'b':
		barrier();
		break;
	case 'n':
		padded(strtoul(value, NULL, 10));
		break;
	case 'f':
		send_with(value, strlen(value), 2);
		break;
	case 'e':
		send_with("", 0, -1);
		break;
	case 'x':
		for (;;)
			send_with("READY=1", 7, -1);
	case 'l':
		greet();
	}
}

int main(int argc, char **argv)
{
	const char *path = getenv("NOTIFY_SOCKET");

	strncpy(to.sun_path, path ? path : "/nosuch", sizeof(to.sun_path) - 1);
	sock = socket(AF_UNIX, SOCK_DGRAM, 0);
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-') {
			send_with(argv[i], strlen(argv[i]), -1);
			continue;
		}
		option(argv[i], argv[i + 1]);
		i += argv[i][1] == 'n' || argv[i][1] == 'f';
	}
	return 0;
}
