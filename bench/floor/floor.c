/* floor makes the kernel calls that the default bundle needs on this host, and nothing else:
 * what a container runtime with no configuration, no state and no checks would cost.
 *
 *   floor run   [options] ROOTFS CMD...        mkdir groups, container, wait, rmdir
 *   floor cycle [options] ROOTFS CMD...        create, start, kill -9, wait, rmdir
 *   floor exec  [options] PID GROUP CMD...     join PID's groups and namespaces, run CMD
 *
 *   --group NAME            the cgroup's name in every hierarchy (default rtbench-floor-PID)
 *   --filter FILE           raw struct sock_filter[] to load before execve
 *   --memory BYTES          memory limit; the peak is printed at the end ("peak BYTES")
 *   --hold created|running  cycle only: print init's pid there, and wait for the end of stdin
 */
#define _GNU_SOURCE
#include "floor.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static char child_stack[65536] __attribute__((aligned(16)));

/* --- the parent's side: one function per mode --- */

static int spawn(int (*child)(void *), struct job *job, int flags, pid_t *pid)
{
	int pidfd = -1;
	*pid = (pid_t)must("clone", "", clone(child, child_stack + sizeof child_stack,
					      flags | CLONE_WITH_PIDFD | SIGCHLD, job, &pidfd));
	return pidfd;
}

static int wait_for(int pidfd)
{
	siginfo_t info = {0};
	must("waitid", "", waitid((idtype_t)WAIT_PIDFD, (id_t)pidfd, &info, WEXITED));
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

static int run(struct job *job)
{
	pid_t pid;
	make_groups(job);
	int status = wait_for(spawn(run_child, job, CLONE_NEWPID | CLONE_VM | CLONE_VFORK, &pid));
	remove_groups(job);
	return status;
}

static void hold(const struct job *job, const char *state, pid_t pid)
{
	char byte;
	if (!job->hold || strcmp(job->hold, state))
		return;
	dprintf(1, "%d\n", pid);
	must("read", "stdin", read(0, &byte, 1));
}

static int cycle(struct job *job)
{
	char byte;
	pid_t pid;
	make_groups(job);
	must("pipe2", "ready", pipe2(job->ready, O_CLOEXEC));
	must("pipe2", "go", pipe2(job->go, O_CLOEXEC));
	int pidfd = spawn(cycle_child, job, CLONE_NEWPID, &pid);
	close(job->ready[1]);
	close(job->go[0]);
	long started = -1;
	if (must("read", "ready", read(job->ready[0], &byte, 1)) == 1) {
		hold(job, "created", pid);
		must("write", "go", write(job->go[1], "s", 1));
		started = must("read", "started", read(job->ready[0], &byte, 1));
		hold(job, "running", pid);
	}
	must("pidfd_send_signal", "init", syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0));
	int status = wait_for(pidfd);
	remove_groups(job);
	return started == 0 && status == 128 + SIGKILL ? 0 : 125;
}

static int exec_in(struct job *job, int target)
{
	pid_t pid;
	int pidfd = (int)must("pidfd_open", "init", syscall(SYS_pidfd_open, target, 0));
	join_groups(job->group);
	must("setns", "init", setns(pidfd, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID));
	return wait_for(spawn(exec_child, job, CLONE_VM | CLONE_VFORK, &pid));
}

/* --- the command line --- */

static void read_filter(struct job *job, const char *path)
{
	static char program[8 * 65535];
	int fd = open_file(path, O_RDONLY);
	long size = must("read", path, read(fd, program, sizeof program));
	close(fd);
	job->filter = (struct filter_program){(uint16_t)(size / 8), program};
}

static int usage(void)
{
	dprintf(2, "usage: floor run|cycle [--group NAME] [--filter FILE] [--memory BYTES] [--hold created|running] ROOTFS CMD...\n"
		   "       floor exec [--filter FILE] PID GROUP CMD...\n");
	return 125;
}

static char **options(struct job *job, char **arg)
{
	for (; arg[0] && arg[1] && !strncmp(arg[0], "--", 2); arg += 2) {
		if (!strcmp(arg[0], "--group"))
			job->group = arg[1];
		else if (!strcmp(arg[0], "--filter"))
			read_filter(job, arg[1]);
		else if (!strcmp(arg[0], "--memory"))
			job->memory = arg[1];
		else if (!strcmp(arg[0], "--hold"))
			job->hold = arg[1];
		else
			_exit(usage());
	}
	return arg;
}

int main(int argc, char **argv)
{
	static char name[32];
	struct job job = {.group = name};
	if (argc < 4)
		return usage();
	snprintf(name, sizeof name, "rtbench-floor-%d", getpid());
	char **rest = options(&job, argv + 2);
	if (!rest[0] || !rest[1])
		return usage();
	if (!strcmp(argv[1], "exec")) {
		if (!rest[2])
			return usage();
		job.group = rest[1];
		job.argv = rest + 2;
		return exec_in(&job, atoi(rest[0]));
	}
	job.rootfs = rest[0];
	job.argv = rest + 1;
	if (!strcmp(argv[1], "run"))
		return run(&job);
	return !strcmp(argv[1], "cycle") ? cycle(&job) : usage();
}
