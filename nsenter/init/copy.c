// tmpcopyup: a new tmpfs gets what the image has in the directory that it will cover. Done
// here and not by the parent: a page of a tmpfs counts for the cgroup of the one who writes it.
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "copy.h"

enum { O_WRONLY_ = 1, O_CREAT_ = 0100, O_EXCL_ = 0200, O_NOCTTY_ = 0400, O_NONBLOCK_ = 04000, O_CLOEXEC_ = 02000000 };
enum { DATA = 3, HOLE = 4, CHUNK = 0x7ffff000 };
#if defined(__aarch64__)
enum { O_DIRECTORY_ = 040000, O_NOFOLLOW_ = 0100000 };
#else
enum { O_DIRECTORY_ = 0200000, O_NOFOLLOW_ = 0400000 };
#endif

// Opening a fifo must not wait, and no terminal become ours: the image may exchange files.
enum { SOURCE = O_NONBLOCK_ | O_NOCTTY_ };

// The first name of a file with several has a second one in this directory of the tmpfs, made
// of its device and inode, until all is copied: so hard links take no memory of ours.
static const char links_name[] = ".rt-hard-links";

// getdents64(2)
struct entry {
	u64 inode, next;
	u16 size;
	u8 type;
	char name[];
};

enum { ENTRY = 19 }; // bytes before the name

static long piece(int from, int to, long at, long end)
{
	long got = sys3(__NR_lseek, to, at, 0);

	while (got >= 0 && at < end) {
		got = sys4(__NR_sendfile, to, from, &at, end - at < CHUNK ? end - at : CHUNK);
		if (got == 0) // it was cut meanwhile
			break;
	}
	return got < 0 ? got : 0;
}

// content leaves holes out: a sparse file may be larger than all memory.
static long content(int from, int to, long size)
{
	for (long at = 0; at < size;) {
		long data = sys3(__NR_lseek, from, at, DATA);
		long hole = data < 0 ? data : sys3(__NR_lseek, from, data, HOLE);
		long result;

		if (data == -ENXIO)
			break;
		if (data < at || hole <= data || hole > size)
			data = at, hole = size;
		result = piece(from, to, data, hole);
		if (result < 0)
			return result;
		at = hole;
	}
	return sys2(__NR_ftruncate, to, size);
}

// file copies a regular one. Of a mount point only an empty file is left: what is mounted
// there is not the image's.
static long file(struct copy *c, const struct level *l, const char *name, struct statx *st)
{
	int from = open_beneath(l->from, name, SOURCE);
	long to, result = 0;

	if (from < 0 && from != -EXDEV)
		return from == -ENOENT ? 0 : from;
	if (from >= 0)
		result = look(from, "", st);
	if (result == 0 && !S_ISREG(st->stx_mode))
		result = -ESTALE;
	to = result < 0 ? result : sys4(__NR_openat, l->to, name, O_WRONLY_ | O_CREAT_ | O_EXCL_ | O_NOFOLLOW_ | O_CLOEXEC_, 0600);
	if (to < 0)
		return to;
	if (from >= 0)
		result = content(from, (int)to, (long)st->stx_size);
	if (result == 0)
		result = finish(c, from, (int)to, st);
	if (from >= 0)
		sys1(__NR_close, from);
	sys1(__NR_close, to);
	return result;
}

// other_file copies what has no content: a link, a fifo, a socket.
static long other_file(struct copy *c, const struct level *l, const char *name, struct statx *st)
{
	long result;

	if (S_ISLNK(st->stx_mode)) {
		result = sys4(__NR_readlinkat, l->from, name, c->value, VALUE_MAX - 1);
		if (result < 0 || result >= VALUE_MAX)
			return result == -ENOENT ? 0 : result < 0 ? result : -ENAMETOOLONG;
		c->value[result] = 0;
		result = sys3(__NR_symlinkat, c->value, l->to, name);
	} else {
		result = sys4(__NR_mknodat, l->to, name, st->stx_mode & ~06000, 0);
	}
	if (result == 0)
		result = own(l->to, name, st);
	return result == 0 ? times(l->to, name, st) : result;
}

