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
	latest           Metrics   // of the process that health is of
	counted          time.Time // when that was read, of whatever process
	activity, errors window
	problem          logProblem
	well             time.Time // when the instance was last seen to be
	since            time.Time // since when it has been; zero while it is not
	taken            portTrouble
	deaf             deafness
	heard            int // the process that was seen to listen everywhere
	ends             ends
	announced        announcement
}

// announcement is how it went to tell s6 that a process is ready.
type announcement struct {
	pid int
	err error
}

// problem is why s6 could not be told of a process, "" if it could or was not to
// be.
func (a announcement) problem(pid int) string {
	if a.err == nil || a.pid != pid {
		return ""
	}
	return a.err.Error()
}

// logProblem is a line of the log that reports a problem.
type logProblem struct {
	at   time.Time
	text string
}

// count adds what the engine has counted to the windows.
func (s *stream) count(read time.Time, status *supervise.Status, m Metrics) {
	for _, w := range []*window{&s.activity, &s.errors} {
		// All counters of a process that is younger than the window count,
		// although it was not looked at before.
		age := read.Sub(status.Stamp)
		if w.empty() && age > 0 && age < w.span {
			// By the clock that is never set, as what follows.
			w.add(read.Add(-age), status.PID, Metrics{})
		}
		w.add(read, status.PID, m)
	}
	s.latest, s.counted = s.errors.latest, read
}

// countless notes that a process has no counters. If it never had any, those of
// another one say nothing about it.
func (s *stream) countless(pid int) {
	if pid != s.errors.process {
		s.forget()
	}
}

// forget drops all that was counted.
func (s *stream) forget() {
	s.latest, s.counted = Metrics{}, time.Time{}
	s.activity, s.errors = window{span: s.activity.span}, window{span: s.errors.span}
}

// traffic returns what the counters said when they were last read. Nothing
// flows where no process runs.
func (s *stream) traffic(runs bool) Traffic {
	t := Traffic{
		At:            s.counted,
		InputReceived: s.latest.InputReceived, OutputSent: s.latest.OutputSent, OutputErrors: s.latest.OutputError,
		RecentErrors: s.errors.delta().counts.OutputError,
	}
	if lately := s.activity.delta(); runs {
		t.InputRate = lately.perSecond(lately.counts.InputReceived)
		t.OutputRate = lately.perSecond(lately.counts.OutputSent)
		t.Active = lately.counts.InputReceived > 0
	}
	return t
}
