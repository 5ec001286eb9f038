// System calls without a libc, and what the parts of the init share.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "plan.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

// The one way to the kernel. A second definition (fuzz.c) lets the whole init run on a
// fake kernel under a sanitizer. Gives the result, or -errno.
long sys6(long nr, long a, long b, long c, long d, long e, long f);

#define L(x) ((long)(x))
#define sys5(nr, a, b, c, d, e) sys6(nr, L(a), L(b), L(c), L(d), L(e), 0)
#define sys4(nr, a, b, c, d) sys5(nr, a, b, c, d, 0)
#define sys3(nr, a, b, c) sys4(nr, a, b, c, 0)
#define sys2(nr, a, b) sys3(nr, a, b, 0)
#define sys1(nr, a) sys2(nr, a, 0)
#define sys0(nr) sys1(nr, 0)

// A step as internal/plan encodes it.
struct step {
	u16 kind, flags;
	u8 in, out;
	u16 unused;
	u64 a, b, c;
	u32 s, s_len, t, t_len;
};

struct header {
	u32 magic, version, size, steps, pointers, args, env, unused;
	int slot[32]; // encoded: the place among the fds that came with the plan, or -1
};

enum { PASSED_MAX = 24 }; // fds that come with a message

struct message {
	u32 verb, step;
	int a;
	u32 b;
};

// The init's whole state; there is no other memory but the stack.
struct init {
	u8 *plan;
	struct header *head;
	struct step *steps;
	int *slot;
	u32 at;         // the step that runs
	u32 base;       // steps of the whole plan before those that are here
	u32 detail;     // of a failure, for the parent
	int arrived;    // the first chdir succeeded
	u32 attached;   // slots whose mount covers something, a bit each
	int files[PASSED_MAX]; // to join the cgroups by, -1 behind the last
	int kept;       // files has come
	int outside;    // the fork could not go into the cgroup
	u64 early;      // namespaces that were made before the plan came
	long early_result;
	char exe[4096]; // what find found
	char text[sizeof(struct message) + TEXT_MAX];
};

extern struct init init;

typedef long (*body)(const struct step *);
extern const body bodies[KIND_COUNT];

static inline const char *text(const struct step *s) { return s->s ? (const char *)init.plan + s->s : ""; }
static inline const char *other(const struct step *s) { return s->t ? (const char *)init.plan + s->t : ""; }
static inline u64 *pointers(void) { return (u64 *)(init.plan + init.head->pointers); }

// path.c: what is done to paths of the image.
int open_in_root(const char *path, u64 flags, u64 resolve);
int make_in_root(const char *path, int directory, u64 resolve);
int open_beneath(int dir, const char *path, u64 flags);
long mode_of(int fd, const char *path, int flags, u32 *mode, u32 *major, u32 *minor);
int is_null(int fd);
long in_proc(int fd);

// mount.c, process.c, terminal.c: the steps.
long do_fsopen(const struct step *), do_fsconfig(const struct step *), do_fsmount(const struct step *),
	do_open_tree(const struct step *), do_setattr(const struct step *), do_attach(const struct step *),
	do_copy_mode(const struct step *), do_mkdir(const struct step *), do_mknod(const struct step *),
	do_symlink(const struct step *), do_pivot(const struct step *), do_chroot(const struct step *),
	do_mask(const struct step *), do_copy_up(const struct step *), do_move_root(const struct step *), do_drop(const struct step *),
	do_readonly(const struct step *);
long do_fork(const struct step *), do_next(const struct step *), do_renew(const struct step *), do_tree(const struct step *), do_join(const struct step *);
long do_unshare(const struct step *), do_setns(const struct step *), do_open(const struct step *),
	do_close(const struct step *), do_write(const struct step *), do_hostname(const struct step *),
	do_domainname(const struct step *), do_loopback(const struct step *), do_setsid(const struct step *),
	do_umask(const struct step *), do_own_stdio(const struct step *), do_reopen_null(const struct step *),
	do_dup(const struct step *),
	do_rlimit(const struct step *), do_bounding(const struct step *), do_groups(const struct step *), do_gid(const struct step *),
	do_uid(const struct step *), do_prctl(const struct step *), do_chdir(const struct step *),
	do_find(const struct step *), do_capset(const struct step *), do_ambient(const struct step *),
	do_filter(const struct step *), do_exec(const struct step *);
long do_ptmx(const struct step *), do_ptpeer(const struct step *), do_tty(const struct step *);

// protocol.c
long do_call(const struct step *), do_wait(const struct step *);
int hear_plan(int sock, int *fds, u32 *step);
long ask(long call, int fd, int *fds, int max);
long told(u32 pid);
void tell(u32 pid);
void fail(long result) __attribute__((noreturn));
void leave(int status) __attribute__((noreturn));

// init.c
long run(void);
int load(int fd);
int adopt(int sock, const int *fds, int count);


size_t length(const char *s);
void put(int slot, long fd);
