// A fake kernel: it takes its results from the input, and reads and writes the memory that
// the real one would, so that the sanitizer sees it.
#include <asm/ioctls.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { MAPS = sizeof(fuzz.maps) / sizeof(*fuzz.maps), MAP_MAX = 1 << 20 };
#if defined(__aarch64__)
enum { DIRECTORY = 040000 };
#else
enum { DIRECTORY = 0200000 };
#endif

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
	size_t got = (byte() % 2 ? byte() : word()) % (n + 1);

	for (size_t i = 0; i < got; i++)
		((u8 *)to)[i] = byte();
	return (long)got;
}

static long fake_map(long size)
{
	void *at;

	if (fuzz.map_count == MAPS || size <= 0 || size > MAP_MAX)
		return -ENOMEM;
	at = calloc(1, (size_t)size); // exactly so long: the sanitizer guards its end
	if (!fuzz.map_count)
		memcpy(at, fuzz.input + 4, fuzz.plan);
	fuzz.maps[fuzz.map_count++] = at;
	return (long)at;
}

// A target is mostly letters, slashes and dots, of any length.
static long fake_link(char *to, size_t n)
{
	long got = fill(to, n);

	for (long i = 0; i < got; i++)
		to[i] = "a/.b"[to[i] & 3];
	return fuzz.dangling ? got : result(got);
}

// What getdents64 gives: mostly entries as they should be, with a name of a few letters.
static long fake_entries(u8 *to, size_t n)
{
	size_t at = 0;

	memset(to, 0, n);
	for (int i = byte() % 4; i > 0; i--, at += 24) {
		to[at + 16] = byte() % 8 ? 24 : byte();
		to[at + 19] = byte();
		to[at + 20] = byte() % 2 ? 0 : 'a';
	}
	return result((long)at);
}

static long fake_statx(struct statx *st)
{
	static const u16 types[] = {S_IFREG, S_IFDIR, S_IFCHR, S_IFIFO, S_IFLNK, S_IFBLK};

	memset(st, 0, sizeof(*st));
	st->stx_mode = types[byte() % 6] | byte();
	st->stx_rdev_major = byte() % 2 ? 1u + 4u * (byte() % 2) : word();
	st->stx_nlink = byte() % 3;
	st->stx_size = byte() % 2 ? 0 : word();
	st->stx_rdev_minor = byte() % 2 ? 3u - byte() % 2 : word();
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

// An answer: mostly a DONE, or the PLAN where nothing else has room.
static long fake_answer(void *to, size_t n)
{
	struct message done = {n == sizeof(done) ? VERB_PLAN : VERB_DONE, 0, 0, 0};
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
	struct {
		size_t len;
		int level, type, fds[PASSED_MAX + 2];
	} rights = {16 + 4 * (byte() % (PASSED_MAX + 3)), 1, 1, {3, 4, 5, 6, 7, 8, 9, 10, 11}};

	if (byte() < 200)
		memcpy(m->control, &rights, m->control_len < sizeof(rights) ? m->control_len : sizeof(rights));
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
	fuzz.ends[EXECUTED]++;
	longjmp(fuzz.end, 1);
}

// copies are the calls of copy.c alone.
static long copies(long nr, long b, long c, long d)
{
	switch (nr) {
	case __NR_linkat:
		touch_string(b);
		touch_string(d);
		return likely(-ENOENT, 0);
	case __NR_fsetxattr:
		touch_string(b);
		touch((void *)c, (size_t)d);
		return result(0);
	case __NR_utimensat:
		touch_string(b);
		touch((void *)c, 32);
		return result(0);
	case __NR_sendfile:
		*(long *)c += d / 2 + 1;
		return result(d);
	}
	return result(nr == __NR_fsmount || nr == __NR_socket ? 3 + byte() : 0);
}

// reads are the calls that take strings or structures.
static long reads(long nr, long a, long b, long c, long d, long e)
{
	switch (nr) {
	case __NR_openat2:
		touch_string(b);
		touch((void *)c, sizeof(struct open_how));
		if (fuzz.dangling)
			return ((struct open_how *)c)->flags & DIRECTORY ? 3 : -ENOENT;
		return likely(byte() % 4 ? -ENOENT : -EAGAIN, 3 + byte());
	case __NR_openat:
	case __NR_open_tree:
		touch_string(b);
		return result(3 + byte());
	case __NR_ioctl:
		if (b == TIOCSPTLCK)
			touch((void *)c, sizeof(int));
		return result(b == TIOCGPTPEER ? 3 + byte() : 0);
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
		return fuzz.dangling ? -EEXIST : likely(-EEXIST, 0);
	case __NR_unlinkat:
	case __NR_fchownat:
	case __NR_faccessat2:
		touch_string(b);
		return result(0);
	}
	return copies(nr, b, c, d);
}

// sys6: first the calls that write, then the rest.
long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	long n;

	(void)f;
	fuzz.calls++;
	switch (nr) {
	case __NR_exit_group:
		fuzz.ends[a == 1 ? FAILED : ENDED]++;
		longjmp(fuzz.end, 1);
	case __NR_execve:
		n = result(0);
		return n < 0 ? n : fake_execve((char *)a, (char **)b, (char **)c);
	case __NR_lseek:
		return fuzz.map_count ? result((long)(word() % 600000)) : (long)fuzz.plan;
	case __NR_mmap:
		return fake_map(b);
	case __NR_statx:
		touch_string(b);
		return fake_statx((struct statx *)e);
	case __NR_fstatfs:
		memset((void *)b, 0, sizeof(struct statfs));
		((struct statfs *)b)->f_type = byte() % 4 ? byte() % 2 ? DEVPTS_SUPER_MAGIC : 0 : PROC_SUPER_MAGIC;
		return result(0);
	case __NR_getdents64:
		return fake_entries((u8 *)b, (size_t)c);
	case __NR_fgetxattr:
		touch_string(b);
		return result(fill((void *)c, (size_t)d));
	case __NR_flistxattr:
		n = fill((void *)b, (size_t)c % 300);
		return result(byte() % 8 ? n : c);
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
	case __NR_clone3:
		touch((void *)a, (size_t)b);
		return likely(-ENOSYS, byte() % 2);
	case __NR_clone:
		return result(byte() % 2);
	case __NR_pipe2:
		((int *)a)[0] = 3 + byte();
		((int *)a)[1] = 3 + byte();
		return result(0);
	case __NR_capget:
		fill((void *)b, 24);
		return result(0);
	case __NR_seccomp:
		return fake_filter((struct sock_fprog *)c);
	}
	return reads(nr, a, b, c, d, e);
}