static void key(struct copy *c, const struct statx *st)
{
	u64 words[2] = {(u64)st->stx_dev_major << 32 | st->stx_dev_minor, st->stx_ino};

	for (int i = 0; i < 32; i++)
		c->key[i] = "0123456789abcdef"[words[i / 16] >> (60 - i % 16 * 4) & 15];
	c->key[32] = 0;
}

static long open_links(struct copy *c)
{
	long result = sys3(__NR_mkdirat, c->level[0].to, links_name, 0700);

	if (result < 0)
		return result;
	c->links = open_beneath(c->level[0].to, links_name, O_DIRECTORY_);
	return c->links < 0 ? c->links : 0;
}

// named copies what is no directory; a further name of a file becomes a link to its copy.
static long named(struct copy *c, const struct level *l, const char *name, struct statx *st)
{
	int several = st->stx_nlink > 1;
	long result = 0;

	if (several && c->links < 0)
		result = open_links(c);
	if (result < 0)
		return result;
	if (several) {
		key(c, st);
		result = sys5(__NR_linkat, c->links, c->key, l->to, name, 0);
		if (result != -ENOENT)
			return result;
	}
	result = S_ISREG(st->stx_mode) ? file(c, l, name, st) : other_file(c, l, name, st);
	if (result == 0 && several)
		result = sys5(__NR_linkat, l->to, name, c->links, c->key, 0);
	return result == -ENOENT ? 0 : result;
}

// descend makes a directory, and goes on in it; not in what is mounted on it.
static long descend(struct copy *c, const struct level *l, const char *name, struct statx *st)
{
	struct level *below = &c->level[c->depth + 1];
	int from, to;
	long result;

	if (c->depth + 1 == DEEP) {
		init.detail = DETAIL_DEEP;
		return -ENAMETOOLONG;
	}
	from = open_beneath(l->from, name, SOURCE | O_DIRECTORY_);
	if (from < 0 && from != -EXDEV)
		return from == -ENOENT ? 0 : from;
	result = sys3(__NR_mkdirat, l->to, name, 0700);
	to = result < 0 ? (int)result : open_beneath(l->to, name, O_DIRECTORY_);
	if (to < 0)
		return to;
	if (from < 0) {
		result = finish(c, -1, to, st);
		sys1(__NR_close, to);
		return result;
	}
	*below = (struct level){from, to, 0};
	c->depth++;
	return 0;
}

static long ascend(struct copy *c)
{
	struct level *l = &c->level[c->depth--];
	struct statx st;
	long result = look(l->from, "", &st);

	if (result == 0)
		result = finish(c, l->from, l->to, &st);
	sys1(__NR_close, l->from);
	sys1(__NR_close, l->to);
	return result;
}

static long one(struct copy *c, const char *name)
{
	const struct level *l = &c->level[c->depth];
	struct statx st;
	long result = look(l->from, name, &st);

	if (result < 0)
		return result == -ENOENT ? 0 : result;
	if (S_ISDIR(st.stx_mode))
		return descend(c, l, name, &st);
	if (!S_ISCHR(st.stx_mode) && !S_ISBLK(st.stx_mode))
		return named(c, l, name, &st);
	init.detail = DETAIL_DEVICE;
	return -EPERM;
}

static int dots(const char *name) { return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])); }

// next is the entry at a place of what getdents64 gave, 0 if there is none.
static struct entry *next(struct copy *c, long at, long got)
{
	struct entry *e = (struct entry *)(c->entries + at);

	if (got > (long)sizeof(c->entries) || got - at <= ENTRY || e->size <= ENTRY || e->size > got - at || e->size % 8)
		return 0;
	c->entries[at + e->size - 1] = 0;
	return e;
}

