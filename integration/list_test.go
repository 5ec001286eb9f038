package integration

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	runScenes(t, []scene{
		{name: "no root directory", play: func(t *testing.T) {
			c := newContainer(t)
			want(t, c.rt("list"), 0, like(`^ID\s+PID\s+STATUS\s+BUNDLE\s+CREATED\s+OWNER\s*\n$`), is(""))
			want(t, c.rt("list", "-q"), 0, is(""), is(""))
			want(t, c.rt("list", "--format", "json"), 0, like(`^(null|\[\])\n?$`), is(""))
			if _, err := os.Stat(c.root); it.kind == "rt" && err == nil {
				t.Error("list made the root directory")
			}
		}},
		{name: "three statuses", play: listThree},
	})
}

func listThree(t *testing.T) {
	a := newRunning(t)
	b, c := newContainer(t, args("sleep", "300")), newContainer(t)
	b.root, c.root = a.root, a.root
	b.create().must(t)
	c.create().must(t)
	c.start().must(t)
	c.untilStatus("stopped")
	want(t, a.rt("list", "--quiet"), 0, is(a.id+"\n"+b.id+"\n"+c.id+"\n"), is(""))
	table := a.rt("list").must(t).stdout
	for _, s := range []state{a.wantStatus("running"), b.wantStatus("created"), c.wantStatus("stopped")} {
		line := strings.Join([]string{s.ID, strconv.Itoa(s.Pid), s.Status, s.Bundle, s.Created, s.Owner}, " ")
		if !strings.Contains(strings.Join(strings.Fields(table), " "), line) {
			t.Errorf("no %q in\n%s", line, table)
		}
	}
	var all []state
	if err := json.Unmarshal([]byte(a.rt("list", "--format=json").must(t).stdout), &all); err != nil || len(all) != 3 {
		t.Fatalf("%v, %+v", err, all)
	}
	if all[0].Status != "running" || all[1].Status != "created" || all[2].Status != "stopped" {
		t.Errorf("%+v", all)
	}
	for _, x := range []*container{a, b, c} {
		x.delete("--force").must(t)
	}
}

func TestPs(t *testing.T) {
	runScenes(t, []scene{
		{name: "json and table", play: func(t *testing.T) {
			c := newRunning(t, script("sleep 300 & sleep 300 & wait"))
			until(t, "three processes", func() bool { return len(c.ps()) == 3 })
			if pid := c.state().Pid; c.ps()[0] != pid {
				t.Errorf("%d is not the first of %v", pid, c.ps())
			}
			table := c.rt("ps", c.id).must(t).stdout
			if !strings.HasPrefix(table, "UID") || strings.Count(table, "sleep 300") != 4 {
				t.Errorf("sh and two sleeps should be in\n%s", table)
			}
			want(t, c.rt("ps", "--format", "table", c.id, "-o", "pid,comm"), 0, like(`(?s)PID.*sh.*sleep.*sleep`), is(""))
			c.delete("--force").must(t)
		}},
		{name: "unknown format", play: func(t *testing.T) {
			c := newRunning(t)
			want(t, c.rt("ps", "--format", "frob", c.id), 1, match{}, match{})
			c.delete("--force").must(t)
		}},
	})
}

func TestUpdate(t *testing.T) {
	limit := func(c *container) string {
		file := "/memory.limit_in_bytes"
		if hasV2() {
			file = "/memory.max"
		}
		b, _ := os.ReadFile(c.groupDir("memory") + file)
		return strings.TrimSpace(string(b))
	}
	update := func(give func(c *container) result) func(*testing.T) {
		return func(t *testing.T) {
			c := newRunning(t)
			give(c).must(t)
			if got := limit(c); got != "67108864" {
				t.Errorf("limit %s", got)
			}
			c.delete("--force").must(t)
		}
	}
	const zeros = `{"memory": {"limit": 67108864, "reservation": 0, "kernel": 0}, "cpu": {"shares": 0}, "blockIO": {"weight": 0}}`
	runScenes(t, []scene{
		{name: "flag", play: update(func(c *container) result { return c.rt("update", "--memory", "64M", c.id) })},
		{name: "file", play: update(func(c *container) result { return c.rt("update", "--resources="+c.write("r.json", zeros), c.id) })},
		{name: "stdin", play: update(func(c *container) result {
			cmd := c.command("update", "--resources", "-", c.id)
			f, err := os.Open(c.write("r.json", zeros))
			if err != nil {
				c.t.Fatal(err)
			}
			defer f.Close()
			cmd.stdin = f
			return cmd.run(c.t)
		})},
	})
}
