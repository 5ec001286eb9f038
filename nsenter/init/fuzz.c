// The init on a fake kernel: any bytes as a plan, any results from the system calls. Build
// it with -DFUZZ and a sanitizer, together with the other files except start.c:
//
//	fuzz [-t SECONDS] [-s SEED] [FILE...]
//
// Each FILE is one input, run once; without a file, inputs are made up until the time is
// over. An input is 4 bytes with the length of the plan, the plan, and what drives the
// kernel. The one that ends badly is left in ./fuzz-crash.
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"

void __sanitizer_set_death_callback(void (*)(void));

enum { INPUT_MAX = 32768, MAPS = 4 };

static u8 input[INPUT_MAX]; // the one that runs
static size_t input_len;
static size_t next;   // of the input's bytes, for the kernel
static void *maps[MAPS];
static int map_count;
static size_t plan_len;
static jmp_buf end;
static unsigned long calls, ended[4]; // by exit: refused, 1, 125, execve

static u8 byte(void) { return next < input_len ? input[next++] : 0; }

static u32 word(void)
{
	u32 v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | byte();
	return v;
}

// touch reads memory that the real kernel would read, so that the sanitizer sees it.
static void touch(const void *at, size_t n)
{
	static volatile u8 sink;

	for (size_t i = 0; i < n; i++)
		sink ^= ((const u8 *)at)[i];
}

static void touch_string(long at)
{
	if (at)
		touch((const void *)at, strlen((const char *)at) + 1);
}

// result is mostly a success, sometimes one of the errors that the init knows.
static long result(long good)
{
	static const int errors[] = {EPERM, ENOENT, EACCES, EEXIST, ENOTDIR, EISDIR, EINVAL, ELOOP, EAGAIN, EINTR, EBADF, ENODEV};
	u8 b = byte();

	return b < 160 ? good : -errors[b % (sizeof(errors) / sizeof(*errors))];
}

// likely is result, but for an error that leads further than others.
static long likely(long error, long good)
{
	return byte() % 3 ? result(good) : error;
}

static long fill(void *to, size_t n)
{
	size_t got = word() % (n + 1);

	for (size_t i = 0; i < got; i++)
		((u8 *)to)[i] = byte();
	return (long)got;
}

static long fake_map(long size)
{
	void *at;

	if (map_count == MAPS || size <= 0 || size > 1 << 20)
		return -ENOMEM;
	at = calloc(1, (size_t)size); // exactly so long: the sanitizer guards its end
	if (!map_count)
		memcpy(at, input + 4, plan_len);
	maps[map_count++] = at;
	return (long)at;
}

// A target is mostly letters, slashes and dots, of any length.
static long fake_link(char *to, size_t n)
{
	long got = fill(to, n);

	for (long i = 0; i < got; i++)
		to[i] = "a/.b"[to[i] & 3];
	return likely(got, got);
}

static long fake_statx(struct statx *st)
{
	static const u16 types[] = {S_IFREG, S_IFDIR, S_IFCHR, S_IFIFO, S_IFLNK, S_IFBLK};

	memset(st, 0, sizeof(*st));
	st->stx_mode = types[byte() % 6] | byte();
	st->stx_rdev_major = byte() % 2 ? 1 : word();
	st->stx_rdev_minor = byte() % 2 ? 3 : word();
	return result(0);
}

struct header_of_message {
	void *name;
	u32 name_len;
	struct {
		void *base;
		size_t len;
	} *iov;
	size_t iov_len;
	void *control;
	size_t control_len;
	int flags;
};

// An answer: mostly a DONE.
static long fake_answer(void *to, size_t n)
{
	struct message done = {VERB_DONE, 0, 0, 0};
	long got = result(0);

	if (got < 0)
		return got;
	got = fill(to, n);
	if (byte() < 200 && n >= sizeof(done)) {
		memcpy(to, &done, sizeof(done));
		got = got < (long)sizeof(done) ? (long)sizeof(done) : got;
	}
	return got;
}

static long fake_recvmsg(struct header_of_message *m)
{
	int fd[5] = {20, 0, 1, 1, byte()};

	if (byte() < 128)
		memcpy(m->control, fd, sizeof(fd));
	else
		fill(m->control, m->control_len);
	return fake_answer(m->iov->base, m->iov->len);
}

static long fake_filter(const struct sock_fprog *p)
{
	touch(p, sizeof(*p));
	touch(p->filter, p->len * sizeof(struct sock_filter));
	return result(0);
}

