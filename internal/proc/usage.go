package proc

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Args returns the command line of a process.
func (f FS) Args(pid int) ([]string, error) {
	p, err := f.process(pid)
	if err != nil {
		return nil, err
	}
	return p.CmdLine()
}

// CPU returns the processor time that a process has had, to the nanosecond. The error
// is not nil where there is no process with that id.
func CPU(pid int) (time.Duration, error) {
	// clock_getcpuclockid(3): the clock of a process is made from its id.
	const ofProcess = 2
	var had unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|ofProcess), &had); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(had.Nano()), nil
}

// ChildrenCPU returns the processor time of the children that have ended and for which
// a process has waited, theirs included: what ends among its descendants is not lost
// from the sum over all of them. It is rounded down to a [Tick], twice.
func (f FS) ChildrenCPU(pid int) (time.Duration, error) {
	p, err := f.process(pid)
	if err != nil {
		return 0, err
	}
	stat, err := p.Stat()
	return time.Duration(stat.CUTime+stat.CSTime) * Tick, err
}

// PSS returns the memory of a process in bytes, of what it shares with others its
// part: the sum over all is what all take.
func (f FS) PSS(pid int) (uint64, error) {
	p, err := f.process(pid)
	if err != nil {
		return 0, err
	}
	rollup, err := p.ProcSMapsRollup()
	return rollup.Pss, err
}
