//go:build managers

package managers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ctrNetwork are rows about namespaces that are shared, and about ctr's use of CNI.
func ctrNetwork() []row {
	return []row{
		{"namespaces of its own", func(t *testing.T, e *engine) {
			c := up(t, e, nil, "sleep", "60")
			for _, kind := range []string{"mnt", "pid", "ipc", "uts", "net"} {
				if linkTo(t, fmt.Sprintf("/proc/%d/ns/%s", c.pid, kind)) == linkTo(t, "/proc/self/ns/"+kind) {
					t.Error("shares the host's", kind)
				}
			}
			c.inside(t, e, "ping", "-c", "1", "-W", "2", "127.0.0.1").must(t)
		}},
		{"--net-host", func(t *testing.T, e *engine) {
			equal(t, "namespace", once(t, e, []string{"--net-host"}, "readlink", "/proc/self/ns/net").must(t), linkTo(t, "/proc/self/ns/net"))
		}},
		{"--with-ns", func(t *testing.T, e *engine) {
			pod := up(t, e, nil, "sleep", "60")
			var flags []string
			for name, kind := range map[string]string{"network": "net", "ipc": "ipc", "uts": "uts", "pid": "pid"} {
				flags = append(flags, "--with-ns", fmt.Sprintf("%s:/proc/%d/ns/%s", name, pod.pid, kind))
			}
			c := up(t, e, flags, "sleep", "61")
			for _, kind := range []string{"net", "ipc", "uts", "pid"} {
				equal(t, kind, linkTo(t, fmt.Sprintf("/proc/%d/ns/%s", c.pid, kind)), linkTo(t, fmt.Sprintf("/proc/%d/ns/%s", pod.pid, kind)))
			}
			pod.inside(t, e, "ps").says(t, "sleep 61").must(t)
		}},
		{"--cni", ctrCNI},
	}
}

// ctrCNI gives the container an address on a bridge, and sees it answer there.
func ctrCNI(t *testing.T, e *engine) {
	bridged(t, "10.87.1")
	plugins(t, e, "/opt/cni/bin")
	c := up(t, e, []string{"--cni"}, "sleep", "60")
	inside := c.inside(t, e, "ip", "addr", "show", "eth0")
	inside.says(t, "inet 10.87.1.").must(t)
	c.inside(t, e, "ip", "route").says(t, "default via 10.87.1.1 dev eth0").must(t)
	c.inside(t, e, "ping", "-c", "1", "-W", "5", "10.87.1.1").must(t)
	address, _, _ := strings.Cut(inside.stdout[strings.Index(inside.stdout, "10.87.1."):], "/")
	command(e.env, nil, "busybox", "ping", "-c", "1", "-W", "5", address).must(t)
}

// bridged writes a CNI configuration named rtmgr for a bridge that lives as long as the row.
func bridged(t *testing.T, net string) {
	t.Helper()
	name := "rtmgr" + strings.ReplaceAll(net, ".", "")[4:]
	write(t, "/etc/cni/net.d/10-rtmgr.conflist", fmt.Sprintf(`{"cniVersion": "0.4.0", "name": "rtmgr", "plugins": [
		{"type": "bridge", "bridge": %q, "isGateway": true, "ipMasq": false,
		 "ipam": {"type": "host-local", "ranges": [[{"subnet": "%s.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}`, name, net))
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "link", "del", name).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		if err := os.RemoveAll("/var/lib/cni"); err != nil { // the addresses of containers that ctr has removed
			t.Error(err)
		}
	})
}

// plugins puts the distribution's CNI plugins where ctr looks for them.
func plugins(t *testing.T, e *engine, dir string) {
	t.Helper()
	command(e.env, nil, "mkdir", "-p", filepath.Dir(dir)).must(t)
	command(e.env, nil, "ln", "-sfn", pluginDir(t), dir).must(t)
}
