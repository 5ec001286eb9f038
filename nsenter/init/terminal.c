// Steps on the terminal. What the image, or a process of the container, may have put at
// /dev/pts, /dev/ptmx or /dev/console is hostile (CVE-2025-52565): nothing of it is opened
// before it is known to be devpts's own.
#include <asm/ioctls.h>
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "sys.h"

enum { O_RDWR_ = 2, O_NOCTTY_ = 0400, O_CLOEXEC_ = 02000000, O_PATH_ = 010000000 };
#if defined(__aarch64__)
enum { O_DIRECTORY_ = 040000 };
#else
enum { O_DIRECTORY_ = 0200000 };
#endif

static int in_devpts(int fd)
{
	struct statfs st;

	return sys2(__NR_fstatfs, fd, &st) == 0 && st.f_type == DEVPTS_SUPER_MAGIC;
}

static int is_ptmx(int fd)
{
	u32 mode, major, minor;

	return in_devpts(fd) && mode_of(fd, "", AT_EMPTY_PATH, &mode, &major, &minor) == 0 && S_ISCHR(mode) && major == 5 && minor == 2;
}

// In the root directory of a devpts, without anything mounted on it, there are only the
// kernel's own nodes: no device of somebody else is ever opened, not even for a look.
static long open_ptmx(int dir)
{
	int unlocked = 0;
	long fd, result;

	if (!in_devpts(dir)) {
		init.detail = DETAIL_NO_DEVPTS;
		return -ENODEV;
	}
	fd = open_beneath(dir, "ptmx", O_RDWR_ | O_NOCTTY_);
	if (fd < 0)
		return fd;
	result = is_ptmx((int)fd) ? sys3(__NR_ioctl, fd, TIOCSPTLCK, &unlocked) : -ENODEV;
	if (result < 0)
		sys1(__NR_close, fd);
	return result < 0 ? result : fd;
}

// do_ptmx makes a terminal in the devpts at s; its master goes to a slot.
long do_ptmx(const struct step *s)
{
	int dir = open_in_root(text(s), O_PATH_ | O_DIRECTORY_, RESOLVE_NO_SYMLINKS);
	long fd;

	if (dir < 0) {
		init.detail = DETAIL_NO_DEVPTS;
		return dir;
	}
	fd = open_ptmx(dir);
	sys1(__NR_close, dir);
	if (fd < 0)
		return fd;
	put(s->out, fd);
	return 0;
}

// do_ptpeer opens the slave of a master without any path.
long do_ptpeer(const struct step *s)
{
	long fd = sys3(__NR_ioctl, init.slot[s->in], TIOCGPTPEER, O_RDWR_ | O_NOCTTY_ | O_CLOEXEC_);

	if (fd < 0)
		return fd;
	put(s->out, fd);
	return 0;
}

// do_tty makes the slave the controlling terminal and the standard streams.
long do_tty(const struct step *s)
{
	long result = sys3(__NR_ioctl, init.slot[s->in], TIOCSCTTY, 0);

	for (int fd = 0; fd < 3 && result >= 0; fd++)
		result = sys3(__NR_dup3, init.slot[s->in], fd, 0);
	put(s->in, -1);
	return result < 0 ? result : 0;
}
