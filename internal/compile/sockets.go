package compile

import (
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/rootfs"
)

// NotifyDir is where a container finds the directory Input.Notify, and in it, as NotifyName,
// the socket for sd_notify(3); it is where runc has it.
const (
	NotifyDir  = "/run/notify"
	NotifyName = "notify.sock"
)

// Listen is socket activation, sd_listen_fds(3): fds 3 … 3+FDs-1 of the workload. Pid is
// its own number of itself, 0 if that is not known yet: a program takes no fds that are meant
// for another process.
type Listen struct {
	FDs, Pid int
	Names    string // $LISTEN_FDNAMES, "" for none
}

// variables are config.json's, and what this start adds.
func (w *work) variables() []string {
	env := w.process.Env
	if l := w.in.Listen; l.FDs > 0 {
		env = append(slices.Clip(env), "LISTEN_FDS="+strconv.Itoa(l.FDs))
		if l.Pid != 0 {
			env = append(env, "LISTEN_PID="+strconv.Itoa(l.Pid))
		}
		if l.Names != "" {
			env = append(env, "LISTEN_FDNAMES="+l.Names)
		}
	}
	if w.in.Notify != "" {
		env = append(slices.Clip(env), "NOTIFY_SOCKET="+NotifyDir+"/"+NotifyName)
	}
	return env
}

// notifySocket mounts the directory, not the socket: that is there only from `start` on.
func notifySocket(w *work) {
	if w.in.Notify == "" {
		return
	}
	if !w.mountNS() {
		w.fail(unsupported("/linux/namespaces", "NOTIFY_SOCKET without a mount namespace"))
		return
	}
	w.fail(rootfs.Mount(w.Builder, rootfs.Unnamed, specs.Mount{
		Destination: NotifyDir, Source: w.in.Notify, Options: []string{"bind", "ro", "nosuid", "nodev", "noexec"},
	}, w.mountContext()))
}
