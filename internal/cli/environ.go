package cli

import (
	"errors"
	"os"
	"strconv"

	"rt/internal/errs"
	"rt/libcontainer"
)

// notifyVariable names the service manager's socket, sd_notify(3).
const notifyVariable = "NOTIFY_SOCKET"

// listen is what socket activation hands to this process.
func listen() (libcontainer.Listen, error) { return listenFDs(os.Getenv, os.Getpid) }

// listenFDs reads the variables of sd_listen_fds(3). Fds that are meant for another process,
// or for none, are not passed on.
func listenFDs(getenv func(string) string, self func() int) (libcontainer.Listen, error) {
	count, owner := getenv("LISTEN_FDS"), getenv("LISTEN_PID")
	if count == "" || owner == "" {
		return libcontainer.Listen{}, nil
	}
	pid, err := strconv.ParseUint(owner, 10, 31)
	if err != nil {
		return libcontainer.Listen{}, badVariable("LISTEN_PID", owner, err)
	}
	if int(pid) != self() {
		return libcontainer.Listen{}, nil
	}
	n, err := strconv.ParseUint(count, 10, 31)
	if err != nil {
		return libcontainer.Listen{}, badVariable("LISTEN_FDS", count, err)
	}
	return libcontainer.Listen{FDs: int(n), Names: getenv("LISTEN_FDNAMES")}, nil
}

func badVariable(name, value string, err error) error {
	return &errs.Error{Op: "environment", Path: name + "=" + strconv.Quote(value), Kind: errs.Usage, Err: errors.New("not a number: " + reason(err).Error())}
}
