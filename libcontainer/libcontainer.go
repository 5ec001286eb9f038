// Package libcontainer is the life of a container: create, start, exec, kill, delete. It is
// the only package that composes the others; everything it decides is decided before in
// internal/compile, everything done inside is done by the init in nsenter.
package libcontainer

import "time"

// Root is a state directory with the containers below it, one directory each.
type Root struct {
	Dir      string       // absolute; made when the first container is
	Systemd  bool         // use the systemd cgroup driver (--systemd-cgroup)
	Rootless Rootless     // who goes on without cgroups (--rootless)
	Sticky   bool         // Dir is in a place that is cleaned up: what is made there says that it stays
	Warn     func(string) // takes what the user should know although the command goes on
	Notify   string       // $NOTIFY_SOCKET: where the service manager listens, sd_notify(3); "": there is none
}

// Listen is what socket activation hands over, sd_listen_fds(3).
type Listen struct {
	FDs   int    // fds 3 … 3+FDs-1; those of PreserveFDs follow
	Names string // $LISTEN_FDNAMES
}

// CreateOptions are the choices of `create` and `run` that config.json does not hold.
type CreateOptions struct {
	ID            string
	Bundle        string // directory with config.json; relative to the working directory
	PidFile       string // gets init's pid, digits without a newline, before the command returns
	ConsoleSocket string
	PidfdSocket   string // of a listener that gets a pidfd of the init
	PreserveFDs   int    // pass that many fds more, from 3 on
	Listen        Listen
	NoPivot       bool
	NoNewKeyring  bool
}

// RunOptions are the choices of `run`.
type RunOptions struct {
	CreateOptions
	Detach      bool // return once the workload has started
	Keep        bool // do not delete the container after the workload's exit
	NoSubreaper bool
}

// ExecOptions are the choices of `exec`. Fields that are unset keep what config.json's
// process has; Process, a file with an OCI process object, replaces it as a whole.
type ExecOptions struct {
	Process       string
	Args          []string
	Cwd           string
	Env           []string // NAME=VALUE, added to config.json's
	User          string   // UID[:GID]
	AdditionalGid []uint32
	Caps          []string // added to bounding, effective and permitted
	NoNewPrivs    bool
	AppArmor      string
	ProcessLabel  string
	Tty           bool
	ConsoleSocket string
	Detach        bool
	PidFile       string
	PidfdSocket   string
	PreserveFDs   int
	Listen        Listen
	Cgroup        []string
	IgnorePaused  bool
}

// State is what `state` and `list` print: runtime.md's state plus runc's fields.
type State struct {
	Version     string            `json:"ociVersion"`
	ID          string            `json:"id"`
	Pid         int               `json:"pid"`
	Status      string            `json:"status"` // creating, created, running, paused or stopped
	Bundle      string            `json:"bundle"`
	Rootfs      string            `json:"rootfs"`
	Created     time.Time         `json:"created"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Owner       string            `json:"owner"`
}
