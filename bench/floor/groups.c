/* The host's side: one group in every v1 hierarchy. */
#define _GNU_SOURCE
#include "floor.h"

#include <sys/stat.h>

const char *const hierarchies[HIERARCHIES] = {
	"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd",
};

const char *group_path(const char *hierarchy, const char *group, const char *file)
{
	static char path[512];
	snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%s%s%s", hierarchy, group, *file ? "/" : "", file);
	return path;
}

static void write_group(const char *hierarchy, const char *group, const char *file, const char *text)
{
	const char *path = group_path(hierarchy, group, file);
	int fd = open_file(path, O_WRONLY);
	must("write", path, write(fd, text, strlen(text)));
	close(fd);
}

static const char *read_group(const char *hierarchy, const char *group, const char *file)
{
	static char text[256];
	const char *path = group_path(hierarchy, group, file);
	int fd = open_file(path, O_RDONLY);
	text[must("read", path, read(fd, text, sizeof text - 1))] = 0;
	close(fd);
	return text;
}

static void allow_devices(const char *group)
{
	static const char *const rules[] = {
		"c *:* m", "b *:* m", "c 1:3 rwm", "c 1:8 rwm", "c 1:7 rwm", "c 5:0 rwm",
		"c 1:5 rwm", "c 1:9 rwm", "c 136:* rwm", "c 5:2 rwm",
	};
	write_group("devices", group, "devices.deny", "a");
	const char *path = group_path("devices", group, "devices.allow");
	int fd = open_file(path, O_WRONLY);
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		must("write", rules[i], write(fd, rules[i], strlen(rules[i])));
	close(fd);
}

void make_groups(const struct job *job)
{
	for (int i = 0; i < HIERARCHIES; i++) {
		const char *path = group_path(hierarchies[i], job->group, "");
		must("mkdir", path, mkdir(path, 0755));
	}
	write_group("cpuset", job->group, "cpuset.cpus", read_group("cpuset", "", "cpuset.cpus"));
	write_group("cpuset", job->group, "cpuset.mems", read_group("cpuset", "", "cpuset.mems"));
	allow_devices(job->group);
	if (job->memory)
		write_group("memory", job->group, "memory.limit_in_bytes", job->memory);
}

void remove_groups(const struct job *job)
{
	if (job->memory)
		dprintf(2, "peak %s", read_group("memory", job->group, "memory.max_usage_in_bytes"));
	for (int i = 0; i < HIERARCHIES; i++) {
		const char *path = group_path(hierarchies[i], job->group, "");
		must("rmdir", path, rmdir(path));
	}
}

/* tasks, not cgroup.procs: a single-threaded self-move waits for no RCU grace period. */
void join_groups(const char *group)
{
	for (int i = 0; i < HIERARCHIES; i++)
		write_group(hierarchies[i], group, "tasks", "0");
}
