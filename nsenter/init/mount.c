// Steps on mounts and on the container's files.
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "sys.h"

enum { O_CLOEXEC_ = 02000000, O_PATH_ = 010000000, MS_SLAVE_ = 1 << 19, MNT_DETACH_ = 2, UMOUNT_NOFOLLOW_ = 8, STACK_MAX = 4096 };
enum { CLONE_TREE = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH };
#if defined(__aarch64__)
enum { O_DIRECTORY_ = 040000 };
#else
enum { O_DIRECTORY_ = 0200000 };
#endif

static long set_attr(int fd, const char *path, u32 at, u64 set, u64 clear, u64 propagation)
{
	struct mount_attr attr = {set, clear, propagation, 0};

	return sys5(__NR_mount_setattr, fd, path, at, &attr, sizeof(attr));
}

static long move(int tree, int to)
{
	return sys5(__NR_move_mount, tree, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

long do_fsopen(const struct step *s)
{
	long fd = sys2(__NR_fsopen, text(s), FSOPEN_CLOEXEC);

	if (fd >= 0)
		put(s->out, fd);
	return fd;
}

long do_fsconfig(const struct step *s)
{
	const char *value = s->a == FSCONFIG_SET_STRING ? other(s) : 0;

	return sys5(__NR_fsconfig, init.slot[s->in], s->a, s->s ? text(s) : 0, value, 0);
}

long do_fsmount(const struct step *s)
{
	long fd = sys3(__NR_fsmount, init.slot[s->in], FSMOUNT_CLOEXEC, s->a);

	if (fd < 0)
		return fd;
	put(s->in, -1);
	put(s->out, fd);
	return 0;
}

// do_tree: the parent clones the source, in the mount namespace that it gets from here: a
// tree cloned in the host's loses the lock on its flags, and container root could clear them.
long do_tree(const struct step *s)
{
	long own = sys3(__NR_openat, AT_FDCWD, "/proc/self/ns/mnt", O_CLOEXEC_);
	int tree;

	if (own < 0)
		return own;
	ask(CALL_TREE, (int)own, &tree, 1);
	sys1(__NR_close, own);
	if (tree < 0)
		return -EBADF;
	put(s->out, tree);
	return 0;
}

// do_open_tree: a path, or what the fd of a slot is.
long do_open_tree(const struct step *s)
{
	int from = s->in ? init.slot[s->in] : AT_FDCWD;
	long fd = sys3(__NR_open_tree, from, s->in ? "" : text(s), s->a | (s->in ? AT_EMPTY_PATH : 0));

	if (fd == -EACCES && s->flags & OPEN_TREE_ASK)
		return do_tree(s);
	if (fd < 0)
		return fd;
	put(s->out, fd);
	if (!(s->flags & OPEN_TREE_NULL) || is_null((int)fd))
		return 0;
	init.detail = DETAIL_NOT_NULL;
	return -ENODEV;
}

// do_setattr: the fd of a slot, or a path where the slot is none.
long do_setattr(const struct step *s)
{
	int fd = s->in ? init.slot[s->in] : AT_FDCWD;

	return set_attr(fd, text(s), s->flags | (s->s ? 0 : AT_EMPTY_PATH), s->a, s->b, s->c);
}

static int destination(const struct step *s)
{
	u64 resolve = s->flags & ATTACH_NO_SYMLINKS ? RESOLVE_NO_SYMLINKS : 0;
	u32 mode = S_IFDIR;

	if (s->flags & ATTACH_HOST_PATH)
		return (int)sys3(__NR_openat, AT_FDCWD, text(s), O_PATH_ | O_CLOEXEC_);
	if (!(s->flags & (ATTACH_MAKE_DIR | ATTACH_LIKE_SOURCE)))
		return open_in_root(text(s), O_PATH_, resolve);
	if (s->flags & ATTACH_LIKE_SOURCE) {
		long result = mode_of(init.slot[s->in], "", AT_EMPTY_PATH, &mode, 0, 0);

		if (result < 0)
			return (int)result;
	}
	return make_in_root(text(s), S_ISDIR(mode), resolve);
}

// A link of the image must not lead a mount into the container's procfs: a file there that
// is covered can no longer be trusted (CVE-2019-16884).
static long refuse_proc(int to)
{
	long result = in_proc(to);

	if (result == -ENODEV)
		return 0;
	if (result == 0)
		init.detail = DETAIL_PROC;
	return result < 0 ? result : -EPERM;
}

static int is_dir(int fd)
{
	u32 mode;

	return mode_of(fd, "", AT_EMPTY_PATH, &mode, 0, 0) == 0 && S_ISDIR(mode);
}

// do_attach: a directory on a file, and a file on a directory, is ENOTDIR as in mount(2).
long do_attach(const struct step *s)
{
	int to = destination(s);
	long result;

	if (to < 0) {
		init.detail = DETAIL_PLACE;
		return to;
	}
	result = s->flags & (ATTACH_ON_PROC | ATTACH_HOST_PATH) ? 0 : refuse_proc(to);
	if (result == 0)
		result = move(init.slot[s->in], to);
	if (result == -EINVAL && is_dir(init.slot[s->in]) != is_dir(to))
		result = -ENOTDIR;
	sys1(__NR_close, to);
	if (result == 0 && !(s->flags & ATTACH_KEEP))
		put(s->in, -1);
	return result;
}

// do_copy_mode: a new tmpfs takes the mode of the directory that it will cover; where
// there is none, the file system's own stays.
long do_copy_mode(const struct step *s)
{
	int from = open_in_root(text(s), O_PATH_, 0);
	long fd, result;
	u32 mode;

	if (from == -ENOENT)
		return 0;
	if (from < 0)
		return from;
	result = mode_of(from, "", AT_EMPTY_PATH, &mode, 0, 0);
	sys1(__NR_close, from);
	if (result < 0)
		return result;
	fd = sys3(__NR_openat, init.slot[s->in], ".", O_DIRECTORY_ | O_CLOEXEC_);
	if (fd < 0)
		return fd;
	result = sys2(__NR_fchmod, fd, mode & 07777);
	sys1(__NR_close, fd);
	return result;
}

long do_mkdir(const struct step *s)
{
	int fd;

	if (s->in)
		return sys3(__NR_mkdirat, init.slot[s->in], text(s), 0755);
	fd = make_in_root(text(s), 1, 0);
	if (fd >= 0)
		sys1(__NR_close, fd);
	return fd < 0 ? fd : 0;
}

// A node that is there already must be the same device, or it is somebody's trap.
static long same_node(const struct step *s)
{
	u32 mode, major, minor;
	u32 want_major = (u32)(s->b >> 8 & 0xfff), want_minor = (u32)((s->b & 0xff) | (s->b >> 12 & 0xfff00));
	long result = mode_of(init.slot[s->in], text(s), AT_SYMLINK_NOFOLLOW, &mode, &major, &minor);

	if (result < 0)
		return result;
	if ((mode & S_IFMT) != (s->a & S_IFMT))
		return -EEXIST;
	return S_ISFIFO(mode) || (major == want_major && minor == want_minor) ? 0 : -EEXIST;
}

long do_mknod(const struct step *s)
{
	long result = sys4(__NR_mknodat, init.slot[s->in], text(s), s->a, s->b);

	if (result == -EEXIST)
		return same_node(s);
	if (result < 0 || !s->c)
		return result;
	return sys5(__NR_fchownat, init.slot[s->in], text(s), (u32)s->c, (u32)(s->c >> 32), AT_SYMLINK_NOFOLLOW);
}

long do_symlink(const struct step *s)
{
	long result = sys3(__NR_symlinkat, other(s), init.slot[s->in], text(s));

	if (result != -EEXIST)
		return result;
	if (!(s->flags & SYMLINK_REPLACE))
		return 0;
	result = sys3(__NR_unlinkat, init.slot[s->in], text(s), 0);
	return result < 0 ? result : sys3(__NR_symlinkat, other(s), init.slot[s->in], text(s));
}

// do_pivot: the old root ends up on top of the new one, and is let go.
long do_pivot(const struct step *s)
{
	long old = sys3(__NR_openat, AT_FDCWD, "/", O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_);
	long result = old < 0 ? old : sys1(__NR_fchdir, init.slot[s->in]);

	if (result == 0)
		result = sys2(__NR_pivot_root, ".", ".");
	if (result == 0 && s->flags & PIVOT_SLAVE)
		result = set_attr((int)old, "", AT_RECURSIVE | AT_EMPTY_PATH, 0, 0, MS_SLAVE_);
	sys1(__NR_close, old);
	if (result == 0)
		result = sys2(__NR_umount2, ".", MNT_DETACH_);
	if (result == 0)
		result = sys1(__NR_chdir, "/");
	return result;
}

// do_move_root: the initial ramfs has no mount below it that pivot_root(2) could move it to. Up
// to chroot paths lead to the old root.
long do_move_root(const struct step *s)
{
	return sys5(__NR_move_mount, init.slot[s->in], "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
}

long do_chroot(const struct step *s)
{
	long result = sys1(__NR_fchdir, init.slot[s->in]);

	return result < 0 ? result : sys1(__NR_chroot, ".");
}

// cover puts a slot's mount over a path: the first time the mount itself, then clones of
// it. Before Linux 6.15 a mount cannot be cloned while it is attached nowhere.
static long cover(int slot, int to)
{
	long tree, result;

	if (!(init.attached >> slot & 1)) {
		result = move(init.slot[slot], to);
		if (result == 0)
			init.attached |= 1u << slot;
		return result;
	}
	tree = sys3(__NR_open_tree, init.slot[slot], "", CLONE_TREE);
	if (tree < 0)
		return tree;
	result = move((int)tree, to);
	sys1(__NR_close, tree);
	return result;
}

// absent: what is not there needs no mask.
static int absent(int fd) { return fd == -ENOENT || fd == -ENOTDIR; }

// do_mask covers what the fd is, not what the path may name a moment later.
long do_mask(const struct step *s)
{
	int to = open_in_root(text(s), O_PATH_, 0);
	long result;
	u32 mode;

	if (to < 0)
		return absent(to) ? 0 : to;
	result = mode_of(to, "", AT_EMPTY_PATH, &mode, 0, 0);
	if (result == 0)
		result = cover(S_ISDIR(mode) ? SLOT_HIDDEN : SLOT_NULL, to);
	sys1(__NR_close, to);
	return result;
}

// do_readonly: clone, set and attach the same fd: a path looked up twice could be two things.
long do_readonly(const struct step *s)
{
	int to = open_in_root(text(s), O_PATH_, 0);
	long tree, result;

	if (to < 0)
		return absent(to) ? 0 : to;
	tree = sys3(__NR_open_tree, to, "", CLONE_TREE | AT_RECURSIVE);
	result = tree;
	if (tree >= 0) {
		result = set_attr((int)tree, "", AT_EMPTY_PATH | AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0);
		if (result == 0)
			result = move((int)tree, to);
		sys1(__NR_close, tree);
	}
	sys1(__NR_close, to);
	return result;
}

// do_drop takes the mounts on one point of the old root away: the new root only covers it. As a slave, so that
// no unmount reaches the host. In a user namespace the kernel has locked them.
long do_drop(const struct step *s)
{
	long fd, result = 0;

	for (u64 i = 0; i < s->a && i < STACK_MAX && result == 0; i++) {
		set_attr(AT_FDCWD, text(s), AT_RECURSIVE | AT_SYMLINK_NOFOLLOW, 0, 0, MS_SLAVE_);
		result = sys2(__NR_umount2, text(s), MNT_DETACH_ | UMOUNT_NOFOLLOW_);
	}
	if (result == 0 || !(s->flags & DROP_COVER))
		return 0;
	fd = sys3(__NR_openat, AT_FDCWD, text(s), O_PATH_ | O_DIRECTORY_ | O_CLOEXEC_);
	if (fd < 0)
		return absent((int)fd) ? 0 : fd;
	result = cover(SLOT_HIDDEN, (int)fd);
	sys1(__NR_close, fd);
	return result;
}
