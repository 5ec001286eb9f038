// Package stat is what a container uses: the numbers that its cgroups count, and the reading
// of the kernel's files for them. The JSON is that of runc's `events`; what is zero there is
// left out here too. Members without a name in it are for other commands.
package stat

// Stats is one reading. What this host does not count is zero.
type Stats struct {
	CPU     CPU                `json:"cpu"`
	CPUSet  CPUSet             `json:"cpuset"`
	Memory  Memory             `json:"memory"`
	Pids    Pids               `json:"pids"`
	IO      IO                 `json:"blkio"`
	Hugetlb map[string]Hugetlb `json:"hugetlb"` // by the page's size as the kernel writes it: 2MB
}

// CPU is the time used, and the time waited for.
type CPU struct {
	Usage      CPUUsage   `json:"usage"`
	Throttling Throttling `json:"throttling"`
	Pressure   *Pressure  `json:"psi,omitempty"`
}

// CPUUsage is in nanoseconds. PerCPU and what follows are v1's alone.
type CPUUsage struct {
	Total        uint64   `json:"total,omitempty"`
	PerCPU       []uint64 `json:"percpu,omitempty"`
	PerCPUKernel []uint64 `json:"percpu_kernel,omitempty"`
	PerCPUUser   []uint64 `json:"percpu_user,omitempty"`
	Kernel       uint64   `json:"kernel"`
	User         uint64   `json:"user"`
}

// Throttling is what the quota did.
type Throttling struct {
	Periods          uint64 `json:"periods,omitempty"`
	ThrottledPeriods uint64 `json:"throttledPeriods,omitempty"`
	ThrottledTime    uint64 `json:"throttledTime,omitempty"` // nanoseconds
}

// CPUSet is cpuset(7). v2 has CPUs and Mems alone.
type CPUSet struct {
	CPUs                  []uint16 `json:"cpus,omitempty"`
	CPUExclusive          uint64   `json:"cpu_exclusive"`
	Mems                  []uint16 `json:"mems,omitempty"`
	MemHardwall           uint64   `json:"mem_hardwall"`
	MemExclusive          uint64   `json:"mem_exclusive"`
	MemoryMigrate         uint64   `json:"memory_migrate"`
	MemorySpreadPage      uint64   `json:"memory_spread_page"`
	MemorySpreadSlab      uint64   `json:"memory_spread_slab"`
	MemoryPressure        uint64   `json:"memory_pressure"`
	SchedLoadBalance      uint64   `json:"sched_load_balance"`
	SchedRelaxDomainLevel int64    `json:"sched_relax_domain_level"`
}

// Memory is in bytes. Swap is memory and swap together, as v1 counts it.
type Memory struct {
	Cache     uint64            `json:"cache,omitempty"`
	Usage     MemoryUse         `json:"usage"`
	Swap      MemoryUse         `json:"swap"`
	Kernel    MemoryUse         `json:"kernel"`
	KernelTCP MemoryUse         `json:"kernelTCP"`
	Raw       map[string]uint64 `json:"raw,omitempty"` // memory.stat
	Pressure  *Pressure         `json:"psi,omitempty"`
	OOMKills  uint64            `json:"-"` // in v2 also those in groups below
}

// MemoryUse is one kind of memory, in bytes; no limit is about 2^63 in v1, 2^64-1 in v2.
type MemoryUse struct {
	Limit   uint64 `json:"limit"`
	Usage   uint64 `json:"usage,omitempty"`
	Max     uint64 `json:"max,omitempty"` // the most there has been
	Failcnt uint64 `json:"failcnt"`       // how often the limit was met
}

// Pids counts tasks: threads, not only processes. No limit is 0.
type Pids struct {
	Current uint64 `json:"current,omitempty"`
	Limit   uint64 `json:"limit,omitempty"`
}

// IO is block I/O by device. v2, and v1 without the BFQ scheduler, have Bytes and Count alone.
type IO struct {
	Bytes       []IOEntry `json:"ioServiceBytesRecursive,omitempty"`
	Count       []IOEntry `json:"ioServicedRecursive,omitempty"`
	Queued      []IOEntry `json:"ioQueueRecursive,omitempty"`
	ServiceTime []IOEntry `json:"ioServiceTimeRecursive,omitempty"` // nanoseconds
	WaitTime    []IOEntry `json:"ioWaitTimeRecursive,omitempty"`    // nanoseconds
	Merged      []IOEntry `json:"ioMergedRecursive,omitempty"`
	Time        []IOEntry `json:"ioTimeRecursive,omitempty"` // milliseconds
	Sectors     []IOEntry `json:"sectorsRecursive,omitempty"`
	Pressure    *Pressure `json:"psi,omitempty"`
}

// IOEntry is one number of one device.
type IOEntry struct {
	Major uint64 `json:"major,omitempty"`
	Minor uint64 `json:"minor,omitempty"`
	Op    string `json:"op,omitempty"` // Read, Write, Discard; in v1 also Sync, Async, Total
	Value uint64 `json:"value,omitempty"`
}

// Hugetlb is in bytes.
type Hugetlb struct {
	Usage   uint64 `json:"usage,omitempty"`
	Max     uint64 `json:"max,omitempty"` // the most there has been; v1 alone
	Failcnt uint64 `json:"failcnt"`
}

// Pressure is how long tasks waited for a resource (Documentation/accounting/psi.rst): some of
// them, or all at the same time.
type Pressure struct {
	Some Stall `json:"some"`
	Full Stall `json:"full"`
}

// Stall gives the share of the last 10, 60 and 300 s in percent.
type Stall struct {
	Avg10  float64 `json:"avg10"`
	Avg60  float64 `json:"avg60"`
	Avg300 float64 `json:"avg300"`
	Total  uint64  `json:"total"` // microseconds
}
