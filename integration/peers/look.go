//go:build integration

package peers

import (
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/internal/proc"
)

// lookout knows which process each service of a job has.
type lookout struct {
	job  *Job
	pids map[*Service]int
}

// look looks at the process table, and returns how many services have a process.
// What had one the last time has it as long as there is one with that id.
func (l *lookout) look(t testing.TB) int {
	t.Helper()
	there, err := proc.System.PIDs()
	require.NoError(t, err)
	was := make(map[int]bool)
	now := make(map[*Service]int)
	for s, pid := range l.pids {
		if _, found := slices.BinarySearch(there, pid); found {
			was[pid], now[s] = true, pid
		}
	}
	for _, pid := range there {
		if was[pid] {
			continue
		}
		for _, s := range l.isOf(pid) {
			now[s] = pid
		}
	}
	l.pids = now
	return len(now)
}

// again returns the process that a service has in the place of another one, 0 while
// there is none.
func (l *lookout) again(t testing.TB, s *Service, old int) int {
	t.Helper()
	there, err := proc.System.PIDs()
	require.NoError(t, err)
	for _, pid := range slices.Backward(there) {
		if pid != old && slices.Contains(l.isOf(pid), s) {
			return pid
		}
	}
	return 0
}

// isOf returns the services of which a process is.
func (l *lookout) isOf(pid int) (of []*Service) {
	args, err := proc.System.Args(pid)
	if err != nil || len(args) == 0 {
		return nil
	}
	dir := ""
	if l.job.Engine != "" {
		p, err := proc.System.Read(pid)
		if err != nil {
			return nil
		}
		dir = p.Dir
	}
	for _, s := range l.job.Services {
		if s.Is(args, dir) {
			of = append(of, s)
		}
	}
	return of
}

// had returns the processor time that all processes of a job have had.
func (j *Job) had() (sum time.Duration) {
	for _, p := range harness.ProcessesOf(j.Root) {
		own, _ := proc.CPU(p.PID) // what has ended counts with its parent
		children, _ := proc.System.ChildrenCPU(p.PID)
		sum += own + children
	}
	return sum
}

// takes returns the memory of all processes of a job, in bytes, and their number.
func (j *Job) takes(t testing.TB) (bytes uint64, processes int) {
	t.Helper()
	all := harness.ProcessesOf(j.Root)
	for _, p := range all {
		pss, err := proc.System.PSS(p.PID)
		require.NotErrorIs(t, err, fs.ErrPermission)
		bytes += pss // 0 of one that has just ended
	}
	return bytes, len(all)
}
