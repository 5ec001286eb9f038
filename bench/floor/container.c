/* The container's side: build_container is the order, each phase is one function above it. */
#define _GNU_SOURCE
#include "floor.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void namespaces(void)
{
	must("unshare", "ns uts ipc net", unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET));
	must("mount", "/ rslave", mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL));
}

static void root_tree(struct job *job)
{
	job->root = clone_tree(AT_FDCWD, job->rootfs, AT_WHOLE_TREE);
	must("move_mount", job->rootfs,
	     syscall(SYS_move_mount, job->root, "", AT_FDCWD, job->rootfs, MOVE_FROM_FD));
}

static int destination(const struct job *job, const char *path)
{
	return (int)must("openat2", path, open_in_root(job->root, path, O_PATH));
}

/* new_fs makes a detached mount. options: key, value pairs (value NULL: a flag), ended by NULL. */
static int new_fs(const char *type, const char *source, const char *const *options, unsigned attr)
{
	int fs = (int)must("fsopen", type, syscall(SYS_fsopen, type, FS_CLOEXEC));
	fs_set(fs, FS_STRING, "source", source);
	for (; options && options[0]; options += 2)
		fs_set(fs, options[1] ? FS_STRING : FS_FLAG, options[0], options[1]);
	fs_set(fs, FS_CREATE, NULL, NULL);
	return (int)must("fsmount", type, syscall(SYS_fsmount, fs, FS_CLOEXEC, attr));
}

static void dev_mount(struct job *job)
{
	static const char *const options[] = {"mode", "755", "size", "65536k", NULL};
	job->dev = new_fs("tmpfs", "tmpfs", options, ATTR_NOSUID | ATTR_STRICTATIME);
	attach(job->dev, destination(job, "dev"), "dev");
}

