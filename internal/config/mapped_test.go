package config

import (
	"slices"
	"strings"
	"testing"
)

// remapped is an edit: a user namespace with the ids 0 to 9, and 20.
const remapped = `/linux/namespaces/- = {"type": "user"}
	/linux/uidMappings = [{"containerID": 0, "hostID": 1000, "size": 10}, {"containerID": 20, "hostID": 1, "size": 1}]
	/linux/gidMappings = [{"containerID": 0, "hostID": 2000, "size": 10}, {"containerID": 20, "hostID": 1, "size": 1}]
`

func TestMappedIDs(t *testing.T) {
	const uid, gid, groups = "/process/user/uid", "/process/user/gid", "/process/user/additionalGids"
	const option, noUID, noGID = "/mounts/3/options/1", "is not mapped by /linux/uidMappings", "is not mapped by /linux/gidMappings"
	data := func(kind, option string) string {
		return mount(`{"destination": "/a", "type": "` + kind + `", "source": "/s", "options": ["ro", "` + option + `"]}`)
	}
	rows := []row{
		{"ends of ranges", uid + " = 9\n" + gid + " = 20\n" + groups + " = [0, 9, 20]", "", "", ""},
		{"uid", uid + " = 5000", uid, "uid 5000 " + noUID, ""},
		{"uid just above", uid + " = 10", uid, "uid 10 " + noUID, ""},
		{"uid between", uid + " = 19", uid, noUID, ""},
		{"uid behind", uid + " = 21", uid, noUID, ""},
		{"gid", gid + " = 10", gid, "gid 10 " + noGID, ""},
		{"additional gid", groups + " = [9, 10]", groups + "/1", "gid 10 " + noGID, ""},
		{"no id at all", uid + " = 4294967295", uid, "not a valid id", ""},
		{"maps that are wrong", uid + " = 30\n/linux/uidMappings/0/size = 0", "/linux/uidMappings/0/size", "0", ""},
		{"maps that are missing", uid + " = 30\n/linux/uidMappings", "/linux/uidMappings", "missing", ""},
		{"devpts", data("devpts", "gid=5"), "", "", ""},
		{"devpts gid", data("devpts", "gid=10"), option, "gid 10 " + noGID, ""},
		{"devpts uid", data("devpts", "uid=10"), option, "uid 10 " + noUID, ""},
		{"tmpfs gid", data("tmpfs", "gid=10"), option, noGID, ""},
		{"tmpfs uid, octal", data("tmpfs", "uid=012"), option, "uid 10 " + noUID, ""},
		{"tmpfs, not a number", data("tmpfs", "uid=x"), "", "", ""},
		{"other file system", data("fuse", "gid=10"), "", "", ""},
		{"device", `/linux/devices = [{"path": "/dev/x", "type": "c", "uid": 10, "gid": 10}]`, "", "", ""},
		{"maps of a mount", mount(`{"destination": "/a", "source": "/s", "options": ["bind"], "uidMappings": [{"size": 1}], "gidMappings": [{"size": 1}]}`), "", "", ""},
	}
	for i := range rows {
		rows[i].edits = remapped + rows[i].edits
	}
	const all = uid + " = 5000\n" + gid + " = 5000\n" + groups + " = [5000]\n"
	check(t, append(rows,
		row{"no user namespace", all + data("devpts", "gid=10"), "", "", ""},
		row{"joined user namespace", all + `/linux/namespaces/- = {"type": "user", "path": "/x"}`, "", "", ""},
		row{"joined user namespace with maps", remapped + all + `/linux/namespaces/5/path = "/x"`, "", "", ""},
	))
}

// TestJoinedMaps: managers write maps beside the path; the kernel has those that count.
func TestJoinedMaps(t *testing.T) {
	doc, err := Parse(edited(t, remapped+`/linux/namespaces/5/path = "/x"`))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(); err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, w := range doc.Warnings {
		have = append(have, w.Where+": "+w.Msg)
	}
	const why = ": is ignored: the user namespace is joined by path and has its own mappings"
	want := []string{"/linux/gidMappings" + why, "/linux/uidMappings" + why}
	slices.Sort(have)
	if !slices.Equal(have, want) {
		t.Errorf("have %q", have)
	}
}

// TestCheckUser: what exec asks, of its own process alone.
func TestCheckUser(t *testing.T) {
	for _, r := range []struct{ name, edits, want string }{
		{"mapped", remapped, ""},
		{"not mapped", remapped + "/process/user/uid = 10\n/process/user/additionalGids = [11]", "uid 10 is not mapped"},
		{"something else", remapped + mount(`{"destination": "x", "type": "tmpfs", "options": ["uid=10"]}`), ""},
		{"no user namespace", "/process/user/uid = 10", ""},
		{"no linux", "/process/user/uid = 10\n/linux", ""},
	} {
		doc, err := Parse(edited(t, r.edits))
		if err != nil {
			t.Fatal(err)
		}
		faults := faultsOf(t, CheckUser(doc.Spec))
		if r.want == "" && len(faults) > 0 || r.want != "" && (len(faults) != 2 || !strings.Contains(faults.Error(), r.want)) {
			t.Errorf("%s: %v", r.name, faults)
		}
	}
}
