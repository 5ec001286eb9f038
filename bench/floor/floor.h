/* Kernel numbers and checked calls for floor.c: musl has no <linux/...> headers, and glibc's
 * <sys/mount.h> and musl's disagree about the new mount API, so the numbers stand here. */
#ifndef FLOOR_H
#define FLOOR_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { /* <linux/mount.h>, <linux/openat2.h>, <linux/fcntl.h> */
	TREE_CLONE = 1, TREE_CLOEXEC = O_CLOEXEC,
	AT_ITSELF = 0x1000, AT_WHOLE_TREE = 0x8000,
	MOVE_FROM_FD = 0x4, MOVE_TO_FD = 0x40,
	FS_CLOEXEC = 1, FS_FLAG = 0, FS_STRING = 1, FS_CREATE = 6,
	ATTR_RDONLY = 0x1, ATTR_NOSUID = 0x2, ATTR_NODEV = 0x4, ATTR_NOEXEC = 0x8,
	ATTR_STRICTATIME = 0x20,
	IN_ROOT = 0x10, NO_MAGICLINKS = 0x02,
};

enum { /* <linux/sched.h>, <linux/capability.h>, <linux/seccomp.h>, <linux/wait.h>, <linux/close_range.h> */
	CLONE_WITH_PIDFD = 0x1000, WAIT_PIDFD = 3,
	CAP_VERSION_3 = 0x20080522, CAP_LAST = 40,
	FILTER_MODE = 1, CLOSE_RANGE_BY_EXEC = 4,
};

struct open_how_0 { uint64_t flags, mode, resolve; };
struct mount_attr_0 { uint64_t set, clear, propagation, userns_fd; };
struct cap_header { uint32_t version; int pid; };
struct cap_data { uint32_t effective, permitted, inheritable; };
struct filter_program { uint16_t length; const void *program; };

/* must ends the program with an error that names the call and its object. */
static inline long must(const char *op, const char *path, long result)
{
	if (result >= 0)
		return result;
	dprintf(2, "floor: %s %s: %s\n", op, path, strerror(errno));
	_exit(125);
}

/* openat(2) itself: musl's open adds an fcntl for O_CLOEXEC. */
static inline int open_file(const char *path, int flags)
{
	return (int)must("open", path, syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0));
}

static inline int open_in_root(int root, const char *path, int flags)
{
	struct open_how_0 how = {(uint64_t)(flags | O_CLOEXEC), 0, IN_ROOT | NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

static inline int clone_tree(int dir, const char *path, unsigned flags)
{
	return (int)must("open_tree", path, syscall(SYS_open_tree, dir, path, TREE_CLONE | TREE_CLOEXEC | flags));
}

static inline void set_attr(int mount, const char *name, uint64_t set, unsigned flags)
{
	struct mount_attr_0 attr = {.set = set};
	must("mount_setattr", name, syscall(SYS_mount_setattr, mount, "", AT_ITSELF | flags, &attr, sizeof attr));
}

static inline void attach(int mount, int where, const char *name)
{
	must("move_mount", name, syscall(SYS_move_mount, mount, "", where, "", MOVE_FROM_FD | MOVE_TO_FD));
}

static inline void fs_set(int fs, int command, const char *key, const char *value)
{
	must("fsconfig", key ? key : "create", syscall(SYS_fsconfig, fs, command, key, value, 0));
}

struct job {
	const char *group, *rootfs, *memory, *hold;
	char **argv;
	struct filter_program filter;
	int root, dev;       /* mount fds */
	int ready[2], go[2]; /* cycle: init's byte and its end of file; the parent's byte */
};

enum { HIERARCHIES = 9 }; /* the v1 hierarchies of this host */
extern const char *const hierarchies[HIERARCHIES];

/* groups.c: the host's side */
const char *group_path(const char *hierarchy, const char *group, const char *file);
void make_groups(const struct job *job);
void remove_groups(const struct job *job);
void join_groups(const char *group);

/* container.c: the container's side */
int run_child(void *job);
int cycle_child(void *job);
int exec_child(void *job);

#endif
