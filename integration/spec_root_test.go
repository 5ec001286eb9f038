package integration

import "testing"

func TestRoot(t *testing.T) {
	runRows(t, []row{
		{name: "true", want: is("")},
		{name: "read-only", sh: "touch /x 2>&1", code: 1, want: has("Read-only file system")},
		{name: "writable", edit: writable, sh: "echo hi >/new && cat /new", want: is("hi\n"), made: "/new"},
		{name: "no way up", sh: "ls -d /../../../bin && cd .. && pwd", want: is("/../../../bin\n/\n")},
		{name: "pid 1", sh: "echo $$", want: is("1\n")},
		{name: "hostname", sh: "hostname", want: is("runc\n")},
	})
}
