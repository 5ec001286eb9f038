// Steps on the process itself: namespaces, users, capabilities, the end.
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/stat.h>

#include "sys.h"

enum { O_RDWR_ = 2, O_WRONLY_ = 1, O_NOCTTY_ = 0400, O_CLOEXEC_ = 02000000, X_OK_ = 1, PATH_MAX_ = 4096 };
enum { INET = 2, DGRAM_CLOEXEC = 02000002, IFF_UP_ = 1 };

// <linux/if.h> pulls a libc in.
struct ifreq {
	char name[16];
	short flags;
	char rest[22];
};

// do_unshare: the namespaces may be there already, made while the parent wrote the plan.
long do_unshare(const struct step *s)
{
	u64 early = init.early;

	init.early = 0;
	return early && early == s->a ? init.early_result : sys1(__NR_unshare, s->a);
}

long do_setns(const struct step *s) { return sys2(__NR_setns, init.slot[s->in], s->a); }

long do_open(const struct step *s)
{
	long fd = s->flags & OPEN_IN_ROOT ? open_in_root(text(s), s->a, 0)
					  : sys3(__NR_openat, AT_FDCWD, text(s), s->a | O_CLOEXEC_);

	if (fd < 0)
		return fd;
	put(s->out, fd);
	return 0;
}

long do_close(const struct step *s)
{
	put(s->in, -1);
	return 0;
}

long do_write(const struct step *s)
{
	long fd, got;

	if (s->flags & WRITE_OUTSIDE && !init.outside)
		return 0;
	fd = s->in ? open_beneath(init.slot[s->in], text(s), O_WRONLY_)
			: sys3(__NR_openat, AT_FDCWD, text(s), O_WRONLY_ | O_CLOEXEC_);
	if (fd < 0)
		return fd;
	got = s->flags & WRITE_PROC ? in_proc((int)fd) : 0;
	if (got == 0)
		got = sys3(__NR_write, fd, other(s), s->t_len);
	sys1(__NR_close, fd);
	return got < 0 ? got : got == s->t_len ? 0 : -EIO;
}

long do_hostname(const struct step *s) { return sys2(__NR_sethostname, text(s), s->s_len); }

long do_domainname(const struct step *s) { return sys2(__NR_setdomainname, text(s), s->s_len); }

long do_loopback(const struct step *s)
{
	long fd = sys3(__NR_socket, INET, DGRAM_CLOEXEC, 0);
	struct ifreq request = {{0}, IFF_UP_, {0}};
	long result;

	if (fd < 0)
		return fd;
	for (u32 i = 0; i < s->s_len && i < sizeof(request.name) - 1; i++)
		request.name[i] = text(s)[i];
	result = sys3(__NR_ioctl, fd, SIOCSIFFLAGS, &request);
	sys1(__NR_close, fd);
	return result;
}

// do_setsid: a process that leads its group already has what it needs.
long do_setsid(const struct step *s)
{
	long result = sys0(__NR_setsid);

	(void)s;
	return result == -EPERM || result > 0 ? 0 : result;
}

long do_umask(const struct step *s)
{
	sys1(__NR_umask, s->a);
	return 0;
}

// A terminal: pts (136 to 143), tty and console (4, 5).
static int is_tty(u32 mode, u32 major) { return S_ISCHR(mode) && ((major >= 136 && major <= 143) || major == 4 || major == 5); }

// do_own_stdio lets the user reopen /dev/stderr: pipes and terminals become the user's,
// never files or /dev/null, which are not the container's to own. The group stays.
long do_own_stdio(const struct step *s)
{
	for (int fd = 0; fd < 3; fd++) {
		u32 mode, major, minor;
		long result;

		if (mode_of(fd, "", AT_EMPTY_PATH, &mode, &major, &minor) < 0)
			continue;
		if (!S_ISFIFO(mode) && !is_tty(mode, major))
			continue;
		result = sys3(__NR_fchown, fd, s->a, -1);
		if (result < 0 && result != -EPERM && result != -EINVAL && result != -EROFS)
			return result;
	}
	return 0;
}

static long reopen(int fd, const char *path)
{
	int null = open_in_root(path, O_RDWR_ | O_NOCTTY_, 0);
	long result = null;

	if (null >= 0) {
		result = is_null(null) ? sys3(__NR_dup3, null, fd, 0) : -ENODEV;
		sys1(__NR_close, null);
	}
	return result;
}

// do_reopen_null: the host's /dev/null would be an open fd to the host's file system.
long do_reopen_null(const struct step *s)
{
	for (int fd = 0; fd < 3; fd++) {
		long result = is_null(fd) ? reopen(fd, text(s)) : 0;

		if (result == -ENOENT)
			return 0;
		if (result < 0)
			return result;
	}
	return 0;
}

// do_dup: the fd stays open across execve, whatever the slot's is.
long do_dup(const struct step *s)
{
	long result = sys3(__NR_dup3, init.slot[s->in], s->a, 0);

	return result < 0 ? result : 0;
}

long do_rlimit(const struct step *s)
{
	u64 limit[2] = {s->b, s->c};

	return sys4(__NR_prlimit64, 0, s->a, limit, 0);
}

long do_bounding(const struct step *s)
{
	for (u64 cap = 0; cap < 64; cap++) {
		long result = s->a >> cap & 1 ? 0 : sys2(__NR_prctl, PR_CAPBSET_DROP, cap);

		if (result == -EINVAL) // past the kernel's last
			return 0;
		if (result < 0)
			return result;
	}
	return 0;
}

// tried: a user namespace may not map an id (EINVAL), or deny setgroups (EPERM).
static long tried(const struct step *s, long result)
{
	return s->flags & ID_TRY && (result == -EINVAL || result == -EPERM) ? 0 : result;
}

