package cli

import (
	"encoding/json"
	"os"
	"path/filepath"

	"rt/internal/errs"

	"golang.org/x/sys/unix"
)

func specCommand() command {
	bundle, rootless := ".", false
	return command{
		text: `Writes config.json with a shell in a read-only root file system "rootfs". A
file that is there already is left alone. With --rootless it is for the user
who calls: a new user namespace in which this user is root, the host's
network, no limits.

   mkdir -p web/rootfs
   rt spec --bundle web
   cd mine && rt spec --rootless && rt run mine`,
		flags: []*option{
			text(&bundle, "bundle", "b", "write into `DIR` (default: this directory)"),
			toggle(&rootless, "rootless", "", "for a caller without root: in a user namespace of the caller's own ids"),
		},
		act: func(*session, []string) error {
			cgroup2, err := hasCgroup2()
			if err != nil {
				return err
			}
			spec := defaultSpec(cgroup2)
			if rootless {
				makeRootless(spec, uint32(os.Geteuid()), uint32(os.Getegid()))
			}
			text, err := json.MarshalIndent(spec, "", "\t")
			if err != nil {
				return errs.Op("encode", "config.json", err)
			}
			return writeNew(bundle, text)
		},
	}
}

// hasCgroup2 is true where /sys/fs/cgroup is the unified hierarchy, cgroups(7).
func hasCgroup2() (bool, error) {
	const dir = "/sys/fs/cgroup"
	var st unix.Statfs_t
	err := unix.Statfs(dir, &st)
	if err == unix.ENOENT {
		return false, nil
	}
	return st.Type == unix.CGROUP2_SUPER_MAGIC, errs.Op("statfs", dir, err)
}

// writeNew writes config.json into dir, unless there is one.
func writeNew(dir string, text []byte) error {
	path := filepath.Join(dir, "config.json")
	f, err := openFile(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o666)
	if err == unix.EEXIST {
		return errs.New(errs.Exists, "File config.json exists. Remove it first")
	}
	if err != nil {
		return errs.Op("create", path, err)
	}
	_, err = f.Write(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(path)
	}
	return errs.Op("write", path, errno(err))
}