static long fake_execve(const char *path, char **args, char **env)
{
	touch_string((long)path);
	for (; *args; args++)
		touch_string((long)*args);
	for (; *env; env++)
		touch_string((long)*env);
	ended[3]++;
	longjmp(end, 1);
}

// reads are the calls that take strings or structures.
static long reads(long nr, long a, long b, long c, long d, long e)
{
	switch (nr) {
	case __NR_openat2:
		touch_string(b);
		touch((void *)c, sizeof(struct open_how));
		return likely(byte() % 4 ? -ENOENT : -EAGAIN, 3 + byte());
	case __NR_openat:
	case __NR_open_tree:
		touch_string(b);
		return result(3 + byte());
	case __NR_fsopen:
		touch_string(a);
		return result(3 + byte());
	case __NR_fsconfig:
		touch_string(c);
		touch_string(d);
		return result(0);
	case __NR_mount_setattr:
		touch_string(b);
		touch((void *)d, (size_t)e);
		return result(0);
	case __NR_sethostname:
	case __NR_setdomainname:
		touch((void *)a, (size_t)b);
		return result(0);
	case __NR_setgroups:
		touch((void *)b, (size_t)a * 4);
		return result(0);
	case __NR_write:
		touch((void *)b, (size_t)c);
		return result(byte() < 200 ? c : c / 2);
	case __NR_chdir:
		touch_string(a);
		return result(0);
	case __NR_symlinkat:
		touch_string(a);
		touch_string(c);
		return likely(-EEXIST, 0);
	case __NR_mkdirat:
	case __NR_mknodat:
		touch_string(b);
		return likely(-EEXIST, 0);
	case __NR_unlinkat:
	case __NR_fchownat:
	case __NR_faccessat2:
		touch_string(b);
		return result(0);
	}
	return result(nr == __NR_fsmount || nr == __NR_socket ? 3 + byte() : 0);
}

// sys6: first the calls that write, then the rest.
long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	long n;

	(void)f;
	calls++;
	switch (nr) {
	case __NR_exit_group:
		ended[a == 1 ? 1 : 2]++;
		longjmp(end, 1);
	case __NR_execve:
		n = result(0);
		return n < 0 ? n : fake_execve((char *)a, (char **)b, (char **)c);
	case __NR_lseek:
		return map_count ? result((long)(word() % 600000)) : (long)plan_len;
	case __NR_mmap:
		return fake_map(b);
	case __NR_statx:
		touch_string(b);
		return fake_statx((struct statx *)e);
	case __NR_fstatfs:
		memset((void *)b, 0, sizeof(struct statfs));
		((struct statfs *)b)->f_type = byte() % 4 ? 0 : PROC_SUPER_MAGIC;
		return result(0);
	case __NR_readlinkat:
		touch_string(b);
		return fake_link((void *)c, (size_t)d);
	case __NR_getcwd:
		n = fill((void *)a, (size_t)b - 1);
		((char *)a)[n] = 0;
		return result(n + 1);
	case __NR_read:
		return b == (long)init.text ? fake_answer((void *)b, (size_t)c) : result(fill((void *)b, (size_t)c));
	case __NR_recvmsg:
		return fake_recvmsg((void *)b);
	case __NR_seccomp:
		return fake_filter((struct sock_fprog *)c);
	}
	return reads(nr, a, b, c, d, e);
}

static void run_input(void)
{
	plan_len = 0;
	next = 0;
	if (input_len >= 4)
		memcpy(&plan_len, input, 4);
	if (input_len < 4 || plan_len > input_len - 4)
		plan_len = input_len < 4 ? 0 : input_len - 4;
	next = plan_len + 4;
	memset(&init, 0, sizeof(init));
	if (!setjmp(end)) {
		if (load(7) < 0)
			ended[0]++;
		else
			fail(run());
	}
	while (map_count)
		free(maps[--map_count]);
}

static u64 seed;

static u32 dice(u32 n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed >> 20) % n;
}

static u32 put_text(u8 *plan, u32 *at, u32 n)
{
	static const char *const texts[] = {"/a/b/c", "../..", "/", "tool", "/bin:/sbin::", "a/../b//c/", "lo", "tmpfs", "/proc/self/fd/5"};
	const char *t = texts[dice(sizeof(texts) / sizeof(*texts))];
	u32 begin;

	*at = (*at + 7) & ~7u;
	begin = *at;
	if (n < 4000 && dice(8)) {
		n = (u32)strlen(t);
		memcpy(plan + begin, t, n);
	} else {
		u32 room = INPUT_MAX - 9000 - begin;

		n = n < room ? n : room;
		for (u32 i = 0; i < n; i++)
			plan[begin + i] = dice(3) ? (u8)(1 + dice(255)) : '/';
	}
	plan[begin + n] = 0;
	*at = begin + n + 1;
	return begin;
}

