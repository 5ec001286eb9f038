// What the copy of a file takes over from it: owners, mode, times, extended attributes.
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time_types.h>

#include "copy.h"

// look is lstat(2) of a name, or of fd itself where it is "".
long look(int fd, const char *name, struct statx *st)
{
	return sys5(__NR_statx, fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name[0] ? 0 : AT_EMPTY_PATH), STATX_BASIC_STATS, st);
}

static int begins(const char *s, const char *with)
{
	while (*with && *s == *with)
		s++, with++;
	return !*with;
}

static int wanted(const char *name)
{
	return begins(name, "user.") || begins(name, "security.capability") || begins(name, "system.posix_acl_");
}

// attribute copies one extended attribute. What this tmpfs does not take (user.* before Linux
// 6.6), or has no right here, is left out.
static long attribute(struct copy *c, int from, int to, const char *name)
{
	long size = sys4(__NR_fgetxattr, from, name, c->value, VALUE_MAX);
	long result;

	if (size < 0)
		return 0;
	result = sys5(__NR_fsetxattr, to, name, c->value, size, 0);
	return result == -EOPNOTSUPP || result == -EPERM ? 0 : result;
}

static long attributes(struct copy *c, int from, int to)
{
	long size = sys3(__NR_flistxattr, from, c->names, LIST_MAX), result = 0;

	if (size <= 0 || size > LIST_MAX)
		return 0;
	c->names[size - 1] = 0;
	for (long at = 0; at < size && result == 0; at += (long)length(c->names + at) + 1)
		if (wanted(c->names + at))
			result = attribute(c, from, to, c->names + at);
	return result;
}

// own gives a copy its owners; "" is fd itself. One that the user namespace does not have is
// nobody's to give: the file stays ours, and must not run with our ids.
long own(int fd, const char *name, struct statx *st)
{
	int flags = AT_SYMLINK_NOFOLLOW | (name[0] ? 0 : AT_EMPTY_PATH);
	long user = sys5(__NR_fchownat, fd, name, st->stx_uid, -1, flags);
	long group = sys5(__NR_fchownat, fd, name, -1, st->stx_gid, flags);

	if (user == -EINVAL)
		st->stx_mode &= (u16)~S_ISUID;
	if (group == -EINVAL)
		st->stx_mode &= (u16)~S_ISGID;
	if (user < 0 && user != -EINVAL)
		return user;
	return group == -EINVAL ? 0 : group;
}

// times are those of access and of change.
long times(int fd, const char *name, const struct statx *st)
{
	struct __kernel_timespec t[2] = {{st->stx_atime.tv_sec, st->stx_atime.tv_nsec}, {st->stx_mtime.tv_sec, st->stx_mtime.tv_nsec}};

	return sys4(__NR_utimensat, fd, name, t, AT_SYMLINK_NOFOLLOW | (name[0] ? 0 : AT_EMPTY_PATH));
}

// finish: a change of owner takes set-user-id bits and capabilities away, so it comes first.
long finish(struct copy *c, int from, int to, struct statx *st)
{
	long result = own(to, "", st);

	if (result == 0)
		result = sys2(__NR_fchmod, to, st->stx_mode & 07777);
	if (result == 0 && from >= 0)
		result = attributes(c, from, to);
	return result == 0 ? times(to, "", st) : result;
}