// vanished: a directory that was removed has no entries any more, and in ext4 no places, either.
static int vanished(int dir, long error)
{
	struct statx st;

	return (error == -ENOENT || error == -EINVAL) && look(dir, "", &st) == 0 && st.stx_nlink == 0;
}

// go_on copies what the directory still has, up to the next directory in it.
static long go_on(struct copy *c)
{
	int depth = c->depth;
	struct level *l = &c->level[depth];
	long got = sys3(__NR_lseek, l->from, l->next, 0);

	while (got >= 0 && (got = sys3(__NR_getdents64, l->from, c->entries, sizeof(c->entries))) > 0) {
		struct entry *e;

		for (long at = 0; (e = next(c, at, got)); at += e->size) {
			long result = dots(e->name) ? 0 : one(c, e->name);

			l->next = e->next;
			if (result < 0 || c->depth != depth)
				return result;
		}
	}
	if (got < 0 && !vanished(l->from, got))
		return got;
	return depth ? ascend(c) : 1;
}

// unlink_all takes the second names away again.
static long unlink_all(struct copy *c)
{
	long got, result = sys3(__NR_lseek, c->links, 0, 0);

	while (result >= 0 && (got = sys3(__NR_getdents64, c->links, c->entries, sizeof(c->entries))) > 0) {
		struct entry *e;

		for (long at = 0; (e = next(c, at, got)); at += e->size)
			if (!dots(e->name))
				sys3(__NR_unlinkat, c->links, e->name, 0);
	}
	sys1(__NR_close, c->links);
	return sys3(__NR_unlinkat, c->level[0].to, links_name, AT_REMOVEDIR);
}

// root: the tmpfs itself takes of the directory what no option has set.
static long root(struct copy *c, u32 take)
{
	struct level *l = &c->level[0];
	struct statx st, was;
	long result = look(l->from, "", &st);

	if (result == 0)
		result = look(l->to, "", &was);
	if (result < 0)
		return result;
	if (!(take & COPY_UP_MODE))
		st.stx_mode = was.stx_mode;
	if (!(take & COPY_UP_UID))
		st.stx_uid = was.stx_uid;
	if (!(take & COPY_UP_GID))
		st.stx_gid = was.stx_gid;
	return finish(c, l->from, l->to, &st);
}

// begin opens both ends. Devices of the image cannot be opened through the clone: one may take
// the place of a file after it was looked at.
static long begin(struct copy *c, const struct step *s)
{
	struct mount_attr attr = {MOUNT_ATTR_NODEV, 0, 0, 0};
	struct level *l = &c->level[0];
	int fd = open_in_root(text(s), SOURCE | O_DIRECTORY_, 0), tree;
	long result;

	if (fd < 0)
		return fd;
	tree = (int)sys3(__NR_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	sys1(__NR_close, fd);
	if (tree < 0)
		return tree;
	result = sys5(__NR_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr));
	if (result < 0)
		return result;
	l->from = (int)sys3(__NR_openat, tree, ".", O_DIRECTORY_ | O_CLOEXEC_);
	sys1(__NR_close, tree);
	if (l->from < 0)
		return l->from;
	l->to = (int)sys3(__NR_openat, init.slot[s->in], ".", O_DIRECTORY_ | O_CLOEXEC_);
	return l->to < 0 ? l->to : 0;
}

// do_copy_up copies the directory s below the root into the tmpfs of a slot; if there is no
// such directory, nothing. Nobody else can reach the tmpfs yet. The state is not on the stack,
// which a caller's limit may keep small.
long do_copy_up(const struct step *s)
{
	static struct copy c;
	long result;

	c.depth = 0;
	c.links = -1;
	c.level[0].next = 0;
	result = begin(&c, s);
	if (result < 0)
		return result == -ENOENT ? 0 : result;
	while (result == 0)
		result = go_on(&c);
	if (result > 0)
		result = c.links < 0 ? 0 : unlink_all(&c);
	if (result == 0)
		result = root(&c, s->flags);
	sys1(__NR_close, c.level[0].from);
	sys1(__NR_close, c.level[0].to);
	return result;
}
