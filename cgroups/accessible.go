package cgroups

import ("golang.org/x/sys/unix"; "path")

func (p Plan) Accessible() bool {
	for _, d := range p.Dirs {
		dir := d.Path
		for unix.Access(dir, unix.F_OK) != nil { dir = path.Dir(dir) }
		if unix.Access(dir, unix.W_OK) != nil { return false }
	}
	return true
}
