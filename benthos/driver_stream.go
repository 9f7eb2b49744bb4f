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
	hush             hush
}

// hush is what the counters of one process tell of when messages came in. What
// another process or another run of the program has counted tells nothing of that.
type hush struct {
	pid       int
	began     time.Time // when its counters were first read since it was ready
	message   time.Time // when they last told of another message
	read      time.Time // when they were read last
	received  uint64
	uncounted bool // they could be read, and told nothing
}

// count notes what was counted. A counter that goes down to zero is missing, and
// one that goes down otherwise has lost what a part of it had counted.
func (h *hush) count(read time.Time, pid int, m Metrics) {
	n := m.InputReceived
	h.uncounted = m.InputUncounted
	switch {
	case pid != h.pid && m.InputUncounted:
		*h = hush{pid: pid, uncounted: true}
	case m.InputUncounted:
		return
	case pid != h.pid || h.began.IsZero():
		*h = hush{pid: pid, began: read, received: n}
	case n > h.received:
		h.message = read
	}
	if h.read = read; n != 0 {
		h.received = n
	}
}

// quiet is for how long no message had come in when the counters were read last.
func (h *hush) quiet() time.Duration {
	if h.message.After(h.began) {
		return h.read.Sub(h.message)
	}
	return h.read.Sub(h.began)
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
	s.hush.count(read, status.PID, m)
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
	s.latest, s.counted, s.hush = Metrics{}, time.Time{}, hush{}
	s.activity, s.errors = window{span: s.activity.span}, window{span: s.errors.span}
}

// traffic returns what the counters said when they were last read. Nothing
// flows where no process runs.
func (s *stream) traffic(runs bool, pid int) Traffic {
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
	if runs && pid == s.hush.pid {
		t.Began, t.LastMessage, t.Quiet, t.Uncounted = s.hush.began, s.hush.message, s.hush.quiet(), s.hush.uncounted
	}
	return t
}
