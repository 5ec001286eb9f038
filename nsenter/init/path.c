// Paths of the image are hostile: each is resolved from the root's fd, by the kernel,
// and used by fd only.
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "sys.h"

enum { O_CLOEXEC_ = 02000000, O_PATH_ = 010000000, RETRIES = 64, LINKS = 16 };
#if defined(__aarch64__)
enum { O_DIRECTORY_ = 040000, O_NOFOLLOW_ = 0100000 };
#else
enum { O_DIRECTORY_ = 0200000, O_NOFOLLOW_ = 0400000 };
#endif

// EAGAIN: something was renamed below us while the kernel looked; an attacker may do so
// for ever, so the number of tries is bounded.
static int open_how(int dir, const char *path, u64 flags, u64 resolve)
{
	struct open_how how = {flags | O_CLOEXEC_, 0, resolve};
	long fd = -EAGAIN;

	for (int i = 0; i < RETRIES && fd == -EAGAIN; i++)
		fd = sys4(__NR_openat2, dir, path, &how, sizeof(how));
	return (int)fd;
}

int open_in_root(const char *path, u64 flags, u64 resolve)
{
	return open_how(init.slot[SLOT_ROOT], path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
}

int open_beneath(int dir, const char *path, u64 flags)
{
	return open_how(dir, path, flags, RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

long mode_of(int fd, const char *path, int flags, u32 *mode, u32 *major, u32 *minor)
{
	struct statx st;
	long result = sys5(__NR_statx, fd, path, flags, STATX_BASIC_STATS, &st);

	if (result < 0)
		return result;
	*mode = st.stx_mode;
	if (major && minor) {
		*major = st.stx_rdev_major;
		*minor = st.stx_rdev_minor;
	}
	return 0;
}

int is_null(int fd)
{
	u32 mode, major, minor;

	return mode_of(fd, "", AT_EMPTY_PATH, &mode, &major, &minor) == 0 && S_ISCHR(mode) && major == 1 && minor == 3;
}

// in_proc makes sure that the fd lies in a procfs (CVE-2019-16884).
long in_proc(int fd)
{
	struct statfs st;
	long result = sys2(__NR_fstatfs, fd, &st);

	return result < 0 ? result : st.f_type == PROC_SUPER_MAGIC ? 0 : -ENODEV;
}

// A path under construction: init.exe serves, nothing is found before the mounts are done.
struct walk {
	char *path; // NUL-terminated, relative to the root
	size_t size, len;
	size_t next; // where the component to look at begins
	int links;
};

// splice puts a link's target where the link stood: the rest of the path stays.
static int splice(struct walk *w, size_t begin, size_t end, int parent)
{
	char target[256];
	char name[256];
	size_t rest = w->len - end, n = end - begin;
	long got;

	if (n >= sizeof(name) || ++w->links > LINKS)
		return -ELOOP;
	for (size_t i = 0; i < n; i++)
		name[i] = w->path[begin + i];
	name[n] = 0;
	got = sys4(__NR_readlinkat, parent, name, target, sizeof(target));
	if (got <= 0 || got == (long)sizeof(target))
		return got < 0 ? (int)got : -ENAMETOOLONG;
	if (target[0] == '/')
		begin = 0;
	if (begin + (size_t)got + rest + 1 > w->size)
		return -ENAMETOOLONG;
	if (begin + (size_t)got > end)
		for (size_t i = rest + 1; i-- > 0;)
			w->path[begin + (size_t)got + i] = w->path[end + i];
	else
		for (size_t i = 0; i <= rest; i++)
			w->path[begin + (size_t)got + i] = w->path[end + i];
	for (size_t i = 0; i < (size_t)got; i++)
		w->path[begin + i] = target[i];
	w->len = begin + (size_t)got + rest;
	w->next = 0;
	return 0;
}

// open_prefix opens the path up to at.
static int open_prefix(struct walk *w, size_t at, u64 flags, u64 resolve)
{
	char kept = w->path[at];
	int fd;

	w->path[at] = 0;
	fd = open_in_root(w->path[0] ? w->path : ".", flags, resolve);
	w->path[at] = kept;
	return fd;
}

static int make_one(int parent, const char *name, int directory)
{
	long result = directory ? sys3(__NR_mkdirat, parent, name, 0755) : sys4(__NR_mknodat, parent, name, S_IFREG | 0644, 0);

	return (int)result;
}

// occupied: what was missing is there. It was made meanwhile, or it is a link that dangles;
// or a magic link in procfs to the fd of parent itself, whose text is a path of the host.
static int occupied(struct walk *w, size_t begin, size_t end, int parent, u64 resolve)
{
	int fd = open_prefix(w, end, O_PATH_, resolve);

	if (fd == -ENOENT)
		return splice(w, begin, end, parent);
	if (fd < 0)
		return fd;
	sys1(__NR_close, fd);
	w->next = end;
	return 0;
}

// component makes one component that is missing; a dangling link is followed by hand,
// each of its components through the kernel again.
static int component(struct walk *w, size_t begin, size_t end, int directory, u64 resolve)
{
	int parent = open_prefix(w, begin, O_PATH_ | O_DIRECTORY_, resolve);
	char kept = w->path[end];
	int result;

	if (parent < 0)
		return parent;
	w->path[end] = 0;
	result = make_one(parent, w->path + begin, directory);
	w->path[end] = kept;
	if (result == -EEXIST)
		result = occupied(w, begin, end, parent, resolve);
	else
		w->next = end;
	sys1(__NR_close, parent);
	return result;
}

static int make_all(struct walk *w, int directory, u64 resolve)
{
	while (w->next < w->len) {
		size_t begin = w->next, end;
		int fd, result;

		while (w->path[begin] == '/')
			begin++;
		for (end = begin; w->path[end] && w->path[end] != '/';)
			end++;
		if (begin == end)
			break;
		fd = open_prefix(w, end, O_PATH_, resolve);
		if (fd >= 0) {
			sys1(__NR_close, fd);
			w->next = end;
			continue;
		}
		result = fd == -ENOENT ? component(w, begin, end, directory || end < w->len, resolve) : fd;
		if (result < 0)
			return result;
	}
	return 0;
}

// make_in_root opens path with O_PATH, and makes what is missing of it first: directories,
// and at the end a directory or an empty file.
int make_in_root(const char *path, int directory, u64 resolve)
{
	int fd = open_in_root(path, O_PATH_, resolve);
	struct walk w = {init.exe, sizeof(init.exe), length(path), 0, 0};
	size_t last = 0;
	int result;

	if (fd != -ENOENT)
		return fd;
	if (w.len >= w.size)
		return -ENAMETOOLONG;
	for (size_t i = 0; i <= w.len; i++) {
		w.path[i] = path[i];
		if (path[i] == '/')
			last = i + 1;
	}
	// Mostly it is only the last component.
	result = component(&w, last, w.len, directory, resolve);
	if (result == 0 || result == -ENOENT)
		result = make_all(&w, directory, resolve);
	return result < 0 ? result : open_in_root(path, O_PATH_, resolve);
}
