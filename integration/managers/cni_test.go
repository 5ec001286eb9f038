//go:build managers

package managers

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// cni is no manager, but what a script does with the runtime alone and CNI's own tool.
func cni() manager {
	return manager{
		name:  "cnitool",
		needs: []string{built("cnitool"), program("ip")},
		open: func(t *testing.T, e *engine) {
			command(e.env, nil, "ip", "netns", "add", "first").must(t) // it mounts /run/netns
			command(e.env, nil, "ip", "netns", "del", "first").must(t)
			clean(t, e.dir+"/state/rtmgr*")
			e.cli = []string{e.bin, "--root", e.dir + "/state"}
		},
		rows: []row{
			{"a namespace that is joined by its path", cniJoined},
			{"two containers in it", cniPod},
			{"hooks", cniHooks},
		},
	}
}

// pluginDir is where the distribution has CNI's plugins.
func pluginDir(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"/usr/lib/cni", "/usr/libexec/cni", "/opt/cni/bin"} {
		if _, err := os.Stat(dir + "/bridge"); err == nil {
			return dir
		}
	}
	t.Fatal("no CNI plugins (make deps-managers)")
	return ""
}

// cnitool runs it for the network that bridged has configured.
func cnitool(t *testing.T, verb, namespace string) did {
	t.Helper()
	env := []string{"PATH=" + path, "NETCONFPATH=/etc/cni/net.d", "CNI_PATH=" + pluginDir(t)}
	return command(env, nil, built("cnitool"), verb, "rtmgr", namespace)
}

// namespace makes a named network namespace with an address on the bridge, until the row's end.
func namespace(t *testing.T, e *engine) (place, address string) {
	t.Helper()
	name := e.fresh()
	command(e.env, nil, "ip", "netns", "add", name).must(t)
	place = "/run/netns/" + name
	t.Cleanup(func() {
		cnitool(t, "del", place).must(t)
		command(e.env, nil, "ip", "netns", "del", name).must(t)
	})
	var result struct{ IPs []struct{ Address string } }
	text := cnitool(t, "add", place).must(t)
	if err := json.Unmarshal([]byte(text), &result); err != nil || len(result.IPs) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	return place, result.IPs[0].Address
}

func cniJoined(t *testing.T, e *engine) {
	bridged(t, "10.87.2")
	path, address := namespace(t, e)
	dir := bundle(t, e, func(c *config) { c.join(path) }, "sh", "-c", "ip addr show eth0; ip route; ping -c 1 -W 5 10.87.2.1")
	d := e.do("run", "--bundle", dir, e.fresh())
	d.says(t, "inet "+address).says(t, "default via 10.87.2.1 dev eth0").says(t, "1 packets received").must(t)
	bare, _, _ := strings.Cut(address, "/")
	command(e.env, nil, "busybox", "ping", "-c", "1", "-W", "5", bare).must(t) // it outlives the container
}

func cniPod(t *testing.T, e *engine) {
	bridged(t, "10.87.3")
	path, _ := namespace(t, e)
	ids := []string{e.fresh(), e.fresh()}
	for _, id := range ids {
		dir := bundle(t, e, func(c *config) { c.join(path) }, "sleep", "60")
		t.Cleanup(func() { e.do("delete", "--force", id).must(t) })
		// Its streams are the caller's: they must not be what the caller reads to the end.
		quiet := []string{"sh", "-c", `exec "$@" > /dev/null 2>&1`, "sh"}
		command(e.env, nil, slices.Concat(quiet, e.cli, []string{"run", "--detach", "--bundle", dir, id})...).must(t)
	}
	first := e.do("exec", ids[0], "ip", "addr", "show", "eth0").must(t)
	equal(t, "the second's interface", e.do("exec", ids[1], "ip", "addr", "show", "eth0").must(t), first)
	equal(t, "namespace", e.do("exec", ids[0], "readlink", "/proc/self/ns/net").must(t), e.do("exec", ids[1], "readlink", "/proc/self/ns/net").must(t))
}

// cniHooks has createRuntime add the network to the namespace that the runtime made, found by
// the pid in the state, and poststop take it away.
func cniHooks(t *testing.T, e *engine) {
	bridged(t, "10.87.4")
	kept := e.dir + "/" + e.fresh()
	add := e.save(t, "add", fmt.Sprintf("#!/bin/sh -e\nns=/proc/$(sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p')/ns/net\n%s add rtmgr $ns >&2\necho $ns > %s\n", built("cnitool"), kept), 0o755)
	del := e.save(t, "del", fmt.Sprintf("#!/bin/sh -e\n%s del rtmgr $(cat %s)\nrm %s\n", built("cnitool"), kept, kept), 0o755)
	hook := func(file string) any {
		return []any{map[string]any{"path": file, "env": []string{"PATH=" + path, "NETCONFPATH=/etc/cni/net.d", "CNI_PATH=" + pluginDir(t)}}}
	}
	dir := bundle(t, e, func(c *config) {
		c.Hooks = map[string]any{"createRuntime": hook(add), "poststop": hook(del)}
	}, "sh", "-c", "ip addr show eth0; ip route; ping -c 1 -W 5 10.87.4.1")
	d := e.do("run", "--bundle", dir, e.fresh())
	d.says(t, "inet 10.87.4.").says(t, "default via 10.87.4.1 dev eth0").says(t, "1 packets received").must(t)
	if _, err := os.Stat(kept); !os.IsNotExist(err) {
		t.Error("the poststop hook has not run: ", err)
	}
	if leases, err := os.ReadDir("/var/lib/cni/networks/rtmgr"); err == nil {
		for _, l := range leases {
			if strings.HasPrefix(l.Name(), "10.87.4.") {
				t.Error("its address is still taken:", l.Name())
			}
		}
	}
}

// config is what rows change in a config.json; the rest stays as spec has made it.
type config struct {
	Process map[string]any `json:"process"`
	Root    map[string]any `json:"root"`
	Hooks   map[string]any `json:"hooks,omitempty"`
	Linux   map[string]any `json:"linux"`
	Mounts  []any          `json:"mounts"`
	Version string         `json:"ociVersion"`
}

func (c *config) join(network string) {
	for _, n := range c.Linux["namespaces"].([]any) {
		if n := n.(map[string]any); n["type"] == "network" {
			n["path"] = network
		}
	}
}

// bundle makes one by the runtime's own spec command.
func bundle(t *testing.T, e *engine, change func(*config), args ...string) string {
	t.Helper()
	dir, err := os.MkdirTemp(e.dir, "bundle")
	if err != nil {
		t.Fatal(err)
	}
	e.do("spec", "--bundle", dir).must(t)
	var c config
	if err := json.Unmarshal([]byte(textOf(t, dir+"/config.json")), &c); err != nil {
		t.Fatal(err)
	}
	c.Process["args"], c.Process["terminal"] = args, false
	sets := map[string][]string{}
	for _, name := range []string{"bounding", "effective", "permitted"} {
		sets[name] = []string{"CAP_NET_RAW"} // ping
	}
	c.Process["capabilities"] = sets
	c.Root["path"] = it.rootfs
	c.Linux["cgroupsPath"] = "/" + e.parent() + "/" + e.fresh()
	change(&c)
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/config.json", data, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}
