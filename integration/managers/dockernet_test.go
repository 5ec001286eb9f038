//go:build managers

package managers

import (
	"fmt"
	"testing"
)

// dockerNetwork are rows about the daemon's bridges.
func dockerNetwork() []row {
	return []row{
		{"bridge", func(t *testing.T, e *engine) {
			name := sleeping(t, e)
			address := e.do("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name).must(t)
			e.do("exec", name, "ip", "addr", "show", "eth0").says(t, "inet "+address+"/16 ").must(t)
			e.do("exec", name, "ip", "route").says(t, "default via 172.17.0.1 dev eth0").must(t)
			command(e.env, nil, "busybox", "ping", "-c", "1", "-W", "5", address).must(t)
			e.do("run", "--rm", e.image, "ping", "-c", "1", "-W", "5", address).must(t)
		}},
		{"published port", func(t *testing.T, e *engine) {
			started(t, e, []string{"-p", "127.0.0.1:8088:80"}, "sh", "-c", "trap exit TERM; while :; do echo served | nc -l -p 80 & wait $!; done")
			eventually(t, deadline/2, "the port answers", func() (string, bool) {
				d := command(e.env, nil, "busybox", "nc", "-w", "3", "127.0.0.1", "8088")
				return d.stdout + d.stderr, d.stdout == "served\n"
			})
		}},
		{"a network of its own, names", func(t *testing.T, e *engine) {
			net := e.fresh()
			e.do("network", "create", net).must(t)
			t.Cleanup(func() { e.do("network", "rm", net).must(t) })
			name := sleeping(t, e, "--network", net, "--network-alias", "web")
			e.do("run", "--rm", "--network", net, e.image, "ping", "-c", "1", "-W", "5", "web").must(t)
			e.do("exec", name, "cat", "/etc/resolv.conf").says(t, "127.0.0.11").must(t)
			e.do("run", "--rm", e.image, "ping", "-c", "1", "-W", "1", "web").exits(t, 1) // another network
		}},
		{"connect a running container", func(t *testing.T, e *engine) {
			net := e.fresh()
			e.do("network", "create", net).must(t)
			t.Cleanup(func() { e.do("network", "rm", net).must(t) })
			name := sleeping(t, e)
			e.do("network", "connect", net, name).must(t)
			e.do("exec", name, "ip", "addr", "show", "eth1").says(t, "inet 172.").must(t)
			e.do("network", "disconnect", net, name).must(t)
			e.do("exec", name, "ip", "addr", "show", "eth1").exits(t, 1)
		}},
		{"network of a container", func(t *testing.T, e *engine) {
			name := sleeping(t, e, "--hostname", "pod", "--add-host", "other:10.1.2.3")
			other := sleeping(t, e, "--network", "container:"+name)
			pid := func(name string) int { return number(t, e.do("inspect", "-f", "{{.State.Pid}}", name).must(t)) }
			equal(t, "namespace", linkTo(t, fmt.Sprintf("/proc/%d/ns/net", pid(other))), linkTo(t, fmt.Sprintf("/proc/%d/ns/net", pid(name))))
			e.do("exec", other, "cat", "/etc/hosts").says(t, "10.1.2.3\tother").must(t)
			equal(t, "hostname", e.do("exec", other, "hostname").must(t), "pod")
		}},
		{"network host", func(t *testing.T, e *engine) {
			inside := e.do("run", "--rm", "--network", "host", e.image, "readlink", "/proc/self/ns/net").must(t)
			equal(t, "namespace", inside, linkTo(t, "/proc/self/ns/net"))
		}},
		{"sysctl and MAC", func(t *testing.T, e *engine) {
			got := e.do("run", "--rm", "--sysctl", "net.ipv4.ip_default_ttl=33", "--mac-address", "02:42:00:00:00:77", e.image,
				"sh", "-c", "cat /proc/sys/net/ipv4/ip_default_ttl /sys/class/net/eth0/address").must(t)
			equal(t, "ttl and MAC", got, "33\n02:42:00:00:00:77")
		}},
	}
}