static void dev_nodes(const struct job *job)
{
	static const struct { const char *name; unsigned major, minor; } nodes[] = {
		{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
	};
	umask(0);
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
		must("mknodat", nodes[i].name,
		     mknodat(job->dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
	umask(022);
}

static void dev_links(const struct job *job)
{
	static const char *const links[][2] = {
		{"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"},
		{"/proc/self/fd/2", "stderr"}, {"/proc/kcore", "core"}, {"pts/ptmx", "ptmx"},
	};
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		must("symlinkat", links[i][1], symlinkat(links[i][0], job->dev, links[i][1]));
}

static void dev_submounts(const struct job *job)
{
	static const char *const pts[] = {"newinstance", NULL, "ptmxmode", "0666", "mode", "0620", "gid", "5", NULL};
	static const char *const shm[] = {"mode", "1777", "size", "65536k", NULL};
	static const char *const dirs[] = {"pts", "shm", "mqueue"};
	for (int i = 0; i < 3; i++)
		must("mkdirat", dirs[i], mkdirat(job->dev, dirs[i], 0755));
	attach(new_fs("devpts", "devpts", pts, ATTR_NOSUID | ATTR_NOEXEC), destination(job, "dev/pts"), "dev/pts");
	attach(new_fs("tmpfs", "shm", shm, ATTR_NOSUID | ATTR_NOEXEC | ATTR_NODEV), destination(job, "dev/shm"), "dev/shm");
	attach(new_fs("mqueue", "mqueue", NULL, ATTR_NOSUID | ATTR_NOEXEC | ATTR_NODEV), destination(job, "dev/mqueue"), "dev/mqueue");
}

static void proc_mount(const struct job *job)
{
	attach(new_fs("proc", "proc", NULL, 0), destination(job, "proc"), "proc");
}

static void sys_mount(const struct job *job)
{
	unsigned attr = ATTR_NOSUID | ATTR_NOEXEC | ATTR_NODEV | ATTR_RDONLY;
	attach(new_fs("sysfs", "sysfs", NULL, attr), destination(job, "sys"), "sys");
}

static void cgroup_mount(const struct job *job)
{
	static const char *const options[] = {"mode", "755", NULL};
	unsigned attr = ATTR_NOSUID | ATTR_NOEXEC | ATTR_NODEV;
	int dir = new_fs("tmpfs", "cgroup", options, attr);
	attach(dir, destination(job, "sys/fs/cgroup"), "sys/fs/cgroup");
	for (int i = 0; i < HIERARCHIES; i++) {
		const char *name = hierarchies[i];
		int group = clone_tree(AT_FDCWD, group_path(name, job->group, ""), 0);
		set_attr(group, name, attr | ATTR_RDONLY, 0);
		must("mkdirat", name, mkdirat(dir, name, 0755));
		must("move_mount", name, syscall(SYS_move_mount, group, "", dir, name, MOVE_FROM_FD));
	}
	set_attr(dir, "sys/fs/cgroup", ATTR_RDONLY, 0);
}

static void pivot(const struct job *job)
{
	must("fchdir", job->rootfs, fchdir(job->root));
	must("pivot_root", job->rootfs, syscall(SYS_pivot_root, ".", "."));
	must("umount2", "old root", umount2(".", MNT_DETACH));
}

/* existing is an O_PATH fd of a path in the container, -1 if it is not there. */
static int existing(const struct job *job, const char *path)
{
	int fd = open_in_root(job->root, path, O_PATH);
	if (fd < 0 && errno != ENOENT)
		must("openat2", path, fd);
	return fd;
}

static void masks(const struct job *job)
{
	static const char *const paths[] = {
		"proc/acpi", "proc/asound", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list",
		"proc/timer_stats", "proc/sched_debug", "sys/firmware", "proc/scsi",
	};
	int empty = -1;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct stat st;
		int mask, fd = existing(job, paths[i]);
		if (fd < 0)
			continue;
		must("fstat", paths[i], fstat(fd, &st));
		if (!S_ISDIR(st.st_mode))
			mask = clone_tree(job->dev, "null", 0);
		else if (empty >= 0) /* one file system for all: a clone of the attached one */
			mask = clone_tree(empty, "", AT_ITSELF);
		else
			mask = empty = new_fs("tmpfs", "tmpfs", NULL, ATTR_RDONLY);
		attach(mask, fd, paths[i]);
	}
}

static void readonly_paths(const struct job *job)
{
	static const char *const paths[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		int fd = existing(job, paths[i]);
		if (fd < 0)
			continue;
		int tree = clone_tree(fd, "", AT_ITSELF | AT_WHOLE_TREE);
		set_attr(tree, paths[i], ATTR_RDONLY, AT_WHOLE_TREE);
		attach(tree, fd, paths[i]);
	}
}

static void loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = (int)must("socket", "lo", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	must("ioctl", "lo up", ioctl(fd, SIOCSIFFLAGS, &lo));
}

/* become turns the caller into the process that config.json describes, but for the execve. */
static void become(void)
{
	struct rlimit nofile = {1024, 1024};
	uint32_t keep = 1u << 5 | 1u << 10 | 1u << 29; /* KILL, NET_BIND_SERVICE, AUDIT_WRITE */
	struct cap_header header = {CAP_VERSION_3, 0};
	struct cap_data caps[2] = {{keep, keep, 0}, {0, 0, 0}};
	must("close_range", "from 3", syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_BY_EXEC));
	must("setrlimit", "nofile", setrlimit(RLIMIT_NOFILE, &nofile));
	must("setsid", "", setsid());
	for (int cap = 0; cap <= CAP_LAST; cap++)
		if (cap > 31 || !(keep & 1u << cap))
			must("prctl", "bounding set", prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
	must("setgroups", "", syscall(SYS_setgroups, 0, NULL));
	must("setresgid", "0", syscall(SYS_setresgid, 0, 0, 0));
	must("setresuid", "0", syscall(SYS_setresuid, 0, 0, 0));
	must("chdir", "/", chdir("/"));
	must("capset", "", syscall(SYS_capset, &header, caps));
	/* The default spec has no inheritable set, so none of its ambient ones can be raised. */
	must("prctl", "ambient set", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	must("prctl", "no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void load_and_exec(const struct job *job)
{
	char *env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL};
	if (job->filter.program)
		must("seccomp", "filter", syscall(SYS_seccomp, FILTER_MODE, 0, &job->filter));
	must("execve", job->argv[0], execve(job->argv[0], job->argv, env));
}

static void build_container(struct job *job)
{
	namespaces();
	root_tree(job);
	proc_mount(job);
	dev_mount(job);
	dev_nodes(job);
	dev_links(job);
	dev_submounts(job);
	sys_mount(job);
	must("sethostname", "runc", sethostname("runc", 4));
	loopback();
	cgroup_mount(job);
	readonly_paths(job);
	masks(job);
	set_attr(job->root, "root", ATTR_RDONLY, 0);
	join_groups(job->group);
	pivot(job);
	become();
}

int run_child(void *arg)
{
	build_container(arg);
	load_and_exec(arg);
	return 125;
}

int cycle_child(void *arg)
{
	struct job *job = arg;
	char byte;
	must("close", "go", close(job->go[1]));
	build_container(job);
	must("write", "ready", write(job->ready[1], "r", 1));
	if (must("read", "go", read(job->go[0], &byte, 1)) == 1)
		load_and_exec(job);
	return 125;
}

int exec_child(void *arg)
{
	become();
	load_and_exec(arg);
	return 125;
}
