//go:build managers

package managers

import "slices"

// dockerLike are the rows of managers with docker's command line. They say of each manager only
// what its dialect says.
func dockerLike() []row {
	return slices.Concat(
		running(), entering(), ending(), limiting(), watching(), changing(),
		rowsOf(processes()), rowsOf(filesOf()), rowsOf(namespaced()),
		mounting(), networking(), joining(),
	)
}

// processes: what becomes of the flags for the process.
func processes() []shown {
	return []shown{
		{"run", nil, "echo hello", "hello", 0},
		{"exit 0", nil, "exit 0", "", 0},
		{"exit 1", nil, "exit 1", "", 1},
		{"exit 7", nil, "exit 7", "", 7},
		{"cap-drop", flags("--cap-drop ALL"), "grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status | cut -f2 | sort -u", "0000000000000000", 0},
		{"cap-add", flags("--cap-drop ALL --cap-add NET_ADMIN --cap-add CAP_SYS_TIME"), "grep -E 'Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2 | sort -u", "0000000002001000", 0},
		{"no-new-privileges", flags("--security-opt no-new-privileges"), "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1", 0},
		{"new privileges", nil, "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t0", 0},
		{"seccomp default", nil, "grep Seccomp: /proc/self/status; unshare -m true 2>&1", "Seccomp:\t2\nunshare: unshare(0x20000): Operation not permitted", 1},
		{"seccomp unconfined", flags("--security-opt seccomp=unconfined"), "grep Seccomp: /proc/self/status", "Seccomp:\t0", 0},
		{"user by name", flags("--user joe"), "id -un; id -u; id -g; echo $HOME", "joe\n1000\n1000\n/home/joe", 0},
		{"user by ids", flags("--user 1234:2345"), "id -u; id -g; grep Groups /proc/self/status", "1234\n2345\nGroups:\t2345 ", 0},
		{"group-add", flags("--user joe --group-add extra --group-add 3000"), "id -G", "1000 2000 3000", 0},
		{"workdir", flags("--workdir /home/joe"), "pwd", "/home/joe", 0},
		{"env", []string{"--env", "A=b c", "--env", "EMPTY="}, `echo "$A,${EMPTY-unset}"`, "b c,", 0},
		{"ulimit", flags("--ulimit nofile=512:1024 --ulimit core=0:0"), "ulimit -Sn; ulimit -Hn; ulimit -c", "512\n1024\n0", 0},
		{"oom-score-adj", flags("--oom-score-adj 321"), "cat /proc/self/oom_score_adj", "321", 0},
		{"entrypoint", flags("--entrypoint /bin/expr"), "", "", 2}, // expr sees sh -c ""
	}
}

// filesOf: what becomes of the flags for the file system.
func filesOf() []shown {
	return []shown{
		{"read-only", flags("--read-only"), "touch /mnt/x 2>&1; awk '$5 == \"/\" { print $6 }' /proc/self/mountinfo | cut -d, -f1", "touch: /mnt/x: Read-only file system\nro", 0},
		{"tmpfs", flags("--tmpfs /mnt:size=64k"), "stat -fc %T /mnt; dd if=/dev/zero of=/mnt/x bs=1k count=65 2>&1 | grep -o 'No space.*'", "tmpfs\nNo space left on device", 0},
		{"device", flags("--device /dev/zero:/dev/nothing"), "head -c 4 /dev/nothing | od -An -tx1; echo x >/dev/nothing && echo written", " 00 00 00 00\nwritten", 0},
		{"device read-only", flags("--device /dev/fuse:/dev/other:r"), "true </dev/other && echo read; true 2>/dev/null >/dev/other || echo not written", "read\nnot written", 0},
		{"other devices", flags("--cap-add MKNOD"), "mknod /dev/other c 10 229 && echo made; true 2>/dev/null </dev/other || echo denied", "made\ndenied", 0},
		{"default devices", nil, "for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done; : </dev/null; for l in fd stdin ptmx; do readlink /dev/$l; done", "/proc/self/fd\n/proc/self/fd/0\npts/ptmx", 0},
		{"masked paths", nil, "wc -c </proc/keys; ls /sys/firmware | wc -l; true 2>/dev/null >/proc/sys/kernel/domainname || echo denied", "0\n0\ndenied", 0},
		{"shm-size", flags("--shm-size 1m"), "df -k /dev/shm | tail -n 1 | awk '{print $2}'", "1024", 0},
	}
}

// namespaced: what becomes of the flags for namespaces.
func namespaced() []shown {
	return []shown{
		{"hostname", flags("--hostname box.example"), "hostname; cat /etc/hostname", "box.example\nbox.example", 0},
		{"sysctl", flags("--sysctl kernel.msgmax=12345 --sysctl net.ipv4.ip_forward=1"), "cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward", "12345\n1", 0},
		{"network none", flags("--network none"), "ls /sys/class/net; ip -o addr show lo | grep -c 127.0.0.1", "lo\n1", 0},
		{"own pid", nil, "echo $$", "1", 0},
	}
}
