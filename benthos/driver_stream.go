package benthos

import (
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// stream is everything that belongs to one configuration of an instance: what
// it asks for, and what was found out about the processes that run it. Another
// configuration is another stream, about which nothing has been found out.
type stream struct {
	doc *document

	health           Health
	latest           Metrics // of the process that health is of
	activity, errors window
	problem          logProblem
	well             time.Time // when the instance was last seen to be
	taken            portTrouble
}

// logProblem is a line of the log that reports a problem.
type logProblem struct {
	at   time.Time
	text string
}

// count adds what the engine has counted to the windows.
func (s *stream) count(read time.Time, status *supervise.Status, m Metrics) {
	s.latest = m
	for _, w := range []*window{&s.activity, &s.errors} {
		// All counters of a process that is younger than the window count,
		// although it was not looked at before.
		age := read.Sub(status.Stamp)
		if _, any := w.last(); !any && age > 0 && age < w.span {
			// By the clock that is never set, as what follows.
			w.add(read.Add(-age), status.PID, Metrics{})
		}
		w.add(read, status.PID, m)
	}
}

// traffic returns what the counters say now.
func (s *stream) traffic(now time.Time) Traffic {
	lately := s.activity.delta(now)
	return Traffic{
		InputReceived: s.latest.InputReceived, OutputSent: s.latest.OutputSent, OutputErrors: s.latest.OutputError,
		InputRate:    lately.perSecond(lately.counts.InputReceived),
		OutputRate:   lately.perSecond(lately.counts.OutputSent),
		Active:       lately.counts.InputReceived > 0,
		RecentErrors: s.errors.delta(now).counts.OutputError,
	}
}
