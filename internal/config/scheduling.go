package config

import (
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// scheduling checks what decides when and where a process runs.
func (c *checker) scheduling(at *place, p *specs.Process) {
	if p.Scheduler != nil {
		c.scheduler(at.key("scheduler"), p.Scheduler)
	}
	if p.IOPriority != nil {
		c.oneOf(at.key("ioPriority").key("class"), "I/O scheduling class", string(p.IOPriority.Class), ioClasses)
		c.between(at.key("ioPriority").key("priority"), int64(p.IOPriority.Priority), 0, 7)
	}
	if p.ExecCPUAffinity != nil {
		c.numbers(at.key("execCPUAffinity").key("initial"), p.ExecCPUAffinity.Initial)
		c.numbers(at.key("execCPUAffinity").key("final"), p.ExecCPUAffinity.Final)
	}
}

// scheduler checks struct sched_attr, sched_setattr(2).
func (c *checker) scheduler(at *place, s *specs.Scheduler) {
	c.oneOf(at.key("policy"), "scheduling policy", string(s.Policy), policies)
	for i, flag := range s.Flags {
		c.oneOf(at.key("flags").item(i), "scheduling flag", string(flag), schedulerFlags)
	}
	c.between(at.key("nice"), int64(s.Nice), -20, 19)
	switch s.Policy {
	case specs.SchedFIFO, specs.SchedRR:
		c.between(at.key("priority"), int64(s.Priority), 1, 99)
	case specs.SchedDeadline:
		c.deadline(at, s)
	}
}

// deadline: sched(7) wants 1024 ≤ runtime ≤ deadline ≤ period, in nanoseconds; a period of
// 0 is the deadline.
func (c *checker) deadline(at *place, s *specs.Scheduler) {
	if s.Runtime < 1024 || s.Runtime > s.Deadline || s.Period != 0 && s.Deadline > s.Period {
		c.fault(at, "SCHED_DEADLINE needs 1024 ≤ runtime ≤ deadline ≤ period, not "+strconv.FormatUint(s.Runtime, 10)+
			", "+strconv.FormatUint(s.Deadline, 10)+", "+strconv.FormatUint(s.Period, 10))
	}
}