// Mostly short, at times longer than any buffer of the init.
static u32 text_length(void) { return dice(40) ? dice(300) : 4000 + dice(300); }

static void make_step(u8 *plan, struct step *s, u32 *at)
{
	static const u64 numbers[] = {0, 1, 8, 0x2080, 1u << 31, ~0ull};

	s->kind = (u16)(1 + dice(KIND_COUNT - 1));
	s->flags = (u16)dice(dice(4) ? 4 : 0x10000);
	s->in = (u8)dice(SLOT_COUNT);
	s->out = (u8)dice(SLOT_COUNT);
	s->a = numbers[dice(6)] ^ dice(16);
	s->b = numbers[dice(6)];
	s->c = numbers[dice(6)];
	if (dice(4)) {
		s->s = put_text(plan, at, text_length());
		s->s_len = (u32)strlen((char *)plan + s->s);
	}
	if (dice(2)) {
		s->t = put_text(plan, at, text_length());
		s->t_len = (u32)strlen((char *)plan + s->t);
	}
}

// make_plan is a valid plan with random steps.
static u32 make_plan(u8 *plan)
{
	struct header h = {PLAN_MAGIC, PLAN_VERSION, 0, 1 + dice(12), 0, 1 + dice(3), dice(3), dice(3), {0}};
	u32 at;

	for (int i = 0; i < 16; i++)
		h.slot[i] = dice(3) ? -1 : (int)(3 + dice(20));
	h.pointers = (u32)sizeof(h) + h.steps * (u32)sizeof(struct step);
	at = h.pointers + 8 * (h.args + h.env + 3);
	for (u32 i = 0; i < h.args + h.env; i++) {
		u64 offset = put_text(plan, &at, dice(40));

		memcpy(plan + h.pointers + 8 * (i < h.args ? i : i + 1), &offset, 8);
	}
	for (u32 i = 0; i < h.steps; i++)
		make_step(plan, (struct step *)(plan + sizeof(h)) + i, &at);
	h.size = at;
	memcpy(plan, &h, sizeof(h));
	return at;
}

// make_input: a valid plan, in half of the cases with some bytes changed or its end cut.
static void make_input(u64 number)
{
	static _Alignas(8) u8 plan[INPUT_MAX];
	u32 len;

	seed = number * 0x9e3779b97f4a7c15ull + 1;
	memset(plan, 0, sizeof(plan));
	len = make_plan(plan);
	if (dice(2))
		for (u32 i = 1 + dice(4); i; i--)
			plan[dice(2) ? dice(len) : dice(96)] = (u8)dice(256);
	if (!dice(16))
		len = dice(len);
	memcpy(input, &len, 4);
	memcpy(input + 4, plan, len);
	input_len = 4 + len + dice(dice(4) ? 1000 : 8000);
	for (size_t i = 4 + len; i < input_len; i++)
		input[i] = (u8)(dice(3) ? dice(160) : dice(256));
}

static void keep(void)
{
	FILE *f = fopen("fuzz-crash", "wb");

	if (f) {
		fwrite(input, 1, input_len, f);
		fclose(f);
	}
	fprintf(stderr, "the input is in ./fuzz-crash\n");
}

static void hang(int signal)
{
	(void)signal;
	fprintf(stderr, "one input took more than 5 s\n");
	keep();
	_exit(2);
}

static void replay(const char *name)
{
	FILE *f = fopen(name, "rb");

	if (!f) {
		perror(name);
		exit(2);
	}
	input_len = fread(input, 1, sizeof(input), f);
	fclose(f);
	run_input();
}

int main(int argc, char **argv)
{
	time_t until;
	u64 number = 1;
	int seconds = 10, option;

	while ((option = getopt(argc, argv, "t:s:")) != -1)
		if (option == 't')
			seconds = atoi(optarg);
		else if (option == 's')
			number = strtoull(optarg, 0, 0) << 32;
	__sanitizer_set_death_callback(keep);
	signal(SIGALRM, hang);
	for (int i = optind; i < argc; i++)
		replay(argv[i]);
	for (until = time(0) + seconds; optind == argc && time(0) < until; number++) {
		if (number % 1024 == 1)
			alarm(5);
		make_input(number);
		run_input();
	}
	printf("%lu system calls; plans refused %lu, failed %lu, ended %lu, executed %lu\n", calls, ended[0], ended[1], ended[2], ended[3]);
	return 0;
}
