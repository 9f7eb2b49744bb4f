//go:build integration

package peers

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// Times say how long something is looked at.
type Times struct {
	// Settle is given to what has started before it is idle, Idle is how long it is
	// looked at then.
	Settle, Idle time.Duration
	// Kills is how many services are killed, one after the other.
	Kills int
}

// measuring is one peer with its job.
type measuring struct {
	t     testing.TB
	entry Entry
	lookout
	figures map[string]float64
}

// Measure has a peer do a job, and returns figures by their units. A figure that the
// peer cannot have is missing. Nothing runs any more when it returns, however.
func Measure(t testing.TB, e Entry, j *Job, times Times) map[string]float64 {
	t.Helper()
	m := &measuring{t: t, entry: e, lookout: lookout{job: j}, figures: make(map[string]float64)}
	m.start()
	harness.Pause(t, times.Settle, "what has started comes to rest")
	m.idle(times.Idle)
	m.change(j.Services[len(j.Services)/2])
	m.kills(times.Kills)
	if e.Once {
		e.Peer.Start(t, j) // so that there is something to stop
		m.allRun()
	}
	begun := time.Now()
	e.Peer.Stop(t)
	harness.Eventually(t, "everything has ended", func() error {
		if left := harness.ProcessesOf(j.Root); len(left) > 0 {
			return fmt.Errorf("there are %v", left)
		}
		return nil
	})
	m.took("stop", begun)
	return m.figures
}

// took notes the milliseconds since a moment.
func (m *measuring) took(what string, begun time.Time) {
	m.figures[what+"-ms"] = milliseconds(time.Since(begun))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// start measures from nothing to all being ready.
func (m *measuring) start() {
	m.t.Helper()
	begun := time.Now()
	m.entry.Peer.Start(m.t, m.job)
	m.allRun()
	m.took("up", begun)
}

// allRun waits until all services are ready.
func (m *measuring) allRun() {
	m.t.Helper()
	harness.Eventually(m.t, "all services have a process", func() error {
		if n := m.look(m.t); n < len(m.job.Services) {
			return fmt.Errorf("%d of %d have one", n, len(m.job.Services))
		}
		return nil
	})
	for _, s := range m.job.Services {
		harness.Eventually(m.t, s.Name+" is ready", s.Answers)
	}
}

// idle measures what all processes take while nothing is to do.
func (m *measuring) idle(long time.Duration) {
	m.t.Helper()
	bytes, processes := m.job.takes(m.t)
	m.figures["MB"] = float64(bytes) / 1e6
	m.figures["processes"] = float64(processes)
	before, begun := m.job.had(), time.Now()
	harness.Pause(m.t, long, "nothing is to do")
	m.figures["idle-%core"] = 100 * float64(m.job.had()-before) / float64(time.Since(begun))
}

// change measures from a change of one service to the process that runs as it is now,
// and counts the others that lost theirs.
func (m *measuring) change(s *Service) {
	m.t.Helper()
	require.Len(m.t, m.pids, len(m.job.Services))
	before := m.pids
	m.job.Change(m.t, s)
	begun := time.Now()
	m.entry.Peer.Change(m.t, s)
	harness.Eventually(m.t, s.Name+" is another one", func() bool {
		return m.again(m.t, s, 0) != 0 && s.Takes()
	})
	m.took("change", begun)
	m.allRun()
	lost := 0
	for other, pid := range m.pids {
		if other != s && before[other] != pid {
			lost++
		}
	}
	m.figures["lost"] = float64(lost)
}

// kills measures from the kill of a process to another one that is ready, and to the
// moment when the peer tells of it. Each service is killed once.
func (m *measuring) kills(times int) {
	m.t.Helper()
	var back, known []float64
	for n := range min(times, len(m.job.Services)) {
		s := m.job.Services[n]
		m.kill(s, &back, &known)
	}
	for unit, all := range map[string][]float64{"back-ms": back, "known-ms": known} {
		if len(all) > 0 {
			slices.Sort(all)
			m.figures[unit] = all[len(all)/2]
		}
	}
}

func (m *measuring) kill(s *Service, back, known *[]float64) {
	m.t.Helper()
	ended, old := m.entry.Peer.Ended(m.t, s), m.pids[s]
	begun := time.Now()
	harness.Kill(m.t, old, syscall.SIGKILL)
	if m.entry.Once {
		harness.Gone(m.t, old)
		return
	}
	isBack, isKnown := false, ended == nil
	harness.Eventually(m.t, s.Name+" is back, and that is told", func() error {
		if !isBack && m.again(m.t, s, old) != 0 && s.Answers() {
			isBack, *back = true, append(*back, milliseconds(time.Since(begun)))
		}
		if !isKnown && ended() {
			isKnown, *known = true, append(*known, milliseconds(time.Since(begun)))
		}
		if !isBack || !isKnown {
			return fmt.Errorf("back: %t, told: %t", isBack, isKnown)
		}
		return nil
	})
}
