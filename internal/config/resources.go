package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// resources checks config-linux.md, "Control groups". 0 and −1 are left to mean "unset" and
// "no limit" wherever managers write them.
func (c *checker) resources(at *place, r *specs.LinuxResources) {
	c.deviceRules(at.key("devices"), r.Devices)
	if r.Memory != nil {
		c.memory(at.key("memory"), r.Memory)
	}
	if r.CPU != nil {
		c.cpu(at.key("cpu"), r.CPU)
	}
	if r.BlockIO != nil {
		c.blockIO(at.key("blockIO"), r.BlockIO)
	}
	for i, h := range r.HugepageLimits {
		c.pageSize(at.key("hugepageLimits").item(i).key("pageSize"), h.Pagesize)
	}
	if r.Network != nil {
		for i, p := range r.Network.Priorities {
			c.interfaceName(at.key("network").key("priorities").item(i).key("name"), p.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Rdma)) {
		c.fileName(at.key("rdma").key(name), "device", name)
	}
	c.unified(at.key("unified"), r.Unified)
}

// deviceRules: −1 as a number is any.
func (c *checker) deviceRules(at *place, rules []specs.LinuxDeviceCgroup) {
	for i, r := range rules {
		here := at.item(i)
		if r.Type != "" {
			c.oneOf(here.key("type"), "device type", r.Type, []string{"a", "b", "c"})
		}
		c.limit(here.key("major"), r.Major, -1)
		c.limit(here.key("minor"), r.Minor, -1)
		if strings.Trim(r.Access, "rwm") != "" {
			c.fault(here.key("access"), quote(r.Access)+" has other letters than r, w and m")
		}
	}
}

func (c *checker) memory(at *place, m *specs.LinuxMemory) {
	c.limit(at.key("limit"), m.Limit, -1)
	c.limit(at.key("reservation"), m.Reservation, -1)
	c.limit(at.key("swap"), m.Swap, -1)
	c.limit(at.key("kernel"), m.Kernel, -1)
	c.limit(at.key("kernelTCP"), m.KernelTCP, -1)
	if m.Limit != nil && m.Swap != nil && *m.Limit > 0 && *m.Swap > 0 && *m.Swap < *m.Limit {
		c.fault(at.key("swap"), strconv.FormatInt(*m.Swap, 10)+" is less than the memory limit, "+
			strconv.FormatInt(*m.Limit, 10)+": swap is memory and swap together")
	}
	if m.Swappiness != nil && *m.Swappiness > 100 {
		c.fault(at.key("swappiness"), strconv.FormatUint(*m.Swappiness, 10)+" is above 100")
	}
}

// The range of a period and the least quota of the CFS bandwidth controller, in µs,
// Documentation/scheduler/sched-bwc.rst.
const (
	minPeriod = 1_000
	maxPeriod = 1_000_000
	minQuota  = 1_000
)

func (c *checker) cpu(at *place, r *specs.LinuxCPU) {
	if p := r.Period; p != nil && *p != 0 && (*p < minPeriod || *p > maxPeriod) {
		c.fault(at.key("period"), strconv.FormatUint(*p, 10)+" is not between 1000 and 1000000")
	}
	if q := r.Quota; q != nil && *q != 0 && *q != -1 && *q < minQuota {
		c.fault(at.key("quota"), strconv.FormatInt(*q, 10)+" is neither -1 nor at least 1000")
	}
	if r.Burst != nil && r.Quota != nil && *r.Quota > 0 && *r.Burst > uint64(*r.Quota) {
		c.fault(at.key("burst"), strconv.FormatUint(*r.Burst, 10)+" is above the quota, "+strconv.FormatInt(*r.Quota, 10))
	}
	c.limit(at.key("realtimeRuntime"), r.RealtimeRuntime, -1)
	if r.Idle != nil {
		c.between(at.key("idle"), *r.Idle, 0, 1)
	}
	c.numbers(at.key("cpus"), r.Cpus)
	c.numbers(at.key("mems"), r.Mems)
}

func (c *checker) blockIO(at *place, b *specs.LinuxBlockIO) {
	c.weight(at.key("weight"), b.Weight)
	c.weight(at.key("leafWeight"), b.LeafWeight)
	for i, d := range b.WeightDevice {
		here := at.key("weightDevice").item(i)
		c.blockDevice(here, &d.LinuxBlockIODevice)
		c.weight(here.key("weight"), d.Weight)
		c.weight(here.key("leafWeight"), d.LeafWeight)
	}
	c.throttle(at.key("throttleReadBpsDevice"), b.ThrottleReadBpsDevice)
	c.throttle(at.key("throttleWriteBpsDevice"), b.ThrottleWriteBpsDevice)
	c.throttle(at.key("throttleReadIOPSDevice"), b.ThrottleReadIOPSDevice)
	c.throttle(at.key("throttleWriteIOPSDevice"), b.ThrottleWriteIOPSDevice)
}

func (c *checker) weight(at *place, w *uint16) {
	if w != nil && *w != 0 {
		c.between(at, int64(*w), 10, 1000)
	}
}

func (c *checker) throttle(at *place, list []specs.LinuxThrottleDevice) {
	for i := range list {
		c.blockDevice(at.item(i), &list[i].LinuxBlockIODevice)
	}
}

func (c *checker) blockDevice(at *place, d *specs.LinuxBlockIODevice) {
	c.limit(at.key("major"), &d.Major, 0)
	c.limit(at.key("minor"), &d.Minor, 0)
}

// pageSize becomes part of a file's name: hugetlb.2MB.max.
func (c *checker) pageSize(at *place, size string) {
	number, found := strings.CutSuffix(size, "B")
	number = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(number, "K"), "M"), "G")
	if !found || number == "" || !digitsOnly(number) || number[0] == '0' {
		c.fault(at, quote(size)+" is not a page size such as \"2MB\"")
	}
}

// unified keys are files of a cgroup v2 directory. Those of the core, cgroup.*, would move
// or kill processes; only its limits on the number of child groups are resources.
func (c *checker) unified(at *place, files map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(files)) {
		here := at.key(key)
		if !c.fileName(here, "cgroup file", key) {
			continue
		}
		controller, file, _ := strings.Cut(key, ".")
		if controller == "" || file == "" {
			c.fault(here, quote(key)+" is not of the form CONTROLLER.FILE")
		}
		if controller == "cgroup" && !strings.HasPrefix(file, "max.") {
			c.fault(here, quote(key)+" belongs to no controller")
		}
		c.noNUL(here, files[key])
	}
}