long do_groups(const struct step *s) { return tried(s, sys2(__NR_setgroups, s->s_len / 4, text(s))); }

// A change of group or user may set the process dumpable again (fs.suid_dumpable).
long do_gid(const struct step *s)
{
	long result = tried(s, sys3(__NR_setresgid, s->a, s->a, s->a));

	return result < 0 ? result : sys2(__NR_prctl, PR_SET_DUMPABLE, 0);
}

long do_uid(const struct step *s)
{
	long result = tried(s, sys3(__NR_setresuid, s->a, s->a, s->a));

	return result < 0 ? result : sys2(__NR_prctl, PR_SET_DUMPABLE, 0);
}

long do_prctl(const struct step *s) { return sys5(__NR_prctl, s->a, s->b, s->c, 0, 0); }

// do_chdir: root may enter what the user may not, and the other way round (NFS), so the
// first refusal is no error. getcwd(2) tells a directory outside of the root.
long do_chdir(const struct step *s)
{
	long result;

	if (init.arrived)
		return 0;
	result = sys1(__NR_chdir, text(s));
	if (s->flags & CHDIR_TRY && (result == -EACCES || result == -EPERM))
		return 0;
	if (result < 0)
		return result;
	result = sys2(__NR_getcwd, init.exe, sizeof(init.exe));
	if (result < 0)
		return result;
	if (init.exe[0] != '/') {
		init.detail = DETAIL_OUTSIDE;
		return -EXDEV;
	}
	init.arrived = 1;
	return 0;
}

// executable tells whether the user may execute init.exe. access(X_OK) passes for a
// directory, hence the look at the type.
static long executable(void)
{
	u32 mode;
	long result = mode_of(AT_FDCWD, init.exe, 0, &mode, 0, 0);

	if (result < 0)
		return result;
	if (S_ISDIR(mode))
		return -EISDIR;
	if (!S_ISREG(mode))
		return -EACCES;
	return sys4(__NR_faccessat2, AT_FDCWD, init.exe, X_OK_, AT_EACCESS);
}

// join makes init.exe of a directory (an empty one is the working directory) and a name.
static int join(const char *dir, size_t n, const char *name)
{
	size_t len = length(name), at = 0;

	if (n + len + 3 > sizeof(init.exe))
		return -ENAMETOOLONG;
	for (; at < n; at++)
		init.exe[at] = dir[at];
	if (!n)
		init.exe[at++] = '.';
	init.exe[at++] = '/';
	for (size_t i = 0; i <= len; i++)
		init.exe[at + i] = name[i];
	return 0;
}

static int has_slash(const char *s)
{
	for (; *s; s++)
		if (*s == '/')
			return 1;
	return 0;
}

static long search(const char *path, const char *name)
{
	int more = *path != 0; // without a PATH nothing is found, not even in the working directory
	long refused = 0;

	while (more) {
		size_t n = 0;
		long result;

		while (path[n] && path[n] != ':')
			n++;
		result = join(path, n, name);
		if (result == 0)
			result = executable();
		if (result == 0)
			return 0;
		if (result == -EACCES)
			refused = result;
		more = path[n] != 0;
		path += n + 1;
	}
	if (refused)
		return refused;
	init.detail = DETAIL_NOT_IN_PATH;
	return -ENOENT;
}

// do_find resolves args[0] as execvp(3) would, now, so that `create` can say what is wrong.
long do_find(const struct step *s)
{
	if (!has_slash(text(s)) && s->s_len)
		return search(other(s), text(s));
	if (s->s_len >= sizeof(init.exe))
		return -ENAMETOOLONG;
	for (u32 i = 0; i <= s->s_len; i++)
		init.exe[i] = text(s)[i];
	return executable();
}

long do_capset(const struct step *s)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {
		{(u32)s->a, (u32)s->b, (u32)s->c},
		{(u32)(s->a >> 32), (u32)(s->b >> 32), (u32)(s->c >> 32)},
	};
	long result = sys2(__NR_capset, &head, data);

	return result < 0 ? result : sys2(__NR_prctl, PR_SET_DUMPABLE, 0);
}

long do_ambient(const struct step *s)
{
	long result = sys5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

	for (u64 cap = 0; cap < 64 && result == 0; cap++)
		if (s->a >> cap & 1)
			result = sys5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	return result;
}

// do_filter takes the program from the plan, or from the memfd that the parent sent. Its
// length is 16 bits wide: a longer program must not be cut.
long do_filter(const struct step *s)
{
	struct sock_fprog program = {0, (struct sock_filter *)text(s)};
	long size = s->s_len, at;

	if (!s->s) {
		size = sys3(__NR_lseek, init.slot[s->in], 0, 2);
		if (size <= 0)
			return size < 0 ? size : -ENODATA;
		at = sys6(__NR_mmap, 0, size, PROT_READ, MAP_PRIVATE, init.slot[s->in], 0);
		if (at < 0 && at > -4096)
			return at;
		program.filter = (struct sock_filter *)at;
		put(s->in, -1);
	}
	if (size / (long)sizeof(struct sock_filter) > 0xffff)
		return -E2BIG;
	program.len = (u16)((u64)size / sizeof(struct sock_filter));
	return sys3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, s->a, &program);
}

// relocate turns a list's offsets into addresses; a 0 ends it.
static u64 *relocate(u64 *word, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		if (word[i] >= init.head->size)
			return 0;
		word[i] += (u64)init.plan;
	}
	return word + count + 1;
}

long do_exec(const struct step *s)
{
	u64 *args = pointers();
	u64 *env = relocate(args, init.head->args);

	(void)s;
	if (!env || !relocate(env, init.head->env))
		return -EINVAL;
	return sys3(__NR_execve, init.exe, args, env);
}
