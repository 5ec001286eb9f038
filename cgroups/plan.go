// Package cgroups makes, limits, freezes, kills and removes the control groups of a
// container. Compile decides and touches nothing; Create and the methods of Group act.
package cgroups

import (
	"rt/cgroups/v2"
)

// Dir is the container's group in one hierarchy.
type Dir struct {
	Controller string // "memory", "cpu,cpuacct", "name=systemd"; "" in v2
	Path       string // absolute
	Mount      string // mount point of the hierarchy: never removed, nor anything above it
}

// Write is one value for one file of the container's groups.
type Write struct {
	Dir   int // index into the Dirs of the plan or the group
	File  string
	Value string
	Where string // JSON pointer, "" for what config.json does not name
}

// Plan is what Create does.
type Plan struct {
	V2           bool
	Dirs         []Dir     // v2: one; none if the host has no cgroups
	Controllers  []string  // v2: to be enabled in the parents
	Writes       []Write   // in this order
	Program      []v2.Insn // v2: the device program, none if all devices are allowed
	ProgramWhere string    // JSON pointer to what asked for it
}

// Group is the groups of a container, as the other commands know them from its state file.
type Group struct {
	V2   bool
	Dirs []Dir
}

// Group is what the plan makes.
func (p Plan) Group() Group { return Group{V2: p.V2, Dirs: p.Dirs} }

// JoinFiles are the files by which a process joins the groups, by writing 0: `tasks` in v1,
// cgroup.procs in v2.
func (g Group) JoinFiles() []string {
	var files []string
	for _, d := range g.Dirs {
		files = append(files, d.Path+"/"+joinFile(g.V2))
	}
	return files
}

// MemoryFiles are those of JoinFiles that lead to the memory controller.
func (g Group) MemoryFiles() []string {
	dir := g.dir("memory")
	if dir == "" {
		return nil
	}
	return []string{dir + "/" + joinFile(g.V2)}
}

func joinFile(unified bool) string {
	if unified {
		return "cgroup.procs"
	}
	return "tasks"
}
