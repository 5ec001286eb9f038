package cli

import "rt/internal/cli/topic"

func eventsManual() topic.Manual {
	return topic.Manual{
		Text: `A line is an object with type, "stats" or "oom", and id, the container's name; that of
"stats" also has data. The first "stats" comes after one interval. The names are those
that runc(8) prints; what is zero may be left out, and what this host does not count
is zero.

data.cpu: usage.total, usage.user and usage.kernel are CPU time in nanoseconds, in
cgroup v1 also for each CPU (usage.percpu). throttling has periods, throttledPeriods and
throttledTime, nanoseconds in which the quota was used up.

data.memory: usage, swap (memory and swap together), kernel and kernelTCP each have
usage, limit and max in bytes, and failcnt, how often the limit was met. A container
without a limit has one of about 2^63 or 2^64. cache is bytes, raw is memory.stat.

data.pids: current and limit are tasks, threads included; no limit is left out.

data.blkio: lists of numbers by device (major, minor) and op; ioServiceBytesRecursive is
bytes, ioServicedRecursive requests. data.hugetlb: usage, max and failcnt by the size of
the page, such as 2MB, in bytes. data.cpuset: the files of cpuset(7).

With cgroup v2 cpu, memory and blkio have psi, for how long processes have waited: some and
full, each with avg10, avg60 and avg300, the percentage in the last 10, 60 and 300
seconds, and total in microseconds.

"oom" is printed when it happens, not at the next interval. In cgroup v1 it comes
each time that the container's cgroup, or one above it, runs out of memory; in v2 for each
process that was killed, also in cgroups below the container's.

   rt events --stats web | jq -c .data.pids
   {"current":1,"limit":100}

   rt events web | jq -r --unbuffered 'select(.type == "stats") | .data |
       [.cpu.usage.total, .memory.usage.usage, .pids.current] | @tsv'
   1114688	262144	1`,
		See: []string{"rt-update(8)", "rt-ps(8)", "cgroups(7)", "jq(1)"},
	}
}

func updateManual() topic.Manual {
	return topic.Manual{
		Text: `What is so already is not written. If a write fails, those before it are taken back, the
last first; a TERM or INT in the middle counts as a failure. The config.json of the container
stays as it was: a container that is made again from its bundle has its first limits.

--memory-swap is memory and swap together, so it is never below --memory; the difference
is the swap alone. Both may rise or fall in one command, in either order. In
cgroup v1 --memory alone leaves the sum as it is, in v2 the swap. --memory -1 lifts the limit
of swap, too.

A memory limit below what the container uses is an error in cgroup v1 if the kernel cannot
reclaim enough. In v2 it then kills processes: rt warns of it. "checkBeforeUpdate": true in
FILE's memory makes it an error from the start, in both.

--cpu-quota without --cpu-period keeps the period that the container has. In cgroup v2
--cpu-share becomes cpu.weight, and --blkio-weight becomes io.bfq.weight or, without BFQ,
io.weight.

--dry-run prints a line for each file that would be written, in that order: its path, the
old value, an arrow, the new one. The old one is missing where a file cannot be read.

   rt update --dry-run --memory 512m --memory-swap 1g --pids-limit 100 web
   /sys/fs/cgroup/memory/web/memory.memsw.limit_in_bytes: 536870912 → 1073741824
   /sys/fs/cgroup/memory/web/memory.limit_in_bytes: 268435456 → 536870912
   /sys/fs/cgroup/pids/web/pids.max: max → 100`,
		See: []string{"rt-events(8)", "rt-pause(8)", "cgroups(7)"},
	}
}
