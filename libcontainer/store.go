package libcontainer

import (
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"rt/cgroups"
	"rt/internal/config"
	"rt/internal/errs"
	"rt/internal/ids"
	"rt/internal/kernel"
)

// The files of a container's directory, docs/protocol.md. What is not a container's lies
// under a name that no id can have: "@cache".
const (
	fileLock    = "lock"
	fileIntent  = "intent"
	fileState   = "state.json"
	fileConfig  = "config.json"
	fileStart   = "start"
	fileStarted = "started"
	cacheDir    = "@cache"
)

// container is one container as it stands on disk.
type container struct {
	*config.Record
	in      Root
	dir     string
	created bool // state.json is there
	booted  bool // the record, and so its pids, are of this boot
}

func (r Root) dir(id string) string { return filepath.Join(r.Dir, id) }

var errNotExist = &errs.Error{Kind: errs.NotFound, Err: errs.New(errs.NotFound, "container does not exist")}

// load reads a container's record: state.json, or the intent of one that was never
// finished.
func (r Root) load(id string) (*container, error) {
	if err := ids.Check(id); err != nil {
		return nil, err
	}
	c := &container{in: r, dir: r.dir(id), created: true}
	raw, err := readRecord(c.dir + "/" + fileState)
	if err == unix.ENOENT {
		c.created = false
		raw, err = readRecord(c.dir + "/" + fileIntent)
	}
	switch {
	case err == unix.ENOENT && unix.Access(c.dir, unix.F_OK) == nil:
		c.Record = &config.Record{ID: id} // its creator had not even written the intent
		return c, nil
	case err == unix.ENOENT || err == unix.ENOTDIR:
		return nil, &errs.Error{Path: id, Kind: errs.NotFound, Err: errNotExist}
	case err != nil:
		return nil, errs.Op("read the state of", id, err)
	}
	if c.Record, err = config.ParseRecord(raw); err != nil && !c.created {
		c.Record, err = &config.Record{ID: id}, nil // half written: nothing was made yet
	}
	if err != nil {
		return nil, errs.Op("read the state of", id, err)
	}
	boot, err := kernel.BootID()
	c.booted = err == nil && boot == c.BootID
	return c, nil
}

func readRecord(path string) ([]byte, error) { return kernel.ReadFile(path, 64<<10) }

// group is the container's cgroup.
func (c *container) group() cgroups.Group {
	g := cgroups.Group{V2: c.CgroupV2}
	for _, d := range c.Cgroup {
		g.Dirs = append(g.Dirs, cgroups.Dir{Controller: d.Controller, Path: d.Path, Mount: d.Mount})
	}
	return g
}

func groupRecord(g cgroups.Group) []config.CgroupDir {
	dirs := make([]config.CgroupDir, len(g.Dirs))
	for i, d := range g.Dirs {
		dirs[i] = config.CgroupDir{Controller: d.Controller, Path: d.Path, Mount: d.Mount}
	}
	return dirs
}

// names lists the ids below the root, sorted. No root directory means no containers.
func (r Root) names() ([]string, error) {
	entries, err := os.ReadDir(r.Dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && ids.Check(e.Name()) == nil {
			names = append(names, e.Name())
		}
	}
	return names, errs.Op("list", r.Dir, err)
}

// removeDir deletes the container's directory. The record goes last but for the lock: as
// long as it is there, delete can be repeated.
func removeDir(dir string) error {
	for _, name := range []string{fileStart, fileStarted, fileConfig, fileState, fileIntent, fileLock} {
		if err := unix.Unlink(dir + "/" + name); err != nil && err != unix.ENOENT {
			return errs.Op("remove", dir+"/"+name, err)
		}
	}
	err := unix.Rmdir(dir)
	if err == unix.ENOTEMPTY {
		if err := removeNotifyDir(dir); err != nil {
			return err
		}
		err = unix.Rmdir(dir)
	}
	if err == unix.ENOENT {
		return nil
	}
	return errs.Op("remove", dir, err)
}

func writeFile(path string, mode uint32, body []byte) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, mode)
	if err != nil {
		return errs.Op("open", path, err)
	}
	defer unix.Close(fd)
	return errs.Op("write", path, kernel.WriteAll(fd, body))
}

// state is what `state` prints.
func (c *container) state() (State, error) {
	status, err := c.status()
	if err != nil {
		return State{}, err
	}
	s := State{ID: c.ID, Status: string(status), Bundle: c.Bundle, Rootfs: c.Rootfs, Created: c.Created, Owner: owner(c.dir)}
	if status != stopped {
		s.Pid = c.Pid
	}
	doc, err := config.Load(c.dir + "/" + fileConfig)
	if err != nil { // a container that is being created has none yet
		s.Version = "1.0.2"
		return s, nil
	}
	s.Version, s.Annotations = doc.Spec.Version, doc.Spec.Annotations
	return s, nil
}

func owner(dir string) string {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return ""
	}
	passwd, _ := os.ReadFile("/etc/passwd")
	return ids.Name(passwd, st.Uid)
}

// State derives a container's state.
func (r Root) State(id string) (State, error) {
	c, err := r.load(id)
	if err != nil {
		return State{}, err
	}
	return c.state()
}

// List is the state of every container below the root. One that disappears meanwhile, or
// cannot be read, does not hide the others.
func (r Root) List() ([]State, error) {
	names, err := r.names()
	list := make([]State, 0, len(names))
	for _, name := range names {
		s, err := r.State(name)
		switch {
		case err == nil:
			list = append(list, s)
		case errs.KindOf(err) != errs.NotFound:
			r.Warn(err.Error())
		}
	}
	return list, err
}

// Processes lists the pids in the container's cgroup, as the host counts them.
func (r Root) Processes(id string) ([]int, error) {
	c, err := r.load(id)
	if err != nil {
		return nil, err
	}
	return c.group().Pids()
}

// now is when a container was created.
func now() time.Time { return time.Now().UTC() }
